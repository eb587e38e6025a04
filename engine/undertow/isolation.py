"""JAX as a guest in a user's session: double precision within a call, NumPy results, no setting changed."""

import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import Any

from engine.run.host import prepare_devices


def prepare(devices: int | str = "auto") -> int:
    """Set up XLA for speed, in this process only: one host device a core, compiler flags, a compile cache.

    The first use of a name that needs JAX does this, unless JAX is imported already: then call it before JAX
    computes anything, since XLA reads its flags once. Without it runs warn and are some fifty times slower.

    Args: devices, their number, or `auto`. Returns the number of devices. Warns if it comes too late because
    JAX has already computed something.

    Flags and a cache folder that are set already stay, and float64 stays off outside Undertow's own calls.

    Example:
        >>> import undertow
        >>> undertow.prepare() >= 1
        True
    """
    return prepare_devices(devices, precision={})


def prepared() -> None:
    """`prepare` where JAX is not imported yet."""
    if "jax" not in sys.modules:
        prepare()


def isolated(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function in double precision whatever the session's settings, its results on the host."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        from engine.numerics import double_precision

        with double_precision():
            return on_host(function(*arguments, **options))

    return call


def on_host(value: Any) -> Any:
    """A value with all of its JAX arrays as NumPy arrays."""
    import jax
    import numpy as np

    if dataclasses.is_dataclass(value) and not isinstance(value, type) and jax.tree.leaves(value) == [value]:
        changes = {field.name: on_host(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return dataclasses.replace(value, **changes)
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, value)
