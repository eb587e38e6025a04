"""Two runs that should be one: where their tables, summaries and origins differ, bit by bit."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from engine.results.folder import Results, read_results

SESSION = ("run", "command", "commit", "timing", "device", "processes", "platform", "versions", "sources")
"""Entries of a summary that tell one session from another."""

SECONDS = ("seconds",)
"""Entries within others that are the clock's."""

MADE = ("sources", "versions", "device", "platform")
"""Entries that say by what and on what a result was computed."""


def differences(before: pathlib.Path, after: pathlib.Path) -> list[str]:
    """Where the results of two run folders differ, a line each; empty where all bits are the same.

    Raises FileNotFoundError where a folder holds no summary.
    """
    theirs, ours = read_results(before), read_results(after)
    lines = [line for name in all_names(theirs, ours) for line in of_tables(name, theirs, ours)]
    return lines + of_documents(session_free(dict(theirs.summary)), session_free(dict(ours.summary)), "")


def all_names(theirs: Results, ours: Results) -> list[str]:
    """Names of the tables of either."""
    return sorted(theirs.tables.keys() | ours.tables.keys())


def of_tables(name: str, theirs: Results, ours: Results) -> list[str]:
    """Where one table differs, a line a column."""
    if name not in theirs.tables or name not in ours.tables:
        return [f"{name}: a table that only {'this run' if name in ours.tables else 'that run'} has"]
    before, after = theirs.tables[name], ours.tables[name]
    if list(before.columns) != list(after.columns) or len(before) != len(after):
        there = f"{len(before)} rows of {len(before.columns)} columns there"
        return [f"{name}: {there}, {len(after)} of {len(after.columns)} here"]
    lines = [(column, of_columns(before[column], after[column])) for column in before.columns]
    return [f"{name}.{column}: {line}" for column, line in lines if line]


def of_columns(before: pd.Series, after: pd.Series) -> str:
    """How two columns of equal length differ, in words; empty where no bit does.

    >>> of_columns(pd.Series([1.0, 2.0, np.nan]), pd.Series([1.0, 2.0002, np.nan]))
    '1 of 3 values, by up to 1e-04 of their size'
    """
    if before.dtype != after.dtype:
        return f"{before.dtype} there, {after.dtype} here"
    if np.issubdtype(getattr(before.dtype, "type", object), np.floating):
        return of_floats(before.to_numpy(), after.to_numpy())
    unequal = ~((before == after) | (before.isna() & after.isna())).to_numpy(bool)
    return f"{unequal.sum()} of {len(before)} values" if unequal.any() else ""


def of_floats(a: np.ndarray, b: np.ndarray) -> str:
    """How two arrays of floats differ, zeros of either sign and infinities told apart."""
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return ""
    a, b = a[~same], b[~same]
    size = np.maximum(np.abs(a), np.abs(b))
    relative = np.divide(np.abs(a - b), size, out=np.zeros_like(size), where=np.isfinite(size) & (size > 0.0))
    known = np.isfinite(a) & np.isfinite(b)
    by = f", by up to {relative[known].max():.0e} of their size" if known.any() else ""
    return f"{(~same).sum()} of {len(same)} values{by}"


def session_free(document: Mapping[str, Any], top: bool = True) -> dict[str, Any]:
    """A summary without what tells one session from another."""
    left_out = SESSION if top else SECONDS
    return {
        key: session_free(value, False) if isinstance(value, Mapping) else value
        for key, value in document.items()
        if key not in left_out
    }


def of_documents(before: Any, after: Any, name: str) -> list[str]:
    """Where two documents differ, a line a value.

    >>> of_documents({"el": 1.0, "at": [1]}, {"el": 2.0, "at": [1]}, "5y")
    ['5y.el: 1.0 there, 2.0 here']
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        keys = [*before, *(key for key in after if key not in before)]
        pairs = [(f"{name}.{key}".lstrip("."), before.get(key), after.get(key)) for key in keys]
        return [line for key, a, b in pairs for line in of_documents(a, b, key)]
    return [] if before == after else [f"{name}: {before} there, {after} here"]


def origins(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """By what and on what two runs were computed, where that differs."""
    lines = []
    for name in MADE:
        a, b = before.get(name), after.get(name)
        if name == "sources" and a != b:
            lines.append("sources: another version of the engine's source code")
        else:
            lines += of_documents(a, b, name)
    return lines
