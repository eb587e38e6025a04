"""The engine's random words as a stream for dieharder, neighbours in the stream being different addresses.

    python tests/draws/battery.py paths | dieharder -g 200 -d 0

The first argument is the coordinate of the address that runs fastest, or `counter`: the addresses themselves
without a hash, which must fail. `--rounds` shortens the hash, `--seed` is the seed of the draws.
"""

import argparse
import os
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from engine.batch.barriers import stored
from engine.draws import random
from engine.draws.address import seed_words, words

PATHS, MONTHS, DIMENSIONS = 4096, 60, 64
"""Addresses of one piece of the stream; the next piece has the next paths."""
ORDERS = ("paths", "months", "dimensions", "counter")


def drawn(order: str, seed, paths, months):
    """Words of all addresses, the coordinate `order` last and so fastest."""

    def one(path, month):
        return words(seed, path, month, "obligors", DIMENSIONS)

    if order == "paths":  # [months dimensions paths]
        return jax.vmap(jax.vmap(one, (0, None), 1), (None, 0))(paths, months)
    inner = 1 if order == "months" else 0  # [paths dimensions months] or [paths months dimensions]
    return jax.vmap(jax.vmap(one, (None, 0), inner), (0, None))(paths, months)


def stream(order: str, seed: int) -> Iterator[np.ndarray]:
    """Pieces of an endless stream of uint32."""
    if order == "counter":
        for first in range(0, 2**32, 2**20):
            yield np.arange(first, first + 2**20, dtype=np.uint32)

    @jax.jit
    def piece(key, first):
        paths, months = first + jnp.arange(PATHS, dtype=jnp.int64), jnp.arange(1, MONTHS + 1, dtype=jnp.int32)
        # Without stored values the compiler evaluates the hash anew for every word that reads it.
        return stored(lambda *address: drawn(order, *address), first >= 0, key, paths, months)

    key, number = seed_words(seed), 0
    while True:
        yield np.asarray(piece(key, jnp.int64(number * PATHS)))
        number += 1


def pour(pieces: Iterator[np.ndarray], descriptor: int) -> None:
    """Write pieces as raw bytes until nobody reads."""
    try:
        for piece in pieces:
            rest = memoryview(piece).cast("B")
            while rest:
                rest = rest[os.write(descriptor, rest) :]
    except BrokenPipeError:
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("order", choices=ORDERS)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rounds", type=int, default=random.ROUNDS)
    asked = parser.parse_args()
    random.ROUNDS = asked.rounds
    pour(stream(asked.order, asked.seed), 1)


if __name__ == "__main__":
    main()
