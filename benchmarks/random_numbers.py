"""How fast are the engine's normals by address? Beside jax.random.normal and NumPy's, one thread each.

    python benchmarks/random_numbers.py [paths] [turns]

Prints million normals a second of: the engine's draws of the economy (Threefry-4x32-20 at the address of path
and month, Box-Muller, every word used; a uniform a month is drawn besides and not counted), as many of its
words alone (what normals would reach if making them of words cost nothing), `jax.random.normal`
(Threefry-2x32-20, inverse error function) with a key a chunk, and NumPy's `Generator.standard_normal` in
float32 (PCG64, ziggurat), all summed chunk by chunk so that no memory is written; in turns, with the ratio to
each peer.
"""

import sys
import time

from experiments.devices import prepare_devices

MONTHS, FACTORS = 60, 6


def main(paths: int = 262_144, turns: int = 5) -> None:
    """Time the three in turns."""
    prepare_devices(1)
    import jax
    import jax.numpy as jnp
    import numpy as np
    from record import Record, ratios, spread

    from engine.batch.last import batch_last
    from engine.batch.store import stored
    from engine.draws.address import seed_words, words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.tail.blocks import CHUNK

    count = paths // CHUNK
    normals = count * CHUNK * MONTHS * FACTORS

    def drawn(seed, path):
        return PSEUDO_RANDOM(seed, path, MONTHS, FACTORS).normals

    def bare(seed, path):
        return words(seed, path, jnp.uint32(0), "systematic", MONTHS * FACTORS).astype(jnp.float32)

    def summed(one_path):
        """The sum of what one path draws over all paths, by seed."""

        def batch(seed, ids):
            return batch_last(one_path, seed, ids, batched=(False, True))

        @jax.jit
        def run(seed):
            def add(chunk, total):
                ids = chunk * CHUNK + jnp.arange(CHUNK, dtype=jnp.int64)
                return total + jnp.sum(stored(batch, seed, ids))

            return jax.lax.fori_loop(jnp.int64(0), jnp.int64(count), add, jnp.float32(0.0))

        return run

    engine, engine_words = summed(drawn), summed(bare)

    @jax.jit
    def jax_random(key):
        def add(chunk, total):
            return total + jnp.sum(
                jax.random.normal(jax.random.fold_in(key, chunk), (MONTHS * FACTORS, CHUNK), jnp.float32)
            )

        return jax.lax.fori_loop(0, count, add, jnp.float32(0.0))

    buffer, generator = np.empty((MONTHS * FACTORS, CHUNK), np.float32), np.random.default_rng(7)

    def numpy_normals():
        return sum(float(generator.standard_normal(out=buffer, dtype=np.float32).sum()) for _ in range(count))

    runs = {
        "engine": lambda: float(engine(seed_words(7))),
        "engine's words": lambda: float(engine_words(seed_words(7))),
        "jax.random.normal": lambda: float(jax_random(jax.random.key(7))),
        "NumPy": numpy_normals,
    }
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):
        for name, run in runs.items():
            begun = time.perf_counter()
            total = run()
            seconds = time.perf_counter() - begun
            if turn == 0 and name != "engine's words":
                # A sum of n normals has standard deviation sqrt(n).
                print(
                    f"{name}: first call {seconds:.1f} s, sum {total / normals**0.5:+.2f} deviations from 0"
                )
            elif turn:
                rates[name].append(normals / seconds / 1e6)
    for name, rate in rates.items():
        found = spread(rate)
        beside = {n: ratios(rate, r) for n, r in rates.items() if name.startswith("engine") and n != name}
        seconds = normals / 1e6 / found.median
        Record("random numbers", name, found, "million normals/s", seconds, beside=beside).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
