"""How much residual hazard, or how little cash, would it take for default rates near the implied ones?

    python benchmarks/hazards.py [paths]

First the residual hazard of every firm times 0, 1, 2 and 4, on the same draws: named firms whose default rate
is within a factor of two of the one that CDS or rating imply, those below and above, at one and at five
years; CoreWeave's; the share of named defaults that are not by hazard alone. Then each named firm's default
rate of the first year, with its cash of month 0 and without. Prints the tables of docs/plausibility.md.
"""

import operator
import sys
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
import pandas as pd

from engine.run.host import prepare_devices

TIMES = (0.0, 1.0, 2.0, 4.0)
MONTHS = 60


class Run(NamedTuple):
    """Default rates of named firms beside the implied ones, expected defaults by cause, and losses."""

    firms: pd.DataFrame
    causes: pd.DataFrame
    loss: str
    tail: str


def main(paths: int = 65_536) -> None:
    """Print the tables."""
    prepare_devices()
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters

    book = load_book(shipped_book())
    system = build_system(book, Parameters(), MONTHS)
    table(
        "hazard", "one year: near, below, above", "five years", "CoreWeave", "not by hazard", "expected loss",
        "ES 99%",
    )  # fmt: skip
    runs = {times: run_of(book, system, paths, hazard=times) for times in TIMES}
    for times, run in runs.items():
        firms, causes, cloud = run.firms, run.causes, run.firms.loc["CRWV"]
        by_hazard = causes.query("cause == 'hazard'").expected.sum() / causes.expected.sum()
        row(
            f"{times:g}", counts(firms.pd_1y, firms.implied_pd_1y), counts(firms.pd_5y, firms.implied_pd_5y),
            f"{100 * cloud.pd_1y:.1f}, {100 * cloud.pd_5y:.1f}%", f"{100 * (1 - by_hazard):.0f}%", run.loss,
            run.tail,
        )  # fmt: skip
    poor = run_of(book, system, paths, cash=0.0)
    print()
    table("firm", "one year", "without cash", "implied")
    for firm, rich in runs[1.0].firms.query("implied_pd_1y > 0").iterrows():
        rates = (rich.pd_1y, poor.firms.pd_1y[firm], rich.implied_pd_1y)
        row(str(firm), *(f"{100 * rate:.2f}%" for rate in rates))


def run_of(book: Any, system: Any, paths: int, **times: float) -> Run:
    """One run with a number of every firm times another one."""
    from engine.paths.simulate import layout_of, simulate
    from engine.results import monthly
    from engine.results.plausibility import default_probabilities
    from engine.run.plan import Plan
    from engine.tail import measures
    from engine.tail.intervals import es_error

    for name, factor in times.items():
        leaf = operator.attrgetter(f"firms.{name}")
        system = eqx.tree_at(leaf, system, np.float32(factor) * leaf(system))
    tally, _ = simulate(system, Plan(paths=paths, block=8192, seed=7))
    layout = layout_of(system)
    losses = measures.column_losses(tally, len(layout.horizons) - 1, 0)
    expected = measures.expected_loss(losses)
    return Run(
        default_probabilities(monthly.firms_table(tally, layout, book), book).set_index("firm"),
        monthly.causes_table(tally, layout, book).query("kind != 'synthetic'"),
        f"{expected.value:.1f} ± {expected.standard_error:.1f}",
        f"{measures.expected_shortfall(losses, 0.99):.1f} ± {es_error(losses, 0.99):.1f}",
    )


def counts(mine: pd.Series, implied: pd.Series) -> str:
    """How many default rates are within a factor of two of the implied ones, how many below and above."""
    ratio = (mine / implied)[implied > 0]
    below, above = int((ratio < 0.5).sum()), int((ratio > 2.0).sum())
    return f"{len(ratio) - below - above}, {below}, {above}"


def table(*head: str) -> None:
    """Begin a table of Markdown."""
    row(*head)
    print("|" + "---|" * len(head))


def row(*cells: str) -> None:
    """A row of it."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
