"""The classic credit portfolio in NumPy, as fast as NumPy's functions allow.

Chunks of paths stay in cache, a thread for each core, float32, arrays made once and filled in place. BLAS
must have one thread (OPENBLAS_NUM_THREADS=1 before NumPy is imported): more would fight over the cores.

Obligor k defaults if e_k > (threshold_k - a_k . Z) / residual_k. Thresholds and loadings are divided by the
residual beforehand and the threshold enters as the loading of a constant factor, so that one matrix product
gives the barrier of the obligor's own normal.
"""

import concurrent.futures

import numpy as np

CHUNK = 64
"""Paths of a chunk: its arrays, a megabyte for a thousand obligors, fit the second-level cache."""
F32 = np.float32


def from_generator(generator, out):
    """Standard normals of NumPy's ziggurat, one at a time."""
    generator.standard_normal(out=out, dtype=F32)


def box_muller(generator, out):
    """Standard normals from raw bits and NumPy's vectorised log, sin and cos; three times as fast.

    radius^2 = -2 ln((word + 1/2) / 2^32), kept from becoming negative by rounding.
    """
    rows, columns = out.shape
    half = -(-columns // 2)
    words = generator.bit_generator.random_raw(rows * half).view(np.uint32).reshape(2, rows, half)
    radius, angle, scratch = (np.empty((rows, half), F32) for _ in range(3))
    np.add(words[0], F32(0.5), out=radius, dtype=F32, casting="unsafe")
    np.log(radius, out=radius)
    np.multiply(radius, F32(-2.0), out=radius)
    np.add(radius, F32(64.0 * np.log(2.0) + 4e-6), out=radius)
    np.sqrt(radius, out=radius)
    np.multiply(words[1].view(np.int32), F32(np.pi * 2.0**-31), out=angle, dtype=F32, casting="unsafe")
    np.multiply(radius, np.cos(angle, out=scratch), out=out[:, :half])
    np.multiply(
        radius[:, : columns - half], np.sin(angle, out=scratch)[:, : columns - half], out=out[:, half:]
    )


def losses(book, paths: int, seed: int, threads: int, normals) -> np.ndarray:
    """Losses [paths], float32; `book`: threshold, residual, loadings, cost; `normals`: one of the above."""
    threshold, residual, loadings, cost = book
    factors = loadings.shape[1] + 1
    lift = np.concatenate([-loadings.T, threshold[None, :]]) / residual
    lift, cost = np.ascontiguousarray(lift, F32), cost.astype(F32)
    result = np.empty(paths, F32)

    def part(task):
        sequence, begin, end = task
        generator = np.random.Generator(np.random.SFC64(sequence))
        z = np.ones((CHUNK, factors), F32)
        factor_normals = np.empty((CHUNK, factors - 1), F32)
        level, own = (np.empty((CHUNK, len(cost)), F32) for _ in range(2))
        default = np.empty((CHUNK, len(cost)), np.bool_)
        for first in range(begin, end, CHUNK):
            last = min(first + CHUNK, end)
            normals(generator, factor_normals)
            z[:, :-1] = factor_normals
            np.matmul(z, lift, out=level)
            normals(generator, own)
            np.greater(own, level, out=default)
            result[first:last] = np.matmul(default, cost)[: last - first]

    edges = np.linspace(0, paths, threads + 1).astype(int)
    tasks = zip(np.random.SeedSequence(seed).spawn(threads), edges[:-1], edges[1:], strict=True)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, tasks))
    return result
