"""Pytrees as named arrays, of which only what differs from an empty one: most bins of a tally are empty."""

from typing import Any

import jax
import numpy as np

Arrays = dict[str, np.ndarray]


class Unreadable(ValueError):
    """Packed arrays are incomplete or do not fit; the text says which."""


def packed(tree: Any, empty: Any) -> Arrays:
    """Of each leaf of a pytree the flat places where it differs from that of an empty one, and its values.

    >>> packed({"a": np.array([0, 5, 0])}, {"a": np.zeros(3, int)})
    {"['a'] at": array([1]), "['a']": array([5])}
    """
    arrays: Arrays = {}
    for (name, leaf), blank in zip(named(tree), jax.tree.leaves(empty), strict=True):
        leaf = np.asarray(leaf)
        at = np.flatnonzero(leaf != np.asarray(blank))
        arrays |= {f"{name} at": at, name: leaf.ravel()[at]}
    return arrays


def unpacked(arrays: Arrays, empty: Any) -> Any:
    """The pytree again, its leaves as NumPy arrays; raises `Unreadable` where the arrays do not fit."""
    leaves = []
    for name, blank in named(empty):
        leaf = np.array(blank)
        try:
            at, values = arrays[f"{name} at"], arrays[name]
            if values.dtype != leaf.dtype:
                raise TypeError(f"{values.dtype} there, {leaf.dtype} here")
            if at.ndim != 1 or at.shape != values.shape:
                raise ValueError(f"{values.shape} values at {at.shape} places")
            if at.size and at.min() < 0:
                raise IndexError("a place before the first")
            np.put(leaf, at, values, mode="raise")
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Unreadable(f"the saved {name or 'leaf'} does not fit this run ({error})") from None
        leaves.append(leaf)
    return jax.tree.unflatten(jax.tree.structure(empty), leaves)


def named(tree: Any) -> list[tuple[str, Any]]:
    """The leaves of a pytree with their names."""
    return [(jax.tree_util.keystr(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]
