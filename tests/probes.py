"""Every public function with every argument wrong in every way: `python -m tests.probes`.

Prints as JSON how many calls were tried and which slip through.

Run in a process of its own, since the tests' import hook would refuse wrong types before the functions do. A
call must raise a ValueError that names the argument; numbers in another container must change nothing.
"""

import dataclasses
import json
import warnings

import numpy as np
import pandas as pd

from tests.public_calls import calls, frame_of

NAMES = ["a", "b", "c"]


SCALARS_AS_ARRAYS = {
    "vasicek_cdf", "vasicek_quantile", "basel_correlation", "basel_capital", "basel_risk_weight",
    "tranche_loss", "RogersVeraart", "portfolio_tail levels", "sample_gibbs",
}  # fmt: skip
"""Calls whose scalar arguments may be arrays too, so that [x, x] is no fault."""


def refusals(name: str, function, given: dict, kinds: dict) -> tuple[int, list[str]]:
    """How many wrong calls were tried, and those that were not refused by the argument's name."""
    tried, slips = 0, []
    for argument, kind in kinds.items():
        for value in kind.bad(given[argument]):
            if name in SCALARS_AS_ARRAYS and isinstance(value, list):
                continue
            if name == "joint_migration" and shape_of(value) == (2,):  # of another rating system
                continue
            tried += 1
            try:
                function(**given | {argument: value})
                outcome = "no error"
            except ValueError as error:
                # Of two lengths that differ either may be called the wrong one.
                names = given if shape_of(value) not in ((), shape_of(given[argument])) else [argument]
                if any(each in str(error) for each in names):
                    continue
                outcome = f"ValueError without the name: {error}"
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"
            slips.append(f"{name}({argument}={value!r:.60}): {outcome:.150}")
    return tried, slips


def shape_of(value: object) -> tuple[int, ...]:
    """Shape of an array, () of what is none."""
    try:
        return np.shape(value)
    except ValueError:
        return ()


def fields_of(value: object) -> list[str]:
    """Fields of a result that are results."""
    return [field.name for field in dataclasses.fields(value) if field.name != "labels"]


def leaves(value: object) -> list[np.ndarray]:
    """All numbers of a result."""
    if dataclasses.is_dataclass(value):
        return [leaf for name in fields_of(value) for leaf in leaves(getattr(value, name))]
    if isinstance(value, tuple | list):
        return [leaf for each in value for leaf in leaves(each)]
    array = np.asarray(value)
    return [array] if array.dtype.kind in "iufb" else []


def containers(name: str, function, given: dict, kinds: dict) -> tuple[int, list[str]]:
    """The same numbers in another container must give the same result, labels in another order none."""
    tried, slips = 0, []
    arrays = [argument for argument, kind in kinds.items() if kind.array]
    want = leaves(function(**given)) if arrays else []
    for argument in arrays:
        values = np.asarray(given[argument], np.float64)
        forms = [values, values.astype(object), tuple(given[argument])]
        forms += [frame_of(values), frame_of(values).astype("Float64")] if values.ndim <= 2 else []
        for form in forms:
            tried += 1
            try:
                same = leaves(function(**given | {argument: form}))
                pairs = zip(same, want, strict=True)
                if all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs):
                    continue
                outcome = "another result"
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"
            slips.append(f"{name}({argument} as {type(form).__name__}): {outcome:.150}")
    vectors = [argument for argument in arrays if np.shape(given[argument]) == (3,)]
    if len(vectors) > 1 and name not in ("joint_migration",):
        tried += 1
        labelled = {argument: pd.Series(given[argument], NAMES) for argument in vectors}
        labelled[vectors[-1]] = labelled[vectors[-1]].iloc[::-1]
        try:
            function(**given | labelled)
            slips.append(f"{name}: labels of {vectors[-1]} in another order: no error")
        except ValueError as error:
            if "the label" not in str(error):
                slips.append(f"{name}: labels in another order: {error}")
    return tried, slips


def main() -> None:
    """Print how many probes there were, and the slips, as JSON."""
    warnings.simplefilter("ignore")
    tried, slips = 0, []
    for name, (function, given, kinds) in calls().items():
        for check in (refusals, containers):
            count, found = check(name, function, given, kinds)
            tried, slips = tried + count, slips + found
    print(json.dumps({"tried": tried, "slips": slips}))


if __name__ == "__main__":
    main()
