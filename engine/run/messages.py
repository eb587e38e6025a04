"""Messages between processes as bytes: JSON, or plain arrays by name. Nothing in one is ever executed.

    message = length of the head (4 bytes), head (JSON), zlib of the arrays' bytes one after another
    head    = {"value": ...} or {"arrays": [[name, dtype, shape], ...]}

Every length is checked before memory is taken for it.
"""

import json
import math
import zlib
from typing import Any

import numpy as np

from engine.run.packing import Arrays, Unreadable

MOST_BYTES = 2**30
"""Bytes of all arrays of one message; the tally of the shipped book has some 40 million."""

MOST_HEAD = 2**20
"""Bytes of a head."""

MOST_AXES = 8
KINDS = "biuf"
"""Kinds of NumPy's dtypes that travel: booleans, integers, floats."""


def encoded(value: Any) -> bytes:
    """A JSON value, or arrays by name, as a message.

    Raises `Unreadable` for arrays of other kinds than booleans, integers and floats, and beyond the limits;
    TypeError for what JSON cannot say.

    >>> decoded(encoded({"a": np.arange(3)}))
    {'a': array([0, 1, 2])}
    >>> decoded(encoded([7, None, "seven"]))
    [7, None, 'seven']
    """
    if not is_arrays(value):
        return framed({"value": value}, b"")
    arrays = {name: np.ascontiguousarray(array) for name, array in value.items()}
    specs = [[name, array.dtype.str, list(np.shape(value[name]))] for name, array in arrays.items()]
    checked_size(specs)
    return framed({"arrays": specs}, b"".join(array.tobytes() for array in arrays.values()))


def framed(head: dict[str, Any], body: bytes) -> bytes:
    """Head and body as one message."""
    text = json.dumps(head).encode()
    if len(text) > MOST_HEAD:
        raise Unreadable(f"a message's head has {len(text):,} bytes, expected at most {MOST_HEAD:,}")
    return len(text).to_bytes(4) + text + zlib.compress(body, level=1)


def decoded(message: bytes) -> Any:
    """The value of a message; raises `Unreadable` unless it is whole and within the limits."""
    size = int.from_bytes(message[:4])
    if size > min(MOST_HEAD, len(message) - 4):
        raise Unreadable(f"a message of {len(message):,} bytes with a head of {size:,}")
    try:
        head = json.loads(message[4 : 4 + size])
        if "value" in head:
            return head["value"]
        specs = head["arrays"]
        count = checked_size(specs)
        body = inflated(message[4 + size :], count)
    except Unreadable:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error) as error:
        raise Unreadable(f"a message that is no message ({type(error).__name__}: {error})") from None
    return arrays_of(specs, body)


def checked_size(specs: list[list[Any]]) -> int:
    """Bytes of all arrays of a head; raises `Unreadable` for names, dtypes and shapes that are none."""
    total = 0
    for name, text, shape in specs:
        dtype = np.dtype(text) if isinstance(text, str) else np.dtype(object)
        if not isinstance(name, str) or dtype.kind not in KINDS or dtype.str != text:
            raise Unreadable(f"array {str(name)[:100]!r} of type {str(text)[:100]!r}, expected numbers")
        axes_valid = all(type(length) is int and length >= 0 for length in shape)
        if not axes_valid or len(shape) > MOST_AXES:
            raise Unreadable(f"array {name[:100]!r} of shape {str(shape)[:100]}, expected whole numbers")
        total += dtype.itemsize * math.prod(shape)
        if total > MOST_BYTES:
            raise Unreadable(f"arrays of more than {MOST_BYTES:,} bytes in one message")
    return total


def inflated(body: bytes, count: int) -> bytes:
    """The `count` bytes that a compressed body stands for; raises `Unreadable` for more or fewer."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(body, count + 1)
    if len(plain) != count or not inflater.eof or inflater.unused_data:
        raise Unreadable(f"arrays of {count:,} bytes were announced, and others came")
    return plain


def arrays_of(specs: list[list[Any]], body: bytes) -> Arrays:
    """The arrays of a checked head from their bytes."""
    arrays, at = {}, 0
    for name, text, shape in specs:
        size = np.dtype(text).itemsize * math.prod(shape)
        arrays[name] = np.frombuffer(body[at : at + size], np.dtype(text)).reshape(shape).copy()
        at += size
    return arrays


def is_arrays(value: Any) -> bool:
    """Whether a value is arrays by name, rather than JSON."""
    return isinstance(value, dict) and bool(value) and all(isinstance(a, np.ndarray) for a in value.values())
