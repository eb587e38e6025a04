"""What happens to one firm's default rate if lenders lend it less, and no other? On the same draws.

    python benchmarks/access.py [paths]

Debt capacity of one firm at 0.6, 0.3 and 0 of what it would be: change of its default rate within three and
five years, in points, with paired standard errors. As the book ships, and for clouds that build for their
contracts alone while one of these grows. Prints the rows of the tables in docs/scenarios.md.
"""

import dataclasses
import sys
import types

import equinox as eqx
import jax.numpy as jnp

from engine.run.host import prepare_devices

MONTHS = 60
SHARES, HORIZONS = (0.6, 0.3, 0.0), (3, 5)
FIRMS = ("CRWV", "NBIS", "IREN", "NSCL", "FLUI", "VANT_TX", "NM_ORCL", "ROWAN")
NEEDY = {
    "CRWV": ("META_CRWV_FURTHER", 12.0),
    "NBIS": ("META_NBIS", 6.0),
    "IREN": ("MSFT_IREN", 6.0),
    "NSCL": ("MSFT_NSCL", 8.0),
}
"""Clouds that build for contracts alone, one of which grows to so many bn a year in its second year."""


def lent(system, firms, share):
    """The System in which lenders lend these firms a share of what they would."""
    at = jnp.ones_like(system.firms.cash)
    for firm in firms:
        at = at.at[system.names.firms.index(firm)].set(share)
    multiples = system.firms.debt_multiple * at, system.firms.value_multiple * at
    return eqx.tree_at(lambda s: (s.firms.debt_multiple, s.firms.value_multiple), system, multiples)


def needy(book, firm, months=MONTHS):
    """System of a book in which the contracts of a firm need chips that it has not bought."""
    from engine.book.build import build_system
    from engine.book.parameters import Parameters

    contracts, firms = book["contracts"].copy(), book["firms"].copy()
    name, annual = NEEDY[firm]
    contracts.loc[contracts["contract"] == name, ["annual", "start_month", "ramp_months"]] = (annual, 13, 12)
    firms.loc[firms["firm"] == firm, [f"capex_{year}" for year in range(1, 6)]] = 0.0
    tables = dict(book.tables) | {"contracts": contracts, "firms": firms}
    changed = dataclasses.replace(book, tables=types.MappingProxyType(tables))
    return build_system(changed, Parameters(), months)


def default_months(system, sampler, seed, ids):
    """Month in which each firm defaulted on each path of a chunk [firms, paths]; 0 if it did not."""
    from engine.batch.path_last import batch_last
    from engine.paths.simulate import every_year

    _, _, state, _ = every_year(system, sampler, seed, ids, lambda *_: (), lambda *_: ())
    return batch_last(lambda _, s: s.credit.default_month, system, state, batched=(False, True))


def row(system, firm, plan):
    """A row of the table: default rate within five years, and its changes within three and five."""
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.run.chunks import by_path
    from engine.tail.paired import change

    place = system.names.firms.index(firm)

    def within(share):
        """Paths on which the firm is in default, in per cent, by horizon in years."""
        months = by_path(default_months, lent(system, [firm], share), plan, PSEUDO_RANDOM, None)[place]
        return {years: 100.0 * ((months > 0) & (months <= 12 * years)) for years in HORIZONS}

    usual = within(1.0)
    cells = [f"`{firm}`", f"{usual[HORIZONS[-1]].mean():.1f}"]
    for share in SHARES:
        less = within(share)
        moves = [change(usual[years], less[years]) for years in HORIZONS]
        cells += [f"{move.value:+.1f} ± {move.standard_error:.1f}" for move in moves]
    return "| " + " | ".join(cells) + " |"


def main(paths: int = 4096) -> None:
    """Run every firm at every share and print the rows."""
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.run.plan import Plan

    book, plan = load_book(shipped_book()), Plan(paths=paths, block=min(paths, 16_384), seed=7)
    shipped = build_system(book, Parameters(), MONTHS)
    heads = [f"{share:g} of capacity, {years} years" for share in SHARES for years in HORIZONS]
    print("| | % in default in five years | " + " | ".join(heads) + " |")
    print("|---" * (2 + len(heads)) + "|")
    for firm in FIRMS:
        print(row(shipped, firm, plan))
    print("Contracts that need chips:")
    for firm in NEEDY:
        print(row(needy(book, firm), firm, plan))


if __name__ == "__main__":
    prepare_devices("auto")
    main(*(int(argument) for argument in sys.argv[1:]))
