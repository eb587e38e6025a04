"""Precision of the whole engine, and arithmetic that all its parts share."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

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


KERNEL: contextvars.ContextVar[bool] = contextvars.ContextVar("kernel", default=False)


@contextlib.contextmanager
def for_a_kernel() -> Iterator[None]:
    """What is traced inside becomes a kernel, which adds in the order of the program on every device."""
    before = KERNEL.set(True)
    try:
        yield
    finally:
        KERNEL.reset(before)


def adds_in_order() -> bool:
    """Whether entries added to rows are added in a certain order: on a CPU, and in a kernel."""
    return KERNEL.get() or jax.default_backend() == "cpu"


def traced(*values: Any) -> bool:
    """Whether any of the values, or of what they hold, is being traced by jit or vmap."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def require_double_precision() -> None:
    """Raise RuntimeError where tallies would lose paths, or a GPU would round the factors of products.

    Without float64 JAX turns int64 into int32 and float64 into float32 in silence.
    """
    double, full = jax.enable_x64.value, jax.default_matmul_precision.value in ("highest", "float32")
    if double and (full or jax.default_backend() == "cpu"):
        return
    setting = "jax_default_matmul_precision is not highest" if double else "float64 is off"
    raise RuntimeError(
        f"{setting} in JAX: call engine.run.host.prepare_devices() before the first use of JAX, "
        "or run inside `with engine.numerics.double_precision():`"
    )


def indicator(condition: Bool[Array, "*shape"]) -> Float[Array, "*shape"]:
    """1 where a condition holds and 0 elsewhere, in float32."""
    return condition.astype(jnp.float32)


def ratio(
    numerator: Float[Array, "*shape"], denominator: Float[Array, "*shape"], otherwise: float
) -> Float[Array, "*shape"]:
    """numerator / denominator where the latter is positive, `otherwise` elsewhere.

    Example:
        >>> ratio(jnp.float32([1.0, 1.0]), jnp.float32([4.0, 0.0]), 1.0).tolist()
        [0.25, 1.0]
    """
    positive = denominator > 0.0
    return jnp.where(positive, numerator / jnp.where(positive, denominator, 1.0), otherwise)


def all_finite(tree: Any) -> Bool[Array, ""]:
    """Whether every float of a pytree is finite. NaN and infinity survive a sum, so one a shape is enough.

    >>> bool(all_finite({"a": jnp.ones(2)})), bool(all_finite([jnp.ones(2), jnp.nan * jnp.ones(2)]))
    (True, False)
    """
    sums: dict[tuple[int, ...], Array] = {}
    for leaf in jax.tree.leaves(tree):
        if jnp.issubdtype(leaf.dtype, jnp.floating):
            leaf = leaf.astype(jnp.float32)
            sums[leaf.shape] = sums[leaf.shape] + leaf if leaf.shape in sums else leaf
    return jnp.isfinite(sum((jnp.sum(each) for each in sums.values()), start=jnp.zeros((), jnp.float32)))
