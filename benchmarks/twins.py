"""How much of the tail is decided by draws that a sampler can choose?

    python benchmarks/twins.py [paths] [twins]

A path's economy and the draws it makes once (thresholds, releases, frailty) can be tilted or chosen before it
is simulated; the own shocks and rounds of firms and the waivers and extensions of loans cannot. A twin keeps
the first and draws the others anew. Of paths beyond VaR at 99% and 99.9%, 64 each, this prints the share of
twins that lie beyond it too, the standard deviation of their losses (USD bn), and the variance reduction for
the probability of the tail if draws s were chosen with density

    q(s) ~ p(s) sqrt(P(s)),   P(s) = P(L > VaR | s):      p (1 - p) / [E sqrt(P(s))^2 - p^2]

which no sampler of those draws can exceed (Neyman 1938). E sqrt(P) = p E[1 / sqrt(P) | tail], where P is
estimated by the share of the path and its twins beyond VaR; standard errors are over paths.
"""

import functools
import sys

import numpy as np

from engine.run.host import prepare_devices

YEARS, SEED, OTHER = 5, 7, 1_000_007
LEVELS, SAMPLE = (0.999, 0.99), 64


@functools.cache
def program():
    """Losses [paths] of path ids, whose months are drawn by a second seed at ids of their own."""
    import jax
    from jax import lax

    from engine.batch.path_last import batch_last
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path as paths
    from engine.paths.simulate import advance

    def losses(system, seed, ids, other, others):
        fate, state, draws = batch_last(
            paths.begin, system, PSEUDO_RANDOM, seed, ids, batched=(False, False, False, True)
        )

        def month(state, inputs):
            return advance(system, other, others, fate, state, *inputs)[0], ()

        state, _ = lax.scan(month, state, (system.calendar, draws.normals, draws.uniforms))
        return state.legacy_loss + state.new_money_loss

    return jax.jit(losses)


def losses(system, ids, seed: int, others):
    """Losses of paths `ids` of the run, with the months' own draws at `others` under another seed."""
    import jax.numpy as jnp

    from engine.draws.address import seed_words
    from engine.run.chunks import chunks_of

    run, other, count = seed_words(SEED), seed_words(seed), len(ids)
    pairs = zip(chunks_of(ids), chunks_of(others), strict=True)
    each = [program()(system, run, jnp.asarray(own), other, jnp.asarray(twin)) for own, twin in pairs]
    return np.concatenate([np.asarray(loss, np.float64) for loss in each])[:count]


def main(paths: int = 65_536, twins: int = 512) -> None:
    """Print a row for each level."""
    prepare_devices(1)
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 12 * YEARS)
    ids = np.arange(paths, dtype=np.int64)
    loss = losses(system, ids, SEED, ids)
    print(f"{paths:,} paths, {twins} twins each; level: twins beyond, their sd, largest variance reduction")
    for level in LEVELS:
        limit, p = np.quantile(loss, level), 1.0 - level
        tail = np.random.default_rng(SEED).permutation(ids[loss > limit])[:SAMPLE]
        own, others = np.repeat(tail, twins), np.arange(len(tail) * twins, dtype=np.int64)
        twin = losses(system, own, OTHER, others).reshape(len(tail), twins)
        beyond = (twin > limit).mean(axis=1)
        inverse = ((twins + 1) / (twins * beyond + 1)) ** 0.5
        mean, error = inverse.mean(), inverse.std(ddof=1) / len(tail) ** 0.5
        gain = [
            p * (1.0 - p) / ((p * root) ** 2 - p**2) for root in (mean, mean + 2 * error, mean - 2 * error)
        ]
        print(
            f"{level:.1%}: {beyond.mean():.0%} +- {beyond.std(ddof=1) / len(tail) ** 0.5:.0%}, "
            f"{twin.std(axis=1, ddof=1).mean():.1f}, {gain[0]:.0f} ({gain[1]:.0f} to {gain[2]:.0f})"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
