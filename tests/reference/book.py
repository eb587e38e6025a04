"""The System as plain float64 arrays, integers and numbers, whatever it was made of."""

from types import SimpleNamespace

import numpy as np

TABLES = ("economy", "chips", "firms", "contracts", "loans", "pools", "lenders", "paper", "calendar")
GROUPS = ("economy", "chips", "contracts", "credit", "lenders", "mechanisms", "policy")


FIRMS_FIRST = ("capex_contract", "cross_default")
"""Memberships that the reference reads by firm, then by what the firm belongs to."""


def plain_value(name, value):
    """A string as it is, integers as int64, everything else as float64; scalars as Python numbers."""
    if isinstance(value, str):
        return value
    if hasattr(value, "matrix"):
        value = np.transpose(value.matrix) if name in FIRMS_FIRST else value.matrix
    array = np.asarray(value)
    array = array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)
    return array.item() if array.ndim == 0 else array


def plain_number(value):
    """A parameter: a string, a float, or a float64 array."""
    if isinstance(value, str):
        return value
    array = np.asarray(value, dtype=np.float64)
    return array.item() if array.ndim == 0 else array


def once(book, name, derive):
    """`derive()`, a matter of the book alone, worked out once for a path."""
    memory = vars(book).setdefault("memory", {})
    if name not in memory:
        memory[name] = derive()
    return memory[name]


def plain(system) -> SimpleNamespace:
    """Read a System-like object by its field names; the result keeps the names."""
    book = SimpleNamespace(numbers=SimpleNamespace())
    for group in GROUPS:
        fields = vars(getattr(system.numbers, group))
        values = {name: plain_number(value) for name, value in fields.items()}
        setattr(book.numbers, group, SimpleNamespace(**values))
    for table in TABLES:
        fields = vars(getattr(system, table))
        values = {name: plain_value(name, value) for name, value in fields.items()}
        setattr(book, table, SimpleNamespace(**values))
    return book
