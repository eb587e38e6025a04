"""How fast is the fused kernel beside XLA's form of the same paths? Through the tally, on all devices.

    python benchmarks/kernel.py [paths] [turns]

The main job on the shipped book over 60 months, both forms in turns after a warm-up of each. Rounding decides
an event on a path in ten thousand: the benchmark fails unless expected system losses agree within a hundredth
of a standard error at every horizon.
"""

import sys

from engine.run.host import prepare_devices

FORMS = ("fused", "xla")


def main(paths: int = 131_072, turns: int = 3) -> None:
    prepare_devices()
    from record import Record, ratios, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.run.plan import Plan
    from engine.tail.measures import column_losses, expected_loss

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)
    warm = {form: simulate(system, Plan(4096, 2048, 7, form))[1] for form in FORMS}
    rates: dict[str, list[float]] = {form: [] for form in FORMS}
    seconds, expected = {}, {}
    for _ in range(turns):
        for form in FORMS:
            tally, timing = simulate(system, Plan(paths, 16_384, 7, form))
            rates[form].append(timing.paths_per_s)
            seconds[form] = timing.run_s
            horizons = range(len(tally.losses))
            expected[form] = [expected_loss(column_losses(tally, horizon)) for horizon in horizons]
    pairs = zip(expected["fused"], expected["xla"], strict=True)
    worst = max(abs(own.value - other.value) / other.standard_error for own, other in pairs)
    print(f"expected system losses differ by {worst:.1e} standard errors at most")
    assert worst < 0.01, worst
    for form in FORMS:
        beside = {"xla": ratios(rates[form], rates["xla"])} if form == "fused" else {}
        rate = spread(rates[form])
        Record("kernel", form, rate, "paths/s", seconds[form], warm[form].compile_s, beside=beside).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
