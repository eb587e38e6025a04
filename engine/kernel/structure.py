"""Primitives that rearrange elements: NumPy does to codes what JAX does to values."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.kernel.program import Equation, Unsupported

Rule = Callable[[Equation, Sequence[np.ndarray]], Sequence[np.ndarray]]


def broadcast_in_dim(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Elements repeated along new axes."""
    shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
    narrow = [1] * len(shape)
    for axis, place in enumerate(places):
        narrow[place] = views[0].shape[axis]
    return [np.broadcast_to(views[0].reshape(narrow), shape)]


def shape_of_result(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Elements in order, in another shape."""
    return [views[0].reshape(equation.results[0].shape)]


def slicing(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Elements from a start to a limit, by strides."""
    params = equation.params
    strides = params["strides"] or (None,) * views[0].ndim
    return [views[0][tuple(map(slice, params["start_indices"], params["limit_indices"], strides))]]


def transpose(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Axes in another order."""
    return [views[0].transpose(equation.params["permutation"])]


def reverse(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Elements of some axes from the last to the first."""
    return [np.flip(views[0], equation.params["dimensions"])]


def concatenate(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Arrays one after another along an axis."""
    return [np.concatenate(views, axis=equation.params["dimension"])]


def pad(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """An array spread out in one of a single value; negative padding cuts its ends off."""
    view, value = views
    result = np.full(equation.results[0].shape, value.item(), np.int64)
    places = [
        low + (1 + between) * np.arange(size)
        for (low, _, between), size in zip(equation.params["padding_config"], view.shape, strict=True)
    ]
    inside = [(at >= 0) & (at < size) for at, size in zip(places, result.shape, strict=True)]
    result[np.ix_(*(at[own] for at, own in zip(places, inside, strict=True)))] = view[np.ix_(*inside)]
    return [result]


def stack(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Arrays along a new axis."""
    return [np.stack(views, axis=equation.params["axis"])]


def unstack(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The parts along an axis, without it."""
    return [np.asarray(part) for part in np.moveaxis(views[0], equation.params["axis"], 0)]


def split(equation: Equation, views: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Parts of given sizes along an axis."""
    ends = np.cumsum(equation.params["sizes"])[:-1]
    return np.split(views[0], ends, axis=equation.params["axis"])


def unchanged(equation: Equation, views: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    """The operands: what keeps XLA from reordering says nothing to a kernel."""
    return views


STRUCTURE: dict[str, Rule] = {
    "broadcast_in_dim": broadcast_in_dim,
    "reshape": shape_of_result,
    "squeeze": shape_of_result,
    "expand_dims": shape_of_result,
    "slice": slicing,
    "transpose": transpose,
    "rev": reverse,
    "concatenate": concatenate,
    "pad": pad,
    "stack": stack,
    "unstack": unstack,
    "split": split,
    "optimization_barrier": unchanged,
}


def leading_rows(indices: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...], mode: Any) -> np.ndarray:
    """Flat positions, over the leading axes of a shape, of the rows that indices [... axes] name.

    Raises Unsupported for other axes and for indices out of bounds that are not clipped.
    """
    if axes != tuple(range(len(axes))):
        raise Unsupported(f"indices along axes {axes}: only leading ones")
    limits = np.array(shape[: len(axes)], np.int64)
    indices = indices.astype(np.int64)
    if "CLIP" in str(mode):
        indices = np.clip(indices, 0, limits - 1)
    if (indices < 0).any() or (indices >= limits).any():
        raise Unsupported(f"indices out of bounds of shape {shape}")
    return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(indices, -1, 0)), tuple(limits.tolist())))


def gather(equation: Equation, view: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Whole rows by constant indices."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    axes, shape = tuple(numbers.start_index_map), view.shape
    batch = indices.ndim - 1
    trailing = tuple(range(batch, batch + len(shape) - len(axes)))
    whole_rows = tuple(sizes) == (1,) * len(axes) + shape[len(axes) :]
    if numbers.collapsed_slice_dims != axes or not whole_rows or numbers.offset_dims != trailing:
        raise Unsupported(f"gather {numbers}: only whole rows")
    rows = leading_rows(indices, shape, axes, equation.params["mode"])
    return np.asarray(view.reshape(-1, *shape[len(axes) :])[rows])


def scatter_rows(equation: Equation, shape: tuple[int, ...], indices: np.ndarray) -> np.ndarray:
    """Flat position in the operand of every element of the updates, whole rows by constant indices."""
    numbers = equation.params["dimension_numbers"]
    axes = tuple(numbers.scatter_dims_to_operand_dims)
    batch = indices.ndim - 1
    trailing = tuple(range(batch, batch + len(shape) - len(axes)))
    if numbers.inserted_window_dims != axes or numbers.update_window_dims != trailing:
        raise Unsupported(f"{equation.name} {numbers}: only whole rows")
    rows = leading_rows(indices, shape, axes, equation.params["mode"])
    flat = np.arange(math.prod(shape), dtype=np.int64).reshape(-1, *shape[len(axes) :])
    return np.asarray(flat[rows])
