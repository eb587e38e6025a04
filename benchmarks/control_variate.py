"""Would the surrogate of importance sampling pay as a control variate?

    python benchmarks/control_variate.py [pilot] [paths]

A surrogate is learned from a pilot. For an integrand h of a path's loss (the loss, its excess over VaR at
three levels) the best control that it allows is g = E[h | estimate], fitted to half of `paths` plain paths as
means between quantiles of the estimate; on the other half rho is its correlation with h. N simulated paths
beside M that are only estimated, each at the share c of a path's cost, have the variance
(1 - rho^2) / N + rho^2 / M, so that for one budget the variance falls by at most

    1 / (sqrt(1 - rho^2) + sqrt(c rho^2))^2

(double sampling: Cochran 1977, 12.5). c comes from the speed of the sampler that chooses one of 32 estimated
economies.
"""

import sys

import numpy as np

from engine.run.host import prepare_devices

YEARS, SEED = 5, 7
LEVELS = (0.95, 0.99, 0.999)
GROUPS = np.r_[np.arange(0.0, 0.9, 0.02), np.arange(0.9, 0.99, 0.005), np.arange(0.99, 1.0, 0.001), 1.0]
"""Quantiles of the estimate between which a mean is taken."""


def control(estimate, integrand):
    """E[integrand | estimate] as a function, from the means between quantiles of the estimate."""
    edges = np.quantile(estimate, GROUPS)
    group = np.clip(np.searchsorted(edges, estimate, side="right") - 1, 0, len(edges) - 2)
    count = np.maximum(np.bincount(group, minlength=len(edges) - 1), 1)
    middle = np.bincount(group, estimate, len(edges) - 1) / count
    mean = np.bincount(group, integrand, len(edges) - 1) / count
    return lambda other: np.interp(other, middle, mean)


def seconds(system, sampler, paths: int) -> float:
    """Seconds a path of the main job under a sampler, compiled before."""
    from engine.paths.simulate import simulate
    from engine.run.plan import Plan

    simulate(system, Plan(4096, 4096, SEED, "auto"), (sampler,))
    return 1.0 / simulate(system, Plan(paths, 4096, SEED, "auto"), (sampler,))[1].paths_per_s


def main(learned: int = 49_152, paths: int = 131_072) -> None:
    """Print a row for each integrand."""
    prepare_devices()
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.learn.importance.importance import TailTarget, estimates, sampler_of
    from engine.learn.importance.pilot import pilot
    from engine.run.plan import Plan

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 12 * YEARS)
    target = TailTarget(paths=learned)
    sampler, explained = sampler_of(system, pilot(system, Plan(learned, 4096, SEED, "auto"), 0), target, SEED)
    run = pilot(system, Plan(paths, 4096, SEED + 1, "auto"), 0)
    plain = seconds(system, PSEUDO_RANDOM, 32_768)
    share = (seconds(system, sampler, 32_768) - plain) / plain / target.candidates
    print(f"{learned:,} paths explain {explained:.0%} of the variance; an estimate costs {share:.4f} paths")
    estimate, loss, half = estimates(sampler.surrogate, run.features), run.loss, paths // 2
    excess = {f"excess over VaR {each:.1%}": np.quantile(loss, each) for each in LEVELS}
    for name, limit in {"loss": 0.0, **excess}.items():
        integrand = np.maximum(loss - limit, 0.0)
        g = control(estimate[:half], integrand[:half])
        square = np.corrcoef(g(estimate[half:]), integrand[half:])[0, 1] ** 2
        gain = 1.0 / (np.sqrt(1.0 - square) + np.sqrt(share * square)) ** 2
        print(f"{name}: rho^2 {square:.2f}, variance at one cost {gain:.2f} times smaller")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
