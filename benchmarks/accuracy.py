"""How many seconds does an error cost? Plain paths, scrambled Sobol points, importance sampling.

    python benchmarks/accuracy.py [most] [portfolio_most]

Relative standard error of expected loss, ES 99% and ES 99.9% against seconds of simulation, at a sixteenth, a
quarter and all of the paths: on the shipped book (60 months), and on a smooth one-period portfolio of 1,000
equal obligors with one factor. Each sampler reports its own error: of independent paths, of weighted paths,
or the spread of 16 scrambles. Seconds include learning, on the shipped book with the compilation of its
pilots, but not the compilation of the run. The ratio to plain paths is that of variance times seconds. The
benchmark fails unless all values agree with those of plain paths within 4 standard errors of both.
"""

import sys

from engine.run.host import prepare_devices

LEVELS = (0.99, 0.999)
SAMPLERS = ("pseudo_random", "sobol", "importance")
MEASURES = ("EL", "ES 99%", "ES 99.9%")
SCRAMBLES, COMPONENTS, BLOCK, SEED, REACH = 16, 4, 4096, 7, 4.0


def independent(tally, horizon: int) -> list[tuple[float, float]]:
    """(value, standard error) of each measure from independent paths, weighted or not."""
    from engine.tail import intervals, measures

    losses = measures.column_losses(tally, horizon)
    expected = measures.expected_loss(losses)
    beyond = [(measures.expected_shortfall(losses, a), intervals.es_error(losses, a)) for a in LEVELS]
    return [(expected.value, expected.standard_error), *beyond]


def with_errors(tally, each, horizon: int) -> list[tuple[float, float]]:
    """The same, with the standard error of the mean over replications; `each` has their measures."""
    import numpy as np

    from engine.tail.intervals import sectioned

    whole = independent(tally, horizon)
    if len(each) < 2:
        return whole
    errors = sectioned([np.array([value for value, _ in estimates]) for estimates in each])[1]
    return [(value, float(error)) for (value, _), error in zip(whole, errors, strict=True)]


def plan_of(sampler: str, paths: int):
    """(plan, replications), with the sampler's own seed."""
    from engine.run.plan import Plan

    return Plan(paths, BLOCK, SEED + SAMPLERS.index(sampler)), SCRAMBLES if sampler == "sobol" else 1


def book_runs():
    """run(sampler, paths) -> (measures, learning seconds, Timing) on the shipped book; one law for all."""
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.learn.importance.importance import TailTarget, learn
    from engine.paths.samplers import samplers_of
    from engine.paths.simulate import horizons, simulate
    from engine.run.plan import Hooks

    months = 60
    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), months)
    last, laws = horizons(months).index(months), {}

    def run(sampler: str, paths: int):
        (plan, count), parts, learning = plan_of(sampler, paths), [], 0.0
        if sampler == "importance":
            if not laws:
                laws["law"] = learn(system, TailTarget(level=max(LEVELS)), SEED, BLOCK)
            samplers, learning = (laws["law"].sampler,), laws["law"].seconds
        else:
            samplers = samplers_of(system, plan, sampler, count, COMPONENTS)
        tally, timing = simulate(
            system,
            plan,
            samplers,
            Hooks(replication=lambda tally: parts.append(independent(tally, last))),
        )
        estimates = with_errors(tally, parts, last)
        return estimates, learning, timing

    return run


def portfolio_runs():
    """The same on the smooth portfolio, whose importance sampling is tuned from a pilot."""
    import time

    import numpy as np

    from engine.portfolio import simulate
    from engine.portfolio.importance import tuned
    from engine.portfolio.portfolio import portfolio
    from engine.run.plan import Hooks

    book = portfolio(np.full(1_000, 0.02), exposure=1.0, lgd=0.45, loadings=0.45)

    def run(sampler: str, paths: int):
        (plan, count), parts, start, tilt = plan_of(sampler, paths), [], time.perf_counter(), None
        if sampler == "importance":
            tilt = tuned(book, simulate.pilot_target(book, max(LEVELS), SEED))
        learning = time.perf_counter() - start if tilt is not None else 0.0
        samplers = simulate.samplers_of(book, plan, sampler, count)
        tally, timing = simulate.run(
            book,
            plan,
            samplers,
            tilt,
            Hooks(replication=lambda tally: parts.append(independent(tally, 0))),
        )
        estimates = with_errors(tally, parts, 0)
        return estimates, learning, timing

    # Compile the pilot's programs before timing it.
    run("importance", BLOCK)
    return run


def worth(plain, own, plain_s: float, own_s: float) -> list[float]:
    """Variance of plain paths over a sampler's at equal seconds, measure by measure.

    >>> worth([(1.0, 0.2)], [(1.0, 0.1)], 3.0, 6.0)
    [2.0]
    """
    return [(p[1] / o[1]) ** 2 * plain_s / own_s for p, o in zip(plain, own, strict=True)]


def compare(title: str, run, most: int) -> None:
    """Every sampler at every size: the table, the records, and whether the values agree."""
    from record import Record, spread

    sizes = [size for size in (most // 16, most // 4, most) if size >= SCRAMBLES * 256]
    for size in sizes:
        plain = None
        for sampler in SAMPLERS:
            estimates, learning, timing = run(sampler, size)
            seconds = learning + timing.run_s
            if plain is None:
                plain, plain_s = estimates, seconds
            gains = dict(zip(MEASURES, worth(plain, estimates, plain_s, seconds), strict=True))
            cells = ", ".join(
                f"{name} {value:.4g} ± {error / value:.2%}"
                for name, (value, error) in zip(MEASURES, estimates, strict=True)
            )
            print(f"{title}, {sampler}, {size:,} paths, {seconds:.2f} s (learning {learning:.1f} s): {cells}")
            beside = {f"plain paths at equal seconds, {name}": spread([gain]) for name, gain in gains.items()}
            Record(
                "accuracy", f"{title}, {sampler}, {size:,} paths", spread([timing.paths_per_s]), "paths/s",
                seconds, timing.compile_s, beside={} if sampler == "pseudo_random" else beside,
            ).tell()  # fmt: skip
            for name, own, other in zip(MEASURES, estimates, plain, strict=True):
                if sampler != "pseudo_random" and apart(own, other):
                    sys.exit(f"{title}, {sampler}, {name}: got {own}, plain paths {other}")


def apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two independent (value, standard error) differ by more than REACH errors of both.

    >>> apart((1.0, 0.3), (3.0, 0.4)), apart((1.0, 0.3), (3.1, 0.4))
    (False, True)
    """
    return abs(one[0] - other[0]) > REACH * (one[1] ** 2 + other[1] ** 2) ** 0.5


def main(most: int = 2**18, portfolio_most: int = 2**20) -> None:
    """Both portfolios."""
    prepare_devices()
    compare("smooth portfolio", portfolio_runs(), portfolio_most)
    compare("shipped book", book_runs(), most)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
