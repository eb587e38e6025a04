"""What does the concentration of funds do to failures of funds, and to tails of their creditors and owners?

    python benchmarks/concentration.py [paths]

Three books on the same random numbers: the shipped funds, each with few loans; each manager's private-credit
vehicles sharing all its holdings in proportion to their size; and all private-credit vehicles sharing all
holdings. Prints the probability that a vehicle fails within five years (loss beyond its capital), on average
and for any of them, overall and in the worst 1% of paths by system loss, and ES 99% at five years with
standard errors, USD bn, with the lender network on and off.
"""

import functools
import sys

import numpy as np

from engine.run.host import prepare_devices

YEARS, SEED, LEVEL = 5, 7, 0.99


def shared(book, system, groups: dict[str, str]):
    """The system in which the vehicles of a group hold the same mix, each in its former amount."""
    import equinox as eqx
    import jax.numpy as jnp

    from engine.results.losses import instrument_sizes

    sizes = instrument_sizes(book.tables)
    size = np.array([sizes.get(name, 0.0) for name in system.names.instruments])
    holdings = np.asarray(system.lenders.holdings, np.float64)
    held, mixed = holdings @ size, holdings.copy()
    for group in set(groups.values()):
        rows = [i for i, name in enumerate(system.names.lenders) if groups.get(name) == group]
        mixed[rows] = np.outer(held[rows] / held[rows].sum(), holdings[rows].sum(axis=0))
    return eqx.tree_at(lambda s: s.lenders.holdings, system, jnp.asarray(mixed, jnp.float32))


def networked(system, passing: float):
    """The system with the network of lenders on or off."""
    import equinox as eqx
    import jax.numpy as jnp

    return eqx.tree_at(lambda s: s.numbers.mechanisms.lender_network, system, jnp.float32(passing))


@functools.cache
def program(paths: int):
    """Loss columns [columns paths] and failures [vehicles paths] at the end, of any system of one shape."""
    import jax
    import jax.numpy as jnp

    from engine.batch.path_last import batch_last
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path
    from engine.paths.simulate import every_year
    from engine.run.plan import CHUNK

    ids = jnp.arange(paths, dtype=jnp.int64).reshape(-1, CHUNK)

    @jax.jit
    def run(system):
        def end(state, kept):
            losses = batch_last(path.snapshot, system, state, batched=(False, True)).losses
            vehicles = system.lenders.debt_share.shape[1]
            return losses, state.lenders.failed_alone[:vehicles] > 0

        def chunk(each):
            made = every_year(system, PSEUDO_RANDOM, seed_words(SEED), each, lambda *_: (), end)[3]
            return jax.tree.map(lambda leaf: leaf[-1], made)

        return jax.lax.map(chunk, ids)

    return lambda system: tuple(
        np.moveaxis(np.asarray(leaf), 0, -2).reshape(leaf.shape[1], -1) for leaf in run(system)
    )


def shortfall(loss) -> tuple[float, float]:
    """ES and its standard error: that of VaR + (L - VaR)^+ / (1 - level)."""
    loss = np.asarray(loss, np.float64)
    var = np.quantile(loss, LEVEL)
    score = np.maximum(loss - var, 0.0) / (1.0 - LEVEL)
    return float(var + score.mean()), float(score.std() / len(loss) ** 0.5)


def main(paths: int = 32_768) -> None:
    """Three books, network on and off."""
    prepare_devices()
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.path import column_names

    book = load_book(shipped_book("ai_credit_2025"))
    shipped = build_system(book, Parameters(), 12 * YEARS)
    names = column_names(shipped)
    funds = book["lenders"][
        (book["lenders"]["vehicle"] == 1) & (book["lenders"]["class"] == "PRIVATE_CREDIT")
    ]
    systems = {
        "shipped": shipped,
        "shared by manager": shared(book, shipped, dict(zip(funds["lender"], funds["manager"], strict=True))),
        "shared by all": shared(book, shipped, dict.fromkeys(funds["lender"], "all")),
    }
    print(f"{paths:,} paths, seed {SEED}, {YEARS} years, USD bn")
    for name, system in systems.items():
        for passing in (1.0, 0.0):
            losses, failed = program(paths)(networked(system, passing))
            worst = losses[0] >= np.quantile(losses[0], LEVEL)
            any_failed = failed.any(axis=0)
            tails = {key: shortfall(losses[names.index(f"lenders:{key}")]) for key in ("BANK", "INSURER")}
            print(
                f"{name}, network {passing:g}: a vehicle fails {failed.mean():.2%}, "
                f"any {any_failed.mean():.1%}; "
                f"in the tail {failed[:, worst].mean():.1%}, {any_failed[worst].mean():.0%}; ES 99% "
                + ", ".join(f"{key} {value:.2f} ± {error:.2f}" for key, (value, error) in tails.items())
                + f"; system {shortfall(losses[0])[0]:.1f}"
            )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
