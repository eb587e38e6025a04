"""What limits the speed of a month: arithmetic, memory, or neither?

    python benchmarks/roofline.py [months] [turns]

Operations and bytes of a path's month are those XLA counts in the compiled month of one chunk
(`cost_analysis`: one for each element of each elementwise operation, comparisons and selections too, two for
a multiply-add of a product; bytes that every loop and product reads and writes, from any level). The peaks
are measured in the same run on the same core: multiply-adds of float32 on an array in the first-level cache,
and a <- a + b, 12 bytes an element, on arrays that fit the second-level cache, on a chunk's working set, and
far beyond every cache. On a GPU they are a product of large float32 matrices in full precision, and a <- a +
b beyond its cache. Prints the share of each peak that the month reaches.
"""

import collections
import math
import re
import sys
import time

from engine.run.host import prepare_devices

INSIDE = (512, 2_048)
"""Sizes of an array within the first-level cache; the best result counts."""
CHAINS = (4, 8, 16)
"""Consecutive multiply-adds on each number; the best result counts."""
TIMED = 2_048
"""Paths of a timed run, at least."""
WITHIN = 2**16
"""Numbers of an array, two of which fit a second-level cache of 1 MB twice."""
BEYOND = 2**26
"""Numbers of an array, 256 MB, that no cache holds."""
SQUARE = 8_192
"""Rows of a GPU's matrices."""
KINDS = ("fusion", "call", "dot", "custom-call", "copy", "scatter", "sort", "while", "conditional", "reduce")


def loops(text: str) -> collections.Counter:
    """Operations of an optimised program's entry computation by kind, of those with a loop of their own.

    >>> loops("ENTRY %main (x: f32[4]) -> f32[4] {\\n  %a = f32[4]{0} fusion(%x), calls=%f\\n}\\n")
    Counter({'fusion': 1})
    """
    entry = re.search(r"^ENTRY .*?\{\n(.*?)^\}", text, re.S | re.M).group(1)
    kinds = re.findall(r"^\s+(?:ROOT )?%\S+ = .*? ([\w\-]+)\(", entry, re.M)
    return collections.Counter(kind for kind in kinds if kind in KINDS)


def products(text: str) -> int:
    """Operations of all products of matrices in an optimised program, two a multiply-add.

    >>> x = "  %x = f32[4,3]{1,0} parameter(0)\\n  %y = f32[3,5]{1,0} parameter(1)\\n"
    >>> products(x + "  %d = f32[4,5]{1,0} dot(%x, %y), lhs_contracting_dims={1}\\n")
    120
    """
    shapes = dict(re.findall(r"%([\w.\-]+) = \w+\[([\d,]*)\]", text))
    sizes = {name: [int(d) for d in filter(None, shape.split(","))] for name, shape in shapes.items()}
    dots = re.findall(r"%([\w.\-]+) = \S+ dot\([^%]*%([\w.\-]+),.*?lhs_contracting_dims=\{([\d,]*)\}", text)
    return sum(
        2 * math.prod(sizes[name]) * math.prod(sizes[left][int(d)] for d in filter(None, along.split(",")))
        for name, left, along in dots
    )


def best(run, turns: int) -> float:
    """Minimum seconds of several calls, without the first."""
    import jax

    seconds = []
    for _ in range(turns + 1):
        start = time.perf_counter()
        jax.block_until_ready(run())
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


def arithmetic(turns: int) -> float:
    """Float32 operations a second of one core, two a multiply-add."""
    import jax
    import jax.numpy as jnp

    times = 20_000

    def rate(numbers: int, chain: int) -> float:
        @jax.jit
        def run(x, a):
            def step(_, x):
                for _ in range(chain):
                    x = x * a + jnp.float32(1e-3)
                return x

            return jax.lax.fori_loop(0, times, step, x)

        x, a = jnp.ones(numbers, jnp.float32), jnp.float32(0.5)
        return 2.0 * chain * times * numbers / best(lambda: run(x, a), turns)

    return max(rate(numbers, chain) for numbers in INSIDE for chain in CHAINS)


def stream(numbers: int, turns: int) -> float:
    """Bytes a second of a <- a + b: two arrays of so many float32 read, one written."""
    import numpy as np

    times = max(2**26 // numbers, 2)
    a, b = np.zeros(numbers, np.float32), np.ones(numbers, np.float32)

    def run():
        for _ in range(times):
            np.add(a, b, out=a)

    return 12.0 * numbers * times / best(run, turns)


def device_stream(numbers: int, turns: int, times: int = 64) -> float:
    """Bytes a second of a <- a + b on JAX's device."""
    import jax
    import jax.numpy as jnp

    @jax.jit
    def run(a, b):
        return jax.lax.fori_loop(0, times, lambda _, a: a + b, a)

    a, b = jnp.zeros(numbers, jnp.float32), jnp.ones(numbers, jnp.float32)
    return 12.0 * numbers * times / best(lambda: run(a, b), turns)


def device_products(rows: int, turns: int) -> float:
    """Float32 operations a second of a product of square matrices on that device."""
    import jax
    import jax.numpy as jnp

    a = jnp.full((rows, rows), 0.5, jnp.float32)
    return 2.0 * rows**3 / best(lambda: jax.lax.dot(a, a, precision="highest"), turns)


def peaks(operations: float, moved: float, working: int, turns: int) -> dict[str, tuple]:
    """(share that the month reaches, peak, unit) by name, for the month's operations and bytes a second."""
    import jax

    if jax.default_backend() != "cpu":
        return {
            "products of matrices": (operations, device_products(SQUARE, turns), "operations/s"),
            "bytes, memory": (moved, device_stream(BEYOND, turns), "B/s"),
        }
    arrays = {"second-level cache": WITHIN, "a chunk's arrays": working // 8, "memory": BEYOND}
    bytes_of = {
        f"bytes, {place}": (moved, stream(numbers, turns), "B/s") for place, numbers in arrays.items()
    }
    return {"multiply-adds": (operations, arithmetic(turns), "operations/s")} | bytes_of


def month_of(system, seed: int, paths: int):
    """(the month of so many paths, its arguments): the step of every run, and what its tally reads."""
    import jax
    import jax.numpy as jnp

    from engine.batch.path_last import batch_last
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path as each
    from engine.paths.simulate import advance

    def begin(system, seed, ids):
        return batch_last(each.begin, system, PSEUDO_RANDOM, seed, ids, batched=(False, False, False, True))

    def month(system, seed, row, ids, fate, state, normal, regime):
        state, info = advance(system, seed, ids, fate, state, row, normal, regime)
        return state, batch_last(each.traced, system, state, info, batched=(False, True, True))

    ids, words = jnp.arange(paths, dtype=jnp.int64), seed_words(seed)
    fate, state, drawn = jax.jit(begin)(system, words, ids)
    row, normal, regime = jax.tree.map(lambda leaf: leaf[0], (system.calendar, drawn.normals, drawn.uniforms))
    arguments = (system, words, row, ids, fate, state, normal, regime)
    return jax.jit(month), arguments


def counts(system) -> tuple[float, float, int]:
    """(operations, bytes) of a path's month, and bytes of a chunk's working set; prints their composition."""
    import jax

    from engine.paths.simulate import chunk_of
    from engine.run.plan import chunk_size

    size = chunk_size(chunk_of(system))
    month, arguments = month_of(system, 7, size)
    program = month.lower(*arguments).compile()
    costs, text = program.cost_analysis(), program.as_text()
    costs = costs[0] if isinstance(costs, list) else costs
    operations, moved = costs["flops"] / size, costs["bytes accessed"] / size
    working = sum(leaf.nbytes for leaf in jax.tree.leaves(arguments))
    temporary = program.memory_analysis().temp_size_in_bytes
    print(
        f"a month of {size:,} paths: {dict(loops(text))}, arguments {working / 1e6:.2f} MB, temporaries "
        f"{temporary / 1e6:.2f} MB"
    )
    print(
        f"a path's month: {operations:,.0f} operations, {products(text) / size:,.0f} of them in products of "
        f"matrices, {costs.get('transcendentals', 0.0) / size:,.0f} functions, {moved / 1e3:,.1f} kB; "
        f"{operations / moved:.2f} operations a byte"
    )
    return operations, moved, working + temporary


def timed(system, months: int, turns: int) -> tuple[float, int]:
    """(Seconds of a path's month within a run of all months, without the tally; paths of the run)."""
    import jax
    import jax.numpy as jnp

    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths import path as paths
    from engine.paths.simulate import chunk_of, every_year
    from engine.run.plan import chunk_size

    @jax.jit
    def whole(system, seed, ids):
        def traced(each):
            return every_year(system, PSEUDO_RANDOM, seed, each, paths.traced, lambda state, kept: kept)[3]

        return jax.lax.map(traced, ids)

    size = chunk_size(chunk_of(system))
    ids = jnp.arange(-(-TIMED // size) * size, dtype=jnp.int64).reshape(-1, size)
    return best(lambda: whole(system, seed_words(7), ids), turns) / (ids.size * months), ids.size


def main(months: int = 60, turns: int = 5) -> None:
    """Count, time, measure the peaks, print the shares."""
    prepare_devices(1)
    from record import Record, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), months)
    operations, moved, working = counts(system)
    seconds, paths = timed(system, months, turns)
    shares = {}
    for name, (reached, peak, unit) in peaks(operations / seconds, moved / seconds, working, turns).items():
        shares[f"peak of {name}"] = spread([reached / peak])
        print(f"{name}: {reached / 1e9:.1f} of {peak / 1e9:.1f} billion {unit}, {reached / peak:.1%}")
    rate = spread([1.0 / seconds])
    Record(
        "roofline", "a path's month", rate, "path-months/s", paths * seconds * months, beside=shares
    ).tell()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
