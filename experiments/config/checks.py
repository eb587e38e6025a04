"""What a task needs of the configuration beside what every run needs."""

import dataclasses
import math
import pathlib
import re

from engine.book.checks.problems import expected
from engine.book.parameters import Mechanisms, Policy
from experiments.config.schema import Calibrate, Config, Greeks, ReverseStress, Search, Validate

LEVERS = tuple(
    field.name.removesuffix("_month") for field in dataclasses.fields(Policy) if field.name.endswith("_month")
)
"""Levers of policy, as in `engine.vocabulary`, which would import JAX before its devices are prepared."""

PAIRED = ("policy", "attribution", "greeks", "calibrate")
"""Tasks that compare variants path by path, whose errors need independent paths."""


def whole(value: object) -> int | None:
    """The whole number a value stands for, or None."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
        return int(value) if isinstance(value, int) else int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None


def whole_problems(group: str, held: object, bounds: dict[str, tuple[int, int, int]]) -> list[str]:
    """Turn numbers of a group into whole ones, 1e6 and '1e6' alike; those out of bounds are problems.

    `bounds` has the least, the most and what it must be a multiple of, by key.
    """
    found = []
    for key, (low, high, step) in bounds.items():
        value = whole(getattr(held, key))
        if value is None or not low <= value <= high or value % step:
            kind = "a whole number" if step == 1 else f"a multiple of {step}"
            found.append(expected(f"{group}.{key}", getattr(held, key), f"{kind} from {low} to {high:,}"))
        else:
            setattr(held, key, value)
    return found


def pulled(policy: Policy, months: int) -> tuple[str, ...]:
    """Levers of policy that are dated within the run."""
    return tuple(name for name in LEVERS if 0.0 < getattr(policy, f"{name}_month") <= months)


def switched_on(mechanisms: Mechanisms) -> tuple[str, ...]:
    """Mechanisms that act at all."""
    return tuple(name for name, switch in dataclasses.asdict(mechanisms).items() if switch > 0.0)


def paired_problems(config: Config) -> list[str]:
    """A comparison needs something to compare, and paths that are independent for its errors."""
    found, months, task = [], config.run.months, config.task.name
    if task == "policy" and isinstance(months, int) and not pulled(config.policy, months):
        wanted = f"at least one above 0 and at most run.months = {months}, as in policy=all"
        found.append(expected("policy.*_month", 0.0, wanted))
    if task == "attribution" and not switched_on(config.mechanisms):
        found.append(expected("mechanisms", "none", "at least one that is on, as in mechanisms=base"))
    if config.sampler.name != "pseudo_random":
        found.append(expected("sampler.name", config.sampler.name, f"pseudo_random where task={task}"))
    return found


WHOLE_GREEKS = {
    "paths": (512, 2**20, 512),
    "checked": (0, 20, 1),
    "drawn": (0, 20, 1),
    "ranges": (0, 200, 1),
    "bumps": (1, 1024, 1),
}
"""Whole numbers of the greeks: least, most, multiple of; paths as its sections want them."""

MOST_CHECKED = 25
"""Numbers moved alone: with the six rates of the likelihood ratio fewer than the 32 sections of the error."""

LEAST_TAIL = 512
"""Paths of the first run in its tail, four in a quarter of the tail of each of the 32 sections."""

MOVED = ("economy", "chips", "contracts", "credit", "lenders")
"""Groups of parameters whose numbers are continuous."""


def greeks_problems(wanted: Greeks, paths) -> list[str]:
    """Turn the greeks' numbers into whole ones; what is wrong with them."""
    found = whole_problems("greeks", wanted, WHOLE_GREEKS)
    if not found and wanted.checked + wanted.drawn > MOST_CHECKED:
        held = wanted.checked + wanted.drawn
        found.append(expected("greeks.checked + greeks.drawn", held, f"at most {MOST_CHECKED}"))
    if not 0.0 < wanted.step <= 0.2:
        found.append(expected("greeks.step", wanted.step, "a share above 0 and at most 0.2"))
    if not wanted.groups or set(wanted.groups) - set(MOVED):
        found.append(expected("greeks.groups", wanted.groups, "some of " + ", ".join(MOVED)))
    if not 0.5 <= wanted.level < 1.0:
        found.append(expected("greeks.level", wanted.level, "a level from 0.5 and below 1"))
    elif isinstance(paths, int) and paths * (1.0 - wanted.level) < LEAST_TAIL * (1.0 - 1e-9):
        least = math.ceil(LEAST_TAIL / (1.0 - wanted.level) - 1e-6)
        found.append(expected("run.paths", paths, f"at least {least:,}, for {LEAST_TAIL} in the tail"))
    return found


MOST_SCENARIOS = 11
"""Kinds of scenario: a boom that lasts, or breaks in one of five years into a plateau or a bust."""


def stress_problems(wanted: ReverseStress, sampler: str) -> list[str]:
    """A target above nothing, a whole number of scenarios; turns both into numbers."""
    found = []
    target, count = number(wanted.target), number(wanted.scenarios)
    if target is None or not 0.0 < target < math.inf:
        found.append(expected("reverse_stress.target", wanted.target, "USD bn above 0, as in target=300"))
    if count is None or count != int(count) or not 1 <= count <= MOST_SCENARIOS:
        whole = f"a whole number from 1 to {MOST_SCENARIOS}"
        found.append(expected("reverse_stress.scenarios", wanted.scenarios, whole))
    if sampler != "pseudo_random":
        found.append(expected("sampler.name", sampler, "pseudo_random where task=reverse_stress"))
    if not found:
        wanted.target, wanted.scenarios = target, int(count)
    return found


WHOLE_SEARCH = {"trials": (1, 100_000, 1), "paths": (1024, 2**24, 256)}
"""Whole numbers of a search: least, most, multiple of."""


def search_problems(wanted: Search, sampler: str) -> list[str]:
    """Knobs with two ends, at least one objective, bounds with one end at least; ends become numbers."""
    found = whole_problems("search", wanted, WHOLE_SEARCH)
    if not wanted.knobs:
        found.append(expected("search.knobs", [], "at least one, as [[credit.contract_advance, 0.3, 0.7]]"))
    aims = [*wanted.maximise, *wanted.minimise]
    if not aims or len({*aims}) < len(aims):
        kind = "every result once" if aims else "at least one result, such as system.es_99"
        found.append(expected("search.maximise and search.minimise", aims, kind))
    found += ends_problems("search.knobs", wanted.knobs, "[name, lowest, highest], two rising numbers", 2)
    kind = "[result, least, most], two rising numbers of which one may be null"
    found += ends_problems("search.bounds", wanted.bounds, kind, 1)
    if sampler != "pseudo_random":
        found.append(expected("sampler.name", sampler, "pseudo_random where task=search"))
    return found


def ends_problems(name: str, rows: list, kind: str, least: int) -> list[str]:
    """Turn the ends of rows [name, low, high] into numbers; rows that are none, or have too few ends."""
    found, names = [], [row[0] for row in rows if isinstance(row, list) and row]
    for place, row in enumerate(rows):
        ends = [None if end is None else number(end) for end in row[1:]] if isinstance(row, list) else []
        given = [end for end in ends if end is not None and math.isfinite(end)]
        nulls = sum(end is None for end in row[1:]) if ends else 0
        if len(ends) != 2 or len(given) < least or len(given) + nulls < 2 or given != sorted({*given}):
            found.append(expected(f"{name}[{place}]", row, kind))
        else:
            rows[place] = [str(row[0]), *ends]
    if len({*names}) < len(names):
        found.append(expected(name, names, "every name once"))
    return found


def number(value: object) -> float | None:
    """The number a value stands for, or None."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def validate_problems(wanted: Validate, runs: int | None) -> list[str]:
    """Where numbers are read from must exist, and the number of runs be whole."""
    found = []
    if runs is None or not 0 <= runs <= 100_000:
        found.append(expected("validate.runs", wanted.runs, "a whole number from 0 to 100,000"))
    for key in ("oracles", "unshipped"):
        path = getattr(wanted, key)
        if path is not None and not pathlib.Path(path).is_dir():
            found.append(expected(f"validate.{key}", path, "a folder that exists"))
    if not wanted.document.endswith(".md"):
        found.append(expected("validate.document", wanted.document, "a file name ending in .md"))
    return found


WHOLE_CALIBRATE = {"paths": (512, 10**9, 1), "histories": (0, 100_000, 1)}
"""Whole numbers of the calibration: least, most, multiple of."""


def calibrate_problems(wanted: Calibrate) -> list[str]:
    """Errors, gains and premia must be positive, counts whole; counts become whole numbers."""
    found = whole_problems("calibrate", wanted, WHOLE_CALIBRATE)
    named = {key: getattr(wanted, key) for key in ("revenue_error", "rent_error")}
    for key, value in (named | {f"gains.{name}": gain for name, gain in wanted.gains.items()}).items():
        if not 0.0 < value < math.inf:
            found.append(expected(f"calibrate.{key}", value, "a number above 0"))
    if not 0.0 <= wanted.cds_recovery < 1.0:
        found.append(expected("calibrate.cds_recovery", wanted.cds_recovery, "a share from 0 to below 1"))
    for key in ("risk_premium_ig", "risk_premium_hy"):
        premia = getattr(wanted, key)
        if len(premia) != 3 or not 0.0 < premia[0] <= premia[1] <= premia[2] < math.inf:
            found.append(
                expected(f"calibrate.{key}", premia, "three rising numbers above 0: low, used, high")
            )
    if not re.fullmatch(r"(19|20)[0-9]{2}(Q[1-4]|-(0[1-9]|1[0-2]))?", wanted.boom_since):
        found.append(expected("calibrate.boom_since", wanted.boom_since, "a period such as 2022-12"))
    if strange := sorted(set(wanted.accept) - {"CDS", "loan"}):
        found.append(expected("calibrate.accept", strange[0], "CDS or loan"))
    return found
