"""What holds the month back: arithmetic, memory, or neither?

    python benchmarks/roofline.py [months] [turns]

Operations and bytes of a path's month are those XLA counts in the compiled month of one chunk
(`cost_analysis`; bytes that every loop and product reads and writes, wherever they come from), and its
loops by kind are counted in the optimised program. The peaks are measured in the same run on the same one
device: multiply-adds of float32 on an array in the first-level cache, and a <- b + s a on arrays as large as
what a chunk works on and on arrays far beyond every cache. Prints what share of each peak the month reaches.
"""

import collections
import re
import sys
import time

from experiments.devices import prepare_devices

INSIDE = 4_096
"""Numbers that fill half of a first-level cache of 32 kB."""
BEYOND = 2**26
"""Numbers of an array, 256 MB, that no cache holds."""
CHAINS = (8, 16, 32, 64)
"""Multiply-adds in a row on each number; the best counts."""
KINDS = ("fusion", "call", "dot", "custom-call", "copy", "scatter", "sort", "while", "conditional", "reduce")


def loops(text: str) -> collections.Counter:
    """Operations of the entry computation of an optimised program by kind, those that are loops of their own.

    >>> loops("ENTRY %main (x: f32[4]) -> f32[4] {\\n  %a = f32[4]{0} fusion(%x), calls=%f\\n}\\n")
    Counter({'fusion': 1})
    """
    entry = re.search(r"^ENTRY .*?\{\n(.*?)^\}", text, re.S | re.M).group(1)
    kinds = re.findall(r"^\s+(?:ROOT )?%\S+ = .*? ([\w\-]+)\(", entry, re.M)
    return collections.Counter(kind for kind in kinds if kind in KINDS)


def best(run, turns: int) -> float:
    """Least seconds of several calls."""
    import jax

    spent = []
    for _ in range(turns + 1):
        begun = time.perf_counter()
        jax.block_until_ready(run())
        spent.append(time.perf_counter() - begun)
    return min(spent[1:])


def arithmetic(turns: int) -> float:
    """Float32 operations a second of one device, two a multiply-add."""
    import jax
    import jax.numpy as jnp

    times = 100_000

    def rate(chain: int) -> float:
        @jax.jit
        def run(x, a):
            def step(_, x):
                for _ in range(chain):
                    x = x * a + jnp.float32(1e-3)
                return x

            return jax.lax.fori_loop(0, times, step, x)

        x, a = jnp.ones(INSIDE, jnp.float32), jnp.float32(0.5)
        return 2.0 * chain * times * INSIDE / best(lambda: run(x, a), turns)

    return max(map(rate, CHAINS))


def stream(numbers: int, turns: int) -> float:
    """Bytes a second of a <- b + s a: two arrays of so many float32 read, one written."""
    import jax
    import jax.numpy as jnp

    times = max(2**30 // numbers, 4)

    @jax.jit
    def run(a, b, s):
        return jax.lax.fori_loop(0, times, lambda _, a: b + s * a, a)

    a, b = jnp.ones(numbers, jnp.float32), jnp.ones(numbers, jnp.float32)
    return 12.0 * numbers * times / best(lambda: run(a, b, jnp.float32(0.5)), turns)


def month_of(system, seed: int):
    """(the month of one chunk compiled, its arguments): everything that moves a path one month."""
    import jax
    import jax.numpy as jnp

    from engine.batch.last import batch_last
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path as paths
    from engine.tail.blocks import CHUNK

    def begin(system, seed, ids):
        def one(system, seed, path):
            return paths.begin(system, PSEUDO_RANDOM, seed, path)

        return batch_last(one, system, seed, ids, batched=(False, False, True))

    def month(system, seed, row, ids, fate, state, normal, regime):
        def one(system, seed, row, path, fate, state, normal, regime):
            state, info = paths.advance(system, seed, path, fate, state, row, normal, regime)
            return state, paths.traced(system, state, info)

        arguments = (system, seed, row, ids, fate, state, normal, regime)
        return batch_last(one, *arguments, batched=(False,) * 3 + (True,) * 5)

    ids, words = jnp.arange(CHUNK, dtype=jnp.int64), seed_words(seed)
    fate, state, drawn = jax.jit(begin)(system, words, ids)
    row, normal, regime = jax.tree.map(lambda leaf: leaf[0], (system.calendar, drawn.normals, drawn.uniforms))
    arguments = (system, words, row, ids, fate, state, normal, regime)
    return jax.jit(month).lower(*arguments).compile(), arguments


def main(months: int = 60, turns: int = 5) -> None:
    """Count, time, measure the peaks, print the shares."""
    prepare_devices(1)
    import jax
    import jax.numpy as jnp
    from record import Record, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path as paths
    from engine.paths.simulate import every_year
    from engine.tail.blocks import CHUNK

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), months)
    begun = time.perf_counter()
    program, arguments = month_of(system, 7)
    compile_s = time.perf_counter() - begun
    counted = program.cost_analysis()
    counted = counted[0] if isinstance(counted, list) else counted
    kinds = loops(program.as_text())
    operations, moved = counted["flops"] / CHUNK, counted["bytes accessed"] / CHUNK
    functions = counted.get("transcendentals", 0.0) / CHUNK
    working = sum(leaf.nbytes for leaf in jax.tree.leaves(arguments))
    temporary = program.memory_analysis().temp_size_in_bytes
    print(
        f"a month of {CHUNK} paths: {dict(kinds)}, arguments {working / 1e6:.2f} MB, temporaries "
        f"{temporary / 1e6:.2f} MB"
    )

    @jax.jit
    def whole(system, seed, ids):
        def traced(each):
            return every_year(system, PSEUDO_RANDOM, seed, each, paths.traced, lambda state, kept: kept)[3]

        return jax.lax.map(traced, ids)

    ids = jnp.arange(8 * CHUNK, dtype=jnp.int64).reshape(8, CHUNK)
    seconds = best(lambda: whole(system, seed_words(7), ids), turns) / (ids.size * months)
    cached = max((working + temporary) // 8, INSIDE)
    peaks = {
        "arithmetic, first-level cache": (operations / seconds, arithmetic(turns), "float32 operations/s"),
        f"bytes, {8 * cached / 1e6:.1f} MB": (moved / seconds, stream(cached, turns), "B/s"),
        "bytes, memory": (moved / seconds, stream(BEYOND, turns), "B/s"),
    }
    print(
        f"a path and month: {operations:,.0f} float32 operations, {functions:,.0f} functions, "
        f"{moved / 1e3:,.1f} kB, {seconds * 1e9:,.0f} ns; {operations / moved:.2f} operations a byte"
    )
    for name, (reached, peak, unit) in peaks.items():
        share = spread([reached / peak])
        print(f"{name}: {reached / 1e9:.1f} of {peak / 1e9:.1f} billion {unit}, {share.median:.1%}")
    Record(
        "roofline", "path-months", spread([1.0 / seconds]), "path-months/s", seconds * ids.size * months,
        compile_s, beside={name: spread([reached / peak]) for name, (reached, peak, _) in peaks.items()},
    ).tell()  # fmt: skip


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
