"""Arguments of public functions: one way to read them, and one sentence where they cannot be.

    name: got value, expected what          ValueError, with the first wrong entry as name[place]

Numbers come as Python numbers, lists, tuples, NumPy or JAX arrays, pandas Series and DataFrames. Text,
booleans, complex numbers, dates, missing values and masked entries are no numbers; nothing is rounded or
guessed. Amounts beyond 1e100 are refused, whose squares float64 could not hold.
"""

import decimal
import math
import numbers as kinds
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np
from jaxtyping import Float64

Numbers = Float64[np.ndarray, "..."]

MOST = 1e100
"""The largest number there is, in any unit."""

TINY = float(np.finfo(np.float64).tiny)
"""The lowest a positive amount can be."""

SEEDS = 2**64 - 1
"""The largest seed."""


def refuse(name: str, value: object, expected: str) -> NoReturn:
    """Raise the ValueError of an argument: name, value, what was expected.

    >>> refuse("level", 99, "a number between 0 and 1")
    Traceback (most recent call last):
    ValueError: level: got 99, expected a number between 0 and 1
    """
    raise ValueError(f"{name}: got {shown(value)}, expected {expected}")


def shown(value: object) -> str:
    """A value as a message shows it: numbers plainly, anything else as Python does, cut after 60 letters."""
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def numbers(name: str, value: Any) -> Numbers:
    """`value` as a float64 array of its own shape; NaN and infinity pass, for `within` to refuse.

    Raises ValueError for what is not a number or a rectangular array of numbers.

    >>> numbers("pd", (1, 2)).tolist()
    [1.0, 2.0]
    >>> numbers("pd", [0.1, "0.2"])
    Traceback (most recent call last):
    ValueError: pd: got [0.1, '0.2'], expected numbers
    """
    if _is_pandas(value):
        value = value.to_numpy()
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        refuse(name, value, "numbers without masked entries")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        refuse(name, value, "numbers in rows of one length")
    if array.dtype == object:
        array = _from_objects(name, array)
    if array.dtype.kind not in "iuf":
        if not array.size and array.ndim:
            return np.zeros(array.shape)
        refuse(name, value, "numbers" if array.ndim else "a number")
    return array.astype(np.float64)


def within(name: str, array: Numbers, low: float = -np.inf, high: float = np.inf) -> Numbers:
    """`array` again; ValueError naming the first entry that is not finite or outside [low, high].

    >>> within("recovery", np.array([0.4, 1.2]), 0.0, 1.0)
    Traceback (most recent call last):
    ValueError: recovery[1]: got 1.2, expected a number from 0 to 1
    """
    bad = np.argwhere(~((array >= max(low, -MOST)) & (array <= min(high, MOST))))
    if len(bad):
        entry = array[tuple(bad[0])]
        refuse(f"{name}{_place(bad[0])}", entry, f"a number {limits(low, high, float(entry))}")
    return array


def limits(low: float, high: float, entry: float = math.nan) -> str:
    """The range [low, high] in words, as seen from an entry outside it."""
    if low <= entry <= high:
        return f"from {max(low, -MOST):g} to {min(high, MOST):g}"
    if np.isfinite(low) and np.isfinite(high):
        return f"from {low:g} to {high:g}"
    if np.isfinite(low):
        return "above 0" if low == TINY else f"at least {low:g}"
    return f"at most {high:g}" if np.isfinite(high) else "that is finite"


def number(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> float:
    """One number in [low, high]; ValueError otherwise."""
    array = numbers(name, value)
    if array.shape:
        refuse(name, value, "one number")
    return float(within(name, array, low, high))


def between(name: str, value: Any, low: float, high: float) -> float:
    """One number in the open interval (low, high); ValueError otherwise."""
    array = numbers(name, value)
    if array.shape or not low < array < high:
        refuse(name, value, f"a number between {low:g} and {high:g}")
    return float(array)


def level(name: str, value: Any) -> float:
    """A confidence level in (0, 1); ValueError otherwise.

    >>> level("level", 0.99)
    0.99
    """
    return between(name, value, 0.0, 1.0)


def levels(name: str, value: Any) -> tuple[float, ...]:
    """One or more levels in (0, 1); ValueError otherwise."""
    array = np.atleast_1d(numbers(name, value))
    if array.ndim != 1 or not len(array) or not ((array > 0.0) & (array < 1.0)).all():
        refuse(name, value, "numbers between 0 and 1")
    return tuple(array.tolist())


def share(name: str, value: Any) -> float:
    """One number in [0, 1]; ValueError otherwise."""
    array = numbers(name, value)
    if array.shape or not 0.0 <= array <= 1.0:
        refuse(name, value, "a share in [0, 1]")
    return float(array)


def positive(name: str, value: Any) -> float:
    """One number above 0; ValueError otherwise."""
    array = numbers(name, value)
    if array.shape or not 0.0 < array <= MOST:
        refuse(name, value, "a positive number")
    return float(array)


def count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number from `least` to `most`, also as 1e5; ValueError otherwise.

    >>> count("paths", 1e5)
    100000
    """
    number = whole(name, value)
    if number < least or (most is not None and number > most):
        between = f"a whole number from {least} to {most}"
        refuse(name, value, f"at least {least}" if most is None else between)
    return number


def whole(name: str, value: Any) -> int:
    """A whole number of any size, also as 1e5; ValueError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    array = numbers(name, value)
    if array.shape or not np.isfinite(array) or array != np.rint(array):
        refuse(name, value, "a whole number")
    return int(array)


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """One of some words; ValueError otherwise."""
    options = tuple(choices)
    if not isinstance(value, str) or value not in options:
        refuse(name, value, f"one of {', '.join(options)}")
    return value


def flag(name: str, value: Any) -> bool:
    """True or False; ValueError otherwise."""
    if not isinstance(value, bool | np.bool_):
        refuse(name, value, "True or False")
    return bool(value)


def vector(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> Float64[np.ndarray, " n"]:
    """A vector of one or more numbers in [low, high]; ValueError otherwise."""
    array = numbers(name, value)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name}: got shape {array.shape}, expected a vector of one number or more")
    return within(name, array, low, high)


def fits(name: str, array: Numbers, *shapes: tuple[int, ...]) -> Numbers:
    """`array` again; ValueError unless it has one of the shapes, () being one number for all."""
    if array.shape not in shapes:
        sizes = " or ".join("one number" if not shape else str(shape) for shape in shapes)
        raise ValueError(f"{name}: got shape {array.shape}, expected {sizes}")
    return array


def square(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> Float64[np.ndarray, "n n"]:
    """A square matrix of numbers in [low, high], rows and columns of one name; ValueError otherwise."""
    array = numbers(name, value)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not len(array):
        raise ValueError(f"{name}: got shape {array.shape}, expected a square matrix")
    same_names((name, value, 0), (f"columns of {name}", value, 1))
    return within(name, array, low, high)


def same_names(*arguments: tuple[str, Any, int]) -> None:
    """Refuse pandas arguments (name, value, axis) whose labels along one common axis differ.

    Labels say what a row is about: the same obligors in another order are refused, not sorted. An index
    0, 1, 2, ... beside one of other things than whole numbers says nothing.

    >>> import pandas as pd
    >>> pd_, lgd = pd.Series([0.1, 0.2], ["a", "b"]), pd.Series([0.4, 0.5], ["b", "a"])
    >>> same_names(("pd", pd_, 0), ("lgd", lgd, 0))
    Traceback (most recent call last):
    ValueError: lgd: got the label 'b' at 0, expected 'a', the label in pd
    """
    labelled = [(name, value.axes[axis]) for name, value, axis in arguments if _has_labels(value, axis)]
    named = [pair for pair in labelled if not _is_positions(pair[1])]
    wholes = bool(named) and all(index.dtype.kind in "iu" for _, index in named)
    compared = labelled if wholes else named
    for name, index in compared[1:]:
        first, labels = compared[0]
        for place, (own, label) in enumerate(zip(index, labels, strict=False)):
            if own != label:
                expected = f"{shown(label)}, the label in {first}"
                raise ValueError(f"{name}: got the label {shown(own)} at {place}, expected {expected}")


def names_along(axis: int = 0, **arguments: Any) -> None:
    """`same_names` of arguments by name, all along the same axis."""
    same_names(*((name, value, axis) for name, value in arguments.items()))


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "to_numpy")


def _has_labels(value: Any, axis: int) -> bool:
    return _is_pandas(value) and hasattr(value, "axes") and len(value.axes) > axis


def _is_positions(index: Any) -> bool:
    return index.dtype.kind in "iu" and np.array_equal(np.asarray(index), np.arange(len(index)))


def _place(at: Sequence[int] | np.ndarray) -> str:
    return f"[{', '.join(map(str, at))}]" if len(at) else ""


def _from_objects(name: str, array: np.ndarray) -> Numbers:
    """Python objects as float64; ValueError naming the first that is no number."""
    out = np.empty(array.shape)
    for at, each in np.ndenumerate(array):
        if isinstance(each, bool | np.bool_) or not isinstance(each, kinds.Real | decimal.Decimal):
            refuse(f"{name}{_place(at)}", each, "a number")
        try:
            out[at] = float(each)
        except OverflowError:
            out[at] = math.inf
    return out
