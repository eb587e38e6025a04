"""How much variance does learned importance sampling save on the full model, and at what cost?

Samplers are learned under several seeds, and each is measured on its own paths. A variance ratio is itself
uncertain, because a few tail paths carry large weights; hence the spread over seeds.

    python benchmarks/importance.py [paths] [seeds]
"""

import sys

import numpy as np

from engine.run.host import prepare_devices

LEVELS = (0.99, 0.999, 0.9997)
RUN = 32_768
"""Paths that are timed."""


def measured(system, target, seed: int, paths: int, title: str):
    """Learn a sampler and print its gain; the sampler and its factors."""
    from engine.learn.importance.importance import learn
    from engine.paths.simulate import layout_of, simulate
    from engine.run.plan import Plan
    from engine.tail.intervals import weights
    from engine.tail.measures import column_losses
    from engine.tail.variance_reduction import reduction

    law = learn(system, target, seed, 4096)
    tally, _ = simulate(system, Plan(paths, 4096, 1000 + seed), (law.sampler,))
    losses = column_losses(tally, len(layout_of(system).horizons) - 1)
    reductions = [factor for level in LEVELS for factor in reduction(losses, level)]
    own, cells = weights(tally), "  ".join(f"{value:7.1f}" for value in reductions)
    mean = f"mean weight {own.mean:.4f} ± {own.mean_error:.4f}"
    print(f"{title:30} {cells}   {mean}   {law.r_squared:.0%}   {law.seconds:3.0f} s", flush=True)
    return law.sampler, reductions


def paths_per_second(system, sampler, paths: int) -> float:
    """Speed of the main job under a sampler, including the tally."""
    from engine.paths.simulate import simulate
    from engine.run.plan import Plan

    return simulate(system, Plan(paths, 4096, 5), (sampler,))[1].paths_per_s


def main(paths: int = 131_072, seeds: int = 3) -> None:
    """Samplers under several seeds, fewer and more candidates, and the cost of a path."""
    prepare_devices("auto")
    from record import Record, ratios, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.learn.importance.importance import TailTarget

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)
    head = "".join(f"{measure:>9}" for level in LEVELS for measure in (f"P {level:.2%}", f"ES {level:.2%}"))
    print(f"{'variance reduction':30}{head}   weights, variance explained, learned in")
    laws = [measured(system, TailTarget(), seed, paths, f"seed {seed}") for seed in range(1, seeds + 1)]
    reductions = np.asarray([factor for _, factor in laws])
    error = reductions.std(axis=0, ddof=1) / np.sqrt(seeds)
    means = ", ".join(f"{m:.0f} ± {s:.0f}" for m, s in zip(reductions.mean(0), error, strict=True))
    print("mean over seeds:", means)
    for candidates in (16, 64):
        measured(system, TailTarget(candidates=candidates), 1, paths, f"seed 1, {candidates} candidates")
    both = (PSEUDO_RANDOM, laws[0][0])
    speeds = np.asarray([[paths_per_second(system, sampler, RUN) for sampler in both] for _ in range(3)])
    for name, rate, beside in (
        ("plain paths", speeds[:, 0], {}),
        ("weighted paths", speeds[:, 1], {"plain paths": ratios(speeds[:, 1], speeds[:, 0])}),
    ):
        summary = spread(rate)
        Record("importance", name, summary, "paths/s", RUN / summary.median, beside=beside).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
