"""The circular web: payments on ordinary and on the worst paths, and the losses when a firm fails."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Int

from engine.book.load import Book
from engine.book.system import System
from engine.contagion.payments import clear
from engine.draws.choice import Choice
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.paths.payments import Payments, payments_of
from engine.run.plan import CHUNK
from engine.run.programs import Kept
from engine.tail import measures
from engine.tail.sample import median_interval
from engine.tail.tally import WORST, Tally
from engine.vocabulary import MONTH

FAILURE_MONTH = 24
"""Month in which a firm fails: most contracts have reached full size by then."""
ROUNDS = 8
"""Longest chain of payments followed; the web of the shipped book has three links."""


def web_tables(
    system: System, book: Book, tally: Tally, seed: int, samplers: Sequence[Sampler]
) -> dict[str, pd.DataFrame]:
    """`payments` and `failures` of a run; none for a book without operating contracts."""
    if not np.asarray(system.contracts.operating).any():
        return {}
    worst, _ = measures.worst_paths(tally, tally.worst_path.shape[0] - 1)
    paths = int(tally.paths)
    # Medians of weighted paths are not those of the model: plain paths stand for ordinary ones.
    own = (PSEUDO_RANDOM,) if isinstance(samplers[0], Choice) else samplers
    ordinary = payments_by(system, seed, np.arange(min(CHUNK - WORST, paths)), own, paths)
    return {
        "payments": payments_table(system, book, ordinary, payments_by(system, seed, worst, samplers, paths)),
        "failures": failures_table(system, book, ordinary),
    }


def payments_by(
    system: System,
    seed: int,
    ids: Sequence[int] | Int[np.ndarray, "paths"],
    samplers: Sequence[Sampler],
    paths: int,
) -> Payments:
    """The payments of these paths of a run of `paths`; each is drawn by the sampler of its replication."""
    ids, month = np.asarray(ids, np.int64), min(FAILURE_MONTH, system.calendar.month.shape[0])
    replication = np.minimum(ids // max(paths // len(samplers), 1), len(samplers) - 1)
    places = [np.flatnonzero(replication == place) for place in np.unique(replication)]
    drawn = [payments_of(system, seed, ids[own], month, samplers[replication[own[0]]]) for own in places]
    order = np.argsort(np.concatenate(places))
    return Payments(*(np.concatenate(leaves)[order] for leaves in zip(*drawn, strict=True)))


def payments_table(system: System, book: Book, ordinary: Payments, tail: Payments) -> pd.DataFrame:
    """Cash paid under each contract over the run, USD bn.

    `promised` is the full size in the calendar, `ordinary` the median of the run's first paths, `tail` that
    of its worst; `_low` and `_high` bound the medians (95%). Equity commitments and warrants count at what
    investors put in.
    """
    contracts = book.tables["contracts"].set_index("contract").loc[list(system.names.contracts)]
    names = book.tables["firms"].set_index("firm")["name"]
    flows = (contracts["flow"] != "none").to_numpy()
    table = pd.DataFrame({
        "contract": contracts.index,
        "kind": contracts["kind"].to_numpy(),
        "buyer": names.reindex(contracts["buyer"]).to_numpy(),
        "seller": names.reindex(contracts["seller"]).to_numpy(),
        "promised": np.asarray(system.calendar.term, np.float64).sum(axis=0) * MONTH,
    })  # fmt: skip
    samples = {name: part.paid.sum(axis=1) for name, part in (("ordinary", ordinary), ("tail", tail))}
    table = table.assign(**{name: np.median(sample, axis=0) for name, sample in samples.items()})
    for name, sample in samples.items():
        table[f"{name}_low"], table[f"{name}_high"] = median_interval(sample)
    table = table[flows]
    return table.sort_values("ordinary", ascending=False).reset_index(drop=True)


def failures_table(system: System, book: Book, ordinary: Payments) -> pd.DataFrame:
    """Losses of sellers in a year if one buyer pays nothing, before anything adjusts, USD bn a year.

    The year is that of medians over ordinary paths, two years into the run, with capital markets shut: each
    firm pays its contracts from cash, undrawn revolver, the year's result after debt service, and contract
    income, topped up so that all can pay while nobody fails. `direct` is what the failed firm does not pay,
    `knock_on` what its sellers then cannot pay on. `worst_hit` loses most; `worst_share` is that loss over
    contract income. Guarantees, re-letting, new debt and new equity do not count.
    """
    year = [jnp.asarray(np.median(each, axis=0), jnp.float32) for each in (ordinary.due, ordinary.means)]
    direct, lost, by_seller, income = (
        each.astype(np.float64) for each in jax.device_get(failures_of(system, *year))
    )
    names = book.tables["firms"].set_index("firm")["name"].reindex(list(system.names.firms)).to_numpy()
    worst, firm = by_seller.argmax(axis=1), np.arange(len(names))
    rows = pd.DataFrame({
        "firm": list(system.names.firms),
        "name": names,
        "direct": direct,
        "knock_on": np.maximum(lost - direct, 0.0),
        "worst_hit": names[worst],
        "worst_share": by_seller[firm, worst] / np.where(income > 0.0, income, 1.0)[worst],
    })  # fmt: skip
    rows = rows[rows["direct"] > 0.0]
    order = (rows["direct"] + rows["knock_on"]).sort_values(ascending=False).index
    return rows.loc[order].reset_index(drop=True)


@Kept
def failures_of(
    system: System, due: Float[Array, "contracts"], means: Float[Array, "firms"]
) -> tuple[Float[Array, "firms"], Float[Array, "firms"], Float[Array, "firms firms"], Float[Array, "firms"]]:
    """What each firm does not pay when it fails, what sellers lose in all and each [failed seller], income.

    Before anybody fails all can pay: means make up for what is lacking. USD bn.
    """
    table, everybody = system.contracts, jnp.ones(len(system.names.firms), jnp.float32)
    lacking = jnp.maximum(table.bought @ due - table.sold @ (table.margin * due) - means, 0.0)

    def paid(able):
        return clear(
            due, table.senior, table.buyer, table.bought, table.sold, table.margin, means + lacking, able,
            system.firms.outside, ROUNDS,
        )[0]  # fmt: skip

    whole = paid(everybody)

    def without(firm):
        lost = whole - paid(1.0 - firm)
        return jnp.sum(lost), (table.sold @ lost) * (1.0 - firm)

    lost, by_seller = jax.vmap(without)(jnp.eye(everybody.size, dtype=jnp.float32))
    return table.bought @ whole, lost, by_seller, table.sold @ whole
