"""What a task needs of the configuration beside what every run needs."""

import dataclasses
import math
import pathlib
import re

from engine.book.parameters import Mechanisms, Policy
from experiments.complaints import expected
from experiments.schema import Calibrate, Config, Validate

LEVERS = tuple(
    field.name.removesuffix("_month") for field in dataclasses.fields(Policy) if field.name.endswith("_month")
)
"""Levers of policy, as in `engine.vocabulary`, which would import JAX before its devices are prepared."""

PAIRED = ("policy", "attribution", "calibrate")
"""Tasks that compare variants path by path, whose errors need independent paths."""


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
    if config.sampler.name in ("antithetic", "sobol"):
        found.append(expected("sampler.name", config.sampler.name, f"pseudo_random where task={task}"))
    return found


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


def calibrate_problems(wanted: Calibrate, whole) -> list[str]:
    """Errors, gains and premia must be positive, counts whole; counts become whole numbers."""
    found = []
    for key, low, high in (("paths", 512, 10**9), ("histories", 0, 100_000)):
        number = whole(getattr(wanted, key))
        if number is None or not low <= number <= high:
            wish = f"a whole number from {low} to {high:,}"
            found.append(expected(f"calibrate.{key}", getattr(wanted, key), wish))
        else:
            setattr(wanted, key, number)
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
