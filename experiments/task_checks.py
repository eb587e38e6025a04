"""What a task needs of the configuration beside what every run needs."""

import dataclasses
import math
import pathlib

from engine.book.parameters import Mechanisms, Policy
from experiments.complaints import expected
from experiments.schema import Config, ReverseStress, Validate

LEVERS = tuple(
    field.name.removesuffix("_month") for field in dataclasses.fields(Policy) if field.name.endswith("_month")
)
"""Levers of policy, as in `engine.vocabulary`, which would import JAX before its devices are prepared."""

PAIRED = ("policy", "attribution")
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
