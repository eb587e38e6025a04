"""The precision on which every floor rests, and small pieces of arithmetic that all write the same way."""

import contextlib
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


@contextlib.contextmanager
def double_precision() -> Iterator[None]:
    """float64 and products of matrices in full precision, inside this block only.

    >>> with double_precision():
    ...     jnp.asarray([0.1]).dtype
    dtype('float64')
    """
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        yield


def indicator(condition: Bool[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 where a condition holds and 0 elsewhere, in float32."""
    return condition.astype(jnp.float32)
