"""The circular web: payments on ordinary and on the worst paths, and the losses when a firm fails."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Float64, Int

from engine.book.load import Book
from engine.book.system import System
from engine.contagion.payments import clear
from engine.draws.samplers import PSEUDO_RANDOM, Sampler
from engine.draws.tilted import Tilted
from engine.paths.payments import yearly_payments
from engine.paths.replay import calm
from engine.run.plan import CHUNK
from engine.tail import measures
from engine.tail.sample import median_interval
from engine.tail.tally import WORST, Tally
from engine.vocabulary import MONTH

FAILURE_MONTH = 24
"""Month of the calm path in which a firm fails: most contracts have reached full size by then."""
ROUNDS = 8
"""Longest chain of payments followed; the web of the shipped book has three links."""


def web_tables(
    system: System, book: Book, tally: Tally, seed: int, samplers: Sequence[Sampler]
) -> dict[str, pd.DataFrame]:
    """`payments` and `failures` of a run; none for a book without operating contracts."""
    if not np.asarray(system.contracts.operating).any():
        return {}
    return {
        "payments": payments_table(system, book, tally, seed, samplers),
        "failures": failures_table(system, book),
    }


def payments_table(
    system: System, book: Book, tally: Tally, seed: int, samplers: Sequence[Sampler]
) -> pd.DataFrame:
    """Cash paid under each contract over the run, USD bn.

    `promised` is the full size in the calendar, `ordinary` the median of the run's first paths, `tail` that
    of its worst; `_low` and `_high` bound the medians (95%). Equity commitments and warrants count at what
    investors put in.
    """
    worst, _ = measures.worst_paths(tally, tally.worst_path.shape[0] - 1)
    count = min(CHUNK - WORST, int(tally.paths))
    # Medians of weighted paths are not those of the model: plain paths stand for ordinary ones.
    own = (PSEUDO_RANDOM,) if isinstance(samplers[0], Tilted) else samplers
    paid = [
        paid_of(system, seed, ids, drawn_by, int(tally.paths))
        for ids, drawn_by in ((np.arange(count), own), (worst, samplers))
    ]
    contracts = book.tables["contracts"].set_index("contract").loc[list(system.names.contracts)]
    names = book.tables["firms"].set_index("firm")["name"]
    flows = (contracts["flow"] != "none").to_numpy()
    table = pd.DataFrame({
        "contract": contracts.index,
        "kind": contracts["kind"].to_numpy(),
        "buyer": names.reindex(contracts["buyer"]).to_numpy(),
        "seller": names.reindex(contracts["seller"]).to_numpy(),
        "promised": np.asarray(system.calendar.term, np.float64).sum(axis=0) * MONTH,
        "ordinary": np.median(paid[0], axis=0),
        "tail": np.median(paid[1], axis=0),
    })  # fmt: skip
    for name, sample in zip(("ordinary", "tail"), paid, strict=True):
        table[f"{name}_low"], table[f"{name}_high"] = median_interval(sample)
    table = table[flows]
    return table.sort_values("ordinary", ascending=False).reset_index(drop=True)


def paid_of(
    system: System,
    seed: int,
    ids: Sequence[int] | Int[np.ndarray, "paths"],
    samplers: Sequence[Sampler],
    paths: int,
) -> Float64[np.ndarray, "paths contracts"]:
    """Cash paid over the whole run, USD bn; each path is drawn by the sampler of its replication."""
    replication = np.minimum(np.asarray(ids) // max(paths // len(samplers), 1), len(samplers) - 1)
    paid = np.zeros((len(ids), len(system.names.contracts)))
    for place in np.unique(replication):
        own = replication == place
        paid[own] = yearly_payments(system, seed, np.asarray(ids)[own], samplers[place]).sum(axis=1)
    return paid


def failures_table(system: System, book: Book) -> pd.DataFrame:
    """Losses of sellers in a year if one buyer pays nothing, before anything adjusts, USD bn a year.

    Taken after two years of the calm path, with capital markets shut: each firm pays its contracts from cash,
    undrawn revolver, the year's result after debt service, and contract income, topped up so that all can pay
    while nobody fails. `direct` is what the failed firm does not pay, `knock_on` what its sellers then cannot
    pay on. `worst_hit` loses most; `worst_share` is that loss over contract income. Guarantees, re-letting,
    new debt and new equity do not count.
    """
    table = system.contracts
    whole, without = jax.device_get(paid_without_each(system, *year_of_payments(system)))
    whole = whole.astype(np.float64)
    losses = whole[None, :] - without.astype(np.float64)
    sides = jax.jit(lambda: (table.bought.matrix, table.sold.matrix))()
    bought, sold = (np.asarray(side, np.float64) for side in sides)
    names = book.tables["firms"].set_index("firm")["name"].reindex(list(system.names.firms)).to_numpy()
    direct = bought @ whole
    by_seller, income = losses @ sold.T, sold @ whole
    share = by_seller / np.where(income > 0.0, income, 1.0)
    worst = (by_seller * (1.0 - np.eye(len(names)))).argmax(axis=1)
    rows = pd.DataFrame({
        "firm": list(system.names.firms),
        "name": names,
        "direct": direct,
        "knock_on": np.maximum(losses.sum(axis=1) - direct, 0.0),
        "worst_hit": names[worst],
        "worst_share": share[np.arange(len(names)), worst],
    })  # fmt: skip
    rows = rows[rows["direct"] > 0.0]
    order = (rows["direct"] + rows["knock_on"]).sort_values(ascending=False).index
    return rows.loc[order].reset_index(drop=True)


@jax.jit
def paid_without_each(
    system: System, due: Float[Array, "contracts"], means: Float[Array, "firms"]
) -> tuple[Float[Array, "contracts"], Float[Array, "firms contracts"]]:
    """Payments under contracts when every firm pays, and when each firm in turn does not, USD bn."""
    firms, table = system.firms, system.contracts
    everybody = jnp.ones(len(system.names.firms), jnp.float32)

    def paid(able):
        return clear(
            due, table.senior, table.buyer, table.bought, table.sold, table.margin, means, able,
            firms.outside, ROUNDS,
        )[0]  # fmt: skip

    return paid(everybody), jax.vmap(paid)(1.0 - jnp.eye(everybody.size, dtype=jnp.float32))


@jax.jit
def year_of_payments(system: System) -> tuple[Float[Array, "contracts"], Float[Array, "firms"]]:
    """Payments due and means without contract income in a year of the calm path, USD bn."""
    states, infos = calm(system)
    month = min(FAILURE_MONTH, system.calendar.month.shape[0]) - 1
    state, info = (jax.tree.map(lambda leaf: leaf[month], each) for each in (states, infos))
    table, loans, funds = system.contracts, system.loans, state.funding
    due = info.contracts.paid / MONTH
    result = info.contracts.ebitda - table.sold @ (table.margin * info.contracts.received)
    result = result + table.bought @ info.contracts.paid + info.contracts.committed_equity
    rate = funds.coupon + loans.floating * info.economy.rate
    serviced = loans.borrowed @ (funds.balance * rate + loans.amortisation * funds.peak)
    undrawn = jnp.maximum(loans.committed - funds.balance, 0.0) @ system.firms.revolver
    means = funds.cash + undrawn + result / MONTH - serviced
    owed = table.bought @ due
    lacking = jnp.maximum(owed - table.sold @ (table.margin * due) - means, 0.0)
    return due, means + lacking
