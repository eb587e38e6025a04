"""One function for every primitive of a kernel, and what JAX makes of them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from engine.batch.path_last import batch_last
from engine.draws.random import normal_of

N = 21
"""Paths: not a multiple of any vector."""
RANDOM = np.random.default_rng(3)
MATRIX = RANDOM.normal(size=(9, 9)).astype(np.float32)
SPARSE = MATRIX * (RANDOM.random((9, 9)) < 0.3)
ROWS = np.array([3, 0, 3, 8, 1, 1, 7], np.int32)
ROWS9 = np.array([3, 0, 3, 1, 0, 5, 8, 8, 3], np.int32)
SHARED = {"matrix": MATRIX, "sparse": SPARSE, "rows": ROWS, "rows9": ROWS9, "number": np.float32(0.7)}
SHARED |= {"none": np.zeros((9, 0), np.float32), "no rows": np.zeros(0, np.int32)}
FLOAT = jnp.float32


def months(shared, x):
    """Two loops, one in the other, that carry, read and write."""

    def month(state, row):
        state = state * row[0][1] + x[shared["rows9"]] * shared["number"]
        return state, (jnp.sum(state), state[:2] > 0.0)

    def year(state, rows):
        state, monthly = lax.scan(month, state, (rows,))
        return state, (monthly, state[::-1])

    return lax.scan(year, x, jnp.outer(x, x)[:6, :2].reshape(2, 3, 2) * 0.1)


def swapped(shared, x):
    """A loop whose new values are the old ones in other places."""
    return lax.scan(lambda pair, _: ((pair[1], pair[0] + x[0]), None), (x, x[::-1] * 2.0), None, length=3)[0]


def backwards(shared, x):
    """A loop from the last row to the first."""
    return lax.scan(lambda total, row: (total * 0.5 + row, total), x[0], x, reverse=True)


FUNCTIONS = {
    "scalar of a path times a vector": lambda s, x: x[0] * jnp.ones(3, FLOAT) - x[1],
    "known matrix times vector": lambda s, x: s["matrix"] @ x,
    "sparse matrix times vector": lambda s, x: s["sparse"] @ x,
    "vector times sparse matrix": lambda s, x: x @ s["sparse"],
    "matrix of a path times its vector": lambda s, x: jnp.outer(x, x) @ x,
    "matrix times matrix": lambda s, x: jnp.outer(x, x)[:, :2].T @ s["matrix"],
    "inner product": lambda s, x: x @ (x + 1.0),
    "known times known": lambda s, x: (s["matrix"] @ s["matrix"])[0] + x,
    "rows picked": lambda s, x: x[s["rows"]],
    "rows of a matrix picked": lambda s, x: jnp.outer(x, x)[s["rows"]],
    "rows added": lambda s, x: jnp.zeros(9, FLOAT).at[s["rows9"]].add(x),
    "rows added to a path's": lambda s, x: x.at[s["rows"]].add(jnp.exp(x[:7])),
    "matrix rows added": lambda s, x: jnp.zeros((9, 9), FLOAT).at[s["rows9"]].add(jnp.outer(x, x)),
    "put": lambda s, x: x.at[s["rows"][0]].set(x[1] * 2.0),
    "slices and concatenation": lambda s, x: jnp.concatenate([x[1:3], x[:5], jnp.zeros(1, FLOAT)]) * 2.0,
    "padded": lambda s, x: lax.pad(x, x[2], ((2, 3, 0),)) * lax.pad(x[:5], s["number"], ((1, 0, 2),)),
    "padded and cut": lambda s, x: lax.pad(jnp.outer(x, x), 0.5 * x[0], ((-1, 2, 0), (1, -3, 1))) + 1.0,
    "padded with nothing inside": lambda s, x: lax.pad(x[:0], x[1], ((2, 1, 0),)) * 2.0,
    "known beside a path's": lambda s, x: jnp.concatenate([s["matrix"][0], x]) + 1.0,
    "steps backwards": lambda s, x: x[::-2] * 1.0,
    "reversed": lambda s, x: jnp.flip(x) - x,
    "sums over each axis": lambda s, x: jnp.outer(x, x).sum(0) + jnp.outer(x, x + 1.0).sum(1),
    "sum of many": lambda s, x: jnp.sum(jnp.outer(x, x)),
    "products": lambda s, x: jnp.prod(x[:4]),
    "reshape and transpose": lambda s, x: jnp.outer(x, x[:2]).T.reshape(9, 2) * 1.0,
    "where on a scalar of a path": lambda s, x: jnp.where(x[0] > 0, x, -x),
    "where on known": lambda s, x: jnp.where(s["matrix"][0] > 0, x, FLOAT(1)),
    "clip": lambda s, x: jnp.clip(x, -jnp.abs(x[0]), FLOAT(1)),
    "cumulative sum": lambda s, x: jnp.cumsum(x),
    "largest, smallest": lambda s, x: (jnp.max(x), jnp.min(x), jnp.maximum(x, x[0]), jnp.minimum(x, 0.1)),
    "any, all": lambda s, x: (jnp.any(x > 1.0), jnp.all(x < 2.0)),
    "logic": lambda s, x: ((x > 0) & (x < 1), (x > 0) | (x < -1), (x > 0) ^ (x < 1), ~(x > 0)),
    "comparisons": lambda s, x: (x == x[0], x != x[0], x >= x[1], x <= x[1]),
    "indicator": lambda s, x: ((x > 0).astype(FLOAT) * x, (x > 1).astype(jnp.int32)),
    "stack": lambda s, x: jnp.stack([x[0], x[1] * 2.0, FLOAT(3)])[:, None] * jnp.ones(2, FLOAT)[None, :],
    "divided by known": lambda s, x: x / s["number"],
    "divided by a path's": lambda s, x: s["number"] / (jnp.abs(x) + 0.1),
    "whole powers": lambda s, x: (x**2, x**3, jnp.abs(x + 3.0) ** -2),
    "rounding": lambda s, x: (jnp.round(x * 3.0), jnp.floor(x * 3.0), jnp.ceil(x * 3.0)),
    "signs": lambda s, x: (jnp.sign(x), -x, jnp.abs(x)),
    "finite": lambda s, x: jnp.isfinite(x / jnp.where(x > 0, x, 0.0)),
    "words": lambda s, x: lax.bitwise_xor((x * 1e6).astype(jnp.int32), jnp.int32(77)) >> 2,
    "unsigned words": lambda s, x: (jnp.abs(x) * 1e6).astype(jnp.uint32) >> jnp.uint32(3),
    "bits": lambda s, x: lax.bitcast_convert_type(lax.bitcast_convert_type(x, jnp.uint32) ^ 1, FLOAT),
    "one of three": lambda s, x: lax.select_n((jnp.abs(x) * 2).astype(jnp.int32).clip(0, 2), x, -x, x * x),
    "quantile of a normal": lambda s, x: normal_of((jnp.abs(x) * 1e9).astype(jnp.uint32)),
    "nothing of the path": lambda s, x: s["matrix"],
    "nothing times nothing": lambda s, x: s["none"] @ x[:0] + x[:9],
    "nothing picked": lambda s, x: x[s["no rows"]] * 2.0,
    "nothing added": lambda s, x: x.at[s["no rows"]].add(x[:0]),
    "nothing added up": lambda s, x: (jnp.sum(x[:0]), jnp.max(x[:0], initial=0.0), jnp.any(x[:0] > 0)),
    "nothing beside a path's": lambda s, x: jnp.concatenate([s["none"][0], x, x[:0]]) * x[0],
    "products of nothing": lambda s, x: (jnp.outer(x[:0], x) @ x, jnp.outer(x, x[:0]).sum(1)),
    "months": months,
    "swapped": swapped,
    "backwards": backwards,
}


def function(shared, path, x):
    """All of them, and what a path's number gives."""
    wide = (
        path >> 32,
        path.astype(jnp.uint32),
        (path & 1) == 1,
        (path >> 32).astype(jnp.uint32) << jnp.uint32(3),
    )
    return {name: each(shared, x) for name, each in FUNCTIONS.items()} | {"path": wide}


SHAPES = (jax.ShapeDtypeStruct((), jnp.int64), jax.ShapeDtypeStruct((9,), FLOAT))
"""Of a path's number and of its x."""


def results_of(kernel):
    """What the kernel and what JAX give."""
    x = np.random.default_rng(5).normal(size=(9, N)).astype(np.float32)
    ids = np.arange(N, dtype=np.int64) + (5 << 32)
    made = jax.jit(lambda *given: kernel(kernel.tables(given[0]), *given[1:]))(SHARED, ids, x)
    expected = jax.jit(lambda *given: batch_last(function, *given, batched=(False, True, True)))
    return made, expected(jax.tree.map(jnp.asarray, SHARED), ids, x)


def assert_agree(own, wanted):
    """To a few roundings of the largest term: sums add in another order."""
    for mine, theirs in zip(jax.tree.leaves(own), jax.tree.leaves(wanted), strict=True):
        assert mine.shape == theirs.shape and mine.dtype == theirs.dtype
        mine, theirs = np.asarray(mine), np.asarray(theirs)
        if theirs.dtype == np.float32:
            scale = np.maximum(np.abs(theirs), 1.0)
            np.testing.assert_array_less(np.abs(mine - theirs) / scale, 64 * np.finfo(np.float32).eps)
        else:
            np.testing.assert_array_equal(mine, theirs)
