"""What does each story of conf/scenario do to losses, path by path on the same draws?

    python benchmarks/stories.py [paths] [months]

One compiled program runs them all: a story's numbers are leaves of the System. Prints the rows of the table
in docs/scenarios.md; ± is one standard error, of changes that of the paired difference.
"""

import copy
import sys
import time

import hydra

from engine.run.host import cores, prepare_devices

STORIES = (
    "baseline", "plateau", "bust", "chip_glut", "boom", "early_non_renewal", "openai_unfunded",
    "vendor_stops", "refinancing_shut", "power_limited_boom", "dotcom_crash", "freeze_2008", "backstop",
)  # fmt: skip


NEED, CAPEX = "refinancing_shut, need alone", "refinancing_shut, capex alone"


def halves(parameters):
    """`refinancing_shut` in two: lenders refuse maturities and firms in need, not capex, or the reverse."""
    usual, shut = (parameters[story].credit for story in ("baseline", "refinancing_shut"))
    closed = shut.capacity_scale / usual.capacity_scale
    need, capex = copy.deepcopy(parameters["refinancing_shut"]), copy.deepcopy(parameters["baseline"])
    need.credit.growth_limit = usual.growth_limit / closed
    capex.credit.growth_limit = usual.growth_limit * closed
    return {NEED: need, CAPEX: capex}


def parameters_of(story):
    """The parameters of a story on the defaults."""
    from experiments import tasks
    from experiments.config import schema
    from experiments.config.read import read

    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        return read(hydra.compose("config", overrides=[f"scenario={story}"]), tasks.every()).parameters


def ledgers_of(stories, paths, months):
    """Ledgers of the paths by story: loss at the end of the run, USD bn."""
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.paths.ledger import ledger
    from engine.run.plan import Plan

    book, plan = load_book(shipped_book()), Plan(paths=paths, block=min(paths, 16_384), seed=7)
    parameters = {story: parameters_of(story) for story in stories}
    parameters |= halves(parameters)
    return {story: ledger(build_system(book, numbers, months), plan) for story, numbers in parameters.items()}


def main(paths: int = 8192, months: int = 60) -> None:
    """Run every story and print its row."""
    from engine.tail.paired import change, influence, mean_of

    begun = time.perf_counter()
    ledgers = ledgers_of(STORIES, paths, months)
    losses = {story: each.loss.astype(float) for story, each in ledgers.items()}
    measures = {
        "EL": lambda x: x, "ES 95%": lambda x: influence(x, 0.95), "ES 99%": lambda x: influence(x, 0.99)
    }  # fmt: skip
    print("| story | " + " | ".join(f"{name} | change" for name in measures) + " |")
    print("|---" * (1 + 2 * len(measures)) + "|")
    for story, loss in losses.items():
        cells = [f"`{story}`"]
        for measure in measures.values():
            own, moved = mean_of(measure(loss)), change(losses["baseline"], loss, measure)
            cells += [f"{own.value:.1f} ± {own.standard_error:.1f}"]
            cells += ["–" if story == "baseline" else f"{moved.value:+.1f} ± {moved.standard_error:.1f}"]
        print("| " + " | ".join(cells) + " |")
    today = {story: losses[story] - each.new_money.astype(float) for story, each in ledgers.items()}
    for story in ("refinancing_shut", NEED, CAPEX):
        moved = change(today["baseline"], today[story])
        print(f"{story}, loss on today's debt: {moved.value:+.2f} ± {moved.standard_error:.2f}")
    frozen, met = losses["freeze_2008"], losses["backstop"]
    for name, measure in measures.items():
        moved = change(frozen, met, measure)
        print(f"backstop less freeze_2008, {name}: {moved.value:+.2f} ± {moved.standard_error:.2f}")
    print(f"{paths:,} paths a story, {months} months, {time.perf_counter() - begun:.0f} s on {cores()} cores")


if __name__ == "__main__":
    prepare_devices("auto")
    main(*(int(argument) for argument in sys.argv[1:]))
