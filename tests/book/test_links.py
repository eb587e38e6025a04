"""Matrices kept as entries or as one index a column are the matrices that they stand for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.batch.path_last import batch_last
from engine.book.arrays import floats
from engine.book.links import Links, dense, links, of_first, shares_of, some_rows
from engine.book.membership import membership

SIZES = [(1, 1), (3, 5), (7, 4), (40, 30)]


@pytest.fixture(params=SIZES, ids=str)
def matrix(request):
    """A third of the entries, of whole eighths so that sums are exact; the first row is empty."""
    rng = np.random.default_rng(3)
    entries = rng.integers(1, 9, request.param) / 8.0
    some = rng.random(request.param) < 0.3
    some[0] = False
    return np.where(some, entries, 0.0)


def test_a_product_is_that_of_the_matrix(matrix):
    found = links(matrix)
    x = np.arange(1.0, matrix.shape[1] + 1.0)
    assert found.shape == matrix.shape
    np.testing.assert_array_equal(found.matrix, matrix)
    np.testing.assert_array_equal(found @ jnp.float32(x), matrix @ x)


def test_some_rows_are_those_of_the_matrix(matrix):
    found = links(matrix)
    for rows in (slice(0), slice(2), slice(1, None), slice(2, 4), slice(3, None)):
        assert found[rows].shape == matrix[rows].shape
        np.testing.assert_array_equal(found[rows].matrix, matrix[rows])


def test_many_paths_at_once(matrix):
    found = links(matrix)
    x = np.arange(1.0, 4.0 * matrix.shape[1] + 1.0).reshape(matrix.shape[1], 4)
    product = jax.jit(lambda found, x: batch_last(lambda m, v: m @ v, found, x, batched=(False, True)))
    np.testing.assert_array_equal(product(found, jnp.float32(x)), matrix @ x)
    np.testing.assert_array_equal(
        jax.vmap(found.__matmul__, in_axes=1, out_axes=1)(jnp.float32(x)), matrix @ x
    )


def test_a_gpu_multiplies_the_same_matrices(matrix, monkeypatch):
    members = membership(["b", "", "a", "b"], ("a", "b"), [1.0, 0.5, 0.25, 2.0])
    x, y = jnp.float32([1, 2, 3, 4]), jnp.arange(1, matrix.shape[1] + 1, dtype=jnp.float32)
    ours = members @ x, links(matrix) @ y, links(matrix)[2:] @ y
    np.testing.assert_array_equal(ours[0], [0.75, 9.0])
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    np.testing.assert_array_equal(members @ x, ours[0])
    np.testing.assert_array_equal(links(matrix) @ y, ours[1])
    np.testing.assert_array_equal(links(matrix)[2:] @ y, ours[2])


def test_products_can_be_differentiated(matrix):
    found, x = links(matrix), jnp.ones(matrix.shape[1], jnp.float32)
    np.testing.assert_array_equal(jax.grad(lambda x: jnp.sum(found @ x))(x), matrix.sum(axis=0))
    slope = jax.grad(lambda share: jnp.sum(links_with(found, share) @ x))(found.share)
    np.testing.assert_array_equal(slope, np.ones(len(found.share)))


def test_a_product_from_the_left_is_that_of_the_matrix(matrix, monkeypatch):
    y = jnp.arange(1, matrix.shape[0] + 1, dtype=jnp.float32)
    found = links(matrix)
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        np.testing.assert_array_equal(y @ found, np.asarray(y) @ matrix)


def test_few_rows_and_first_columns_are_those_of_the_matrix(matrix):
    rows, first = [len(matrix) - 1, 0, 0], (matrix.shape[1] + 1) // 2
    x = jnp.arange(1, first + 1, dtype=jnp.float32)
    for shares in (links(matrix), floats(matrix)):
        np.testing.assert_array_equal(some_rows(shares, rows), matrix[rows])
        np.testing.assert_array_equal(of_first(shares, x), matrix[:, :first] @ np.asarray(x))
        np.testing.assert_array_equal(dense(shares), matrix)


def test_a_matrix_with_few_entries_is_stored_as_these():
    one, many = np.zeros((20, 20)), np.ones((20, 20))
    one[3, 4] = 0.5
    assert isinstance(shares_of(one), Links) and not isinstance(shares_of(many), Links)


def links_with(found, share):
    """The same entries with other shares."""
    return type(found)(found.column, share, found.starts, found.columns)
