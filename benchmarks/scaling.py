"""What does a path cost as the run or the book grows? Paths, months, borrowers, lenders.

    python benchmarks/scaling.py [paths] [largest]

Time a path through the tally on all devices, best of two, of `paths` paths: over numbers of paths up to 16
times as many, over months from 12 to 120, and at 12 months over synthetic books, of up to `largest` copies of
the shipped book's borrowers (firms, contracts, loans, pools, tranches) or of its lenders. The exponent is the
slope of log time against log size over the larger half of the sizes: 1 is linear.
"""

import sys

from experiments.devices import prepare_devices


def main(paths: int = 16_384, largest: int = 11) -> None:
    """Time and print each series."""
    prepare_devices()
    import math

    from peers.folded_book import BORROWERS, LENDERS, folded
    from record import Record, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.tail.blocks import Plan

    book = load_book(shipped_book("ai_credit_2025"))

    def cost(system, case: str, count: int = paths) -> float:
        """Microseconds a path."""
        plan = Plan(count, 2048, 7)
        first, again = (simulate(system, plan)[1] for _ in range(2))
        run_s = min(first.run_s, again.run_s)
        rate = spread([first.paths_per_s, again.paths_per_s])
        Record("scaling", case, rate, "paths/s", run_s, first.compile_s).tell()
        return run_s / count * 1e6

    def exponent(sizes, costs) -> float:
        """Slope of log cost from the middle of the sizes to the last."""
        half = len(sizes) // 2
        return math.log(costs[-1] / costs[half]) / math.log(sizes[-1] / sizes[half])

    year = build_system(book, Parameters(), 12)
    for count in (paths, 4 * paths, 16 * paths):
        cost(year, f"{count:,} paths, 12 months", count)
    lengths, costs = (12, 60, 120), []
    for months in lengths:
        costs.append(cost(build_system(book, Parameters(), months), f"{months} months"))
    print(f"months: exponent {exponent(lengths, costs):.2f}")
    copies = [c for c in (1, 2, 4, 8, 11, 22, 43) if c <= largest]
    for title, tables in (("borrowers", BORROWERS), ("lenders", LENDERS)):
        costs = []
        for count in copies:
            system = build_system(folded(book, count, tables), Parameters(), 12)
            loans, lenders = len(system.names.loans), len(system.names.lenders)
            costs.append(cost(system, f"{title} x {count}: {loans} loans, {lenders} lenders"))
        print(f"{title}: exponent {exponent(copies, costs):.2f}")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
