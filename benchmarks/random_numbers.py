"""How fast are the engine's addressed normals, compared with jax.random.normal and NumPy? One thread each.

    python benchmarks/random_numbers.py [paths] [turns]

Prints million normals a second of: the engine's draws of the economy (Threefry-4x32-20 at the address of path
and month, Box-Muller, every word used; the uniform drawn each month is not counted), the same number of
words alone (the limit if the conversion to normals were free), `jax.random.normal`
(Threefry-2x32-20, inverse error function) with a key a chunk, and NumPy's `Generator.standard_normal` in
float32 (PCG64, ziggurat). All are summed chunk by chunk, so no memory is written; in turns, with the ratio to
each peer.
"""

import functools
import sys
import time

from engine.run.host import prepare_devices

MONTHS, FACTORS = 60, 6
BARE = {"engine's words"}
"""Contenders that make words only."""


def contenders(count: int) -> dict:
    """By name, functions that draw so many chunks of numbers and return their sum."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from engine.batch.barriers import stored
    from engine.batch.path_last import batch_last
    from engine.draws.address import seed_words, words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.run.plan import CHUNK

    def normals(seed, path):
        return PSEUDO_RANDOM(seed, path, MONTHS, FACTORS).normals

    def bare(seed, path):
        return words(seed, path, jnp.uint32(0), "systematic", MONTHS * FACTORS).astype(jnp.float32)

    def engine(one_path):
        """The sum of what one path draws, over all paths."""

        def batch(seed, ids):
            return batch_last(one_path, seed, ids, batched=(False, True))

        return summed(lambda seed, chunk: stored(batch, seed, chunk * CHUNK + jnp.arange(CHUNK)))

    def summed(draw):
        """`draw(seed, chunk)` of all chunks, summed as it is drawn."""

        @jax.jit
        def run(seed):
            def add(chunk, total):
                return total + jnp.sum(draw(seed, chunk))

            return jax.lax.fori_loop(jnp.int64(0), jnp.int64(count), add, jnp.float32(0.0))

        return run

    def drawn_by_jax(key, chunk):
        return jax.random.normal(jax.random.fold_in(key, chunk), (MONTHS * FACTORS, CHUNK), jnp.float32)

    buffer, generator = np.empty((MONTHS * FACTORS, CHUNK), np.float32), np.random.default_rng(7)

    def drawn_by_numpy():
        return sum(generator.standard_normal(out=buffer, dtype=np.float32).sum() for _ in range(count))

    return {
        "engine": functools.partial(engine(normals), seed_words(7)),
        "engine's words": functools.partial(engine(bare), seed_words(7)),
        "jax.random.normal": functools.partial(summed(drawn_by_jax), jax.random.key(7)),
        "NumPy": drawn_by_numpy,
    }


def main(paths: int = 262_144, turns: int = 5) -> None:
    """Time all in turns."""
    prepare_devices(1)
    from record import Record, ratios, spread

    from engine.run.plan import CHUNK

    count = paths // CHUNK
    numbers = count * CHUNK * MONTHS * FACTORS
    runs = contenders(count)
    for name, run in runs.items():
        start, total = time.perf_counter(), float(run())
        line = f"{name}: first call {time.perf_counter() - start:.1f} s"
        # A sum of n normals has standard deviation sqrt(n); a sum of words has no such check.
        print(line if name in BARE else f"{line}, sum {total / numbers**0.5:+.2f} deviations from 0")
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            start = time.perf_counter()
            float(run())
            rates[name].append(numbers / (time.perf_counter() - start) / 1e6)
    for name, rate in rates.items():
        summary = spread(rate)
        beside = {n: ratios(rate, r) for n, r in rates.items() if name.startswith("engine") and n != name}
        seconds = numbers / 1e6 / summary.median
        Record("random numbers", name, summary, "million normals/s", seconds, beside=beside).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
