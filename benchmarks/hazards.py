"""How much residual hazard would it take for default rates near those that ratings and CDS imply?

    python benchmarks/hazards.py [paths]

The residual hazard of every firm times 0, 1, 2 and 4, on the same draws: named firms whose default rate is
within a factor of two of the implied one at one and at five years, those below and above, CoreWeave's
default rates, and the share of named defaults that are not by hazard alone. Prints the table in
docs/plausibility.md; standard errors of default rates are those of the shares of paths.
"""

import sys

import equinox as eqx
import pandas as pd

from engine.run.host import prepare_devices

TIMES = (0.0, 1.0, 2.0, 4.0)
MONTHS = 60


def main(paths: int = 65_536) -> None:
    """Print the table."""
    prepare_devices()
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import layout_of, simulate
    from engine.results import monthly
    from engine.results.plausibility import default_probabilities
    from engine.run.plan import Plan
    from engine.tail import measures
    from engine.tail.intervals import es_error

    book = load_book(shipped_book())
    system = build_system(book, Parameters(), MONTHS)
    head = (
        "hazard", "one year: near, below, above", "five years", "CoreWeave", "not by hazard", "expected loss",
        "ES 99%",
    )  # fmt: skip
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for times in TIMES:
        changed = eqx.tree_at(lambda it: it.firms.hazard, system, times * system.firms.hazard)
        tally, _ = simulate(changed, Plan(paths=paths, block=8192, seed=7))
        layout = layout_of(system)
        firms = default_probabilities(monthly.firms_table(tally, layout, book), book)
        causes = monthly.causes_table(tally, layout, book).query("kind != 'synthetic'")
        by_hazard = causes.query("cause == 'hazard'").expected.sum() / causes.expected.sum()
        losses = measures.column_losses(tally, len(layout.horizons) - 1, 0)
        loss, tail = measures.expected_loss(losses), measures.expected_shortfall(losses, 0.99)
        cloud = firms.set_index("firm").loc["CRWV"]
        cells = (
            f"{times:g}", counts(firms.pd_1y, firms.implied_pd_1y), counts(firms.pd_5y, firms.implied_pd_5y),
            f"{100 * cloud.pd_1y:.1f}, {100 * cloud.pd_5y:.1f}%", f"{100 * (1 - by_hazard):.0f}%",
            f"{loss.value:.1f} ± {loss.standard_error:.1f}", f"{tail:.1f} ± {es_error(losses, 0.99):.1f}",
        )  # fmt: skip
        print(f"| {' | '.join(cells)} |", flush=True)


def counts(mine: pd.Series, implied: pd.Series) -> str:
    """How many default rates are within a factor of two of the implied ones, how many below and above."""
    ratio = (mine / implied)[implied > 0]
    below, above = int((ratio < 0.5).sum()), int((ratio > 2.0).sum())
    return f"{len(ratio) - below - above}, {below}, {above}"


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
