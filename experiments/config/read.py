"""From the configuration to plain values: the last place that sees Hydra's or OmegaConf's types.

`read` turns the composed configuration into one `Experiment` or raises `BadInput` with every problem;
`experiments.model` turns that into the engine's book, System and plan.
"""

import dataclasses
import hashlib
import json
import math
import pathlib

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from engine.book import limits
from engine.book.checks.problems import expected
from engine.book.parameters import Parameters
from experiments.config.bad_input import BadInput, explain, unknown
from experiments.config.checks import (
    PAIRED,
    calibrate_problems,
    greeks_problems,
    paired_problems,
    search_problems,
    stress_problems,
    validate_problems,
    whole,
    whole_problems,
)
from experiments.config.schema import (
    Book,
    Calibrate,
    Config,
    Greeks,
    Network,
    Report,
    ReverseStress,
    Run,
    Runs,
    Sampler,
    Scenario,
    Search,
    Validate,
)
from experiments.sampling import sampler_problems
from experiments.session.processes import processes_problems

TASKS = (
    "tail_risk", "network_ensemble", "attribution", "calibrate", "greeks", "policy", "reverse_stress",
    "search", "template", "validate", "runs",
)  # fmt: skip
WHOLE = {
    "paths": (1, 2**30, 1),
    "block": (256, 2**20, 256),
    "seed": (0, 2**64 - 1, 1),
    "months": (12, 120, 12),
}
"""Whole numbers of the run: least, most, multiple of; as `engine.run.plan.Plan` wants them."""

METHODS = ("maximum_entropy", "minimum_density", "fitness", "gibbs")
"""Those of `engine.book.ensemble`, which would import JAX before its devices are prepared."""

WHOLE_NETWORK = {"networks": (2, 100_000, 1), "paths": (2, 10**9, 1), "blocks": (2, 1024, 1)}
"""Whole numbers of the networks: least, most, multiple of."""

MOST_PATHS = 2**26
"""Paths over all networks: more might overflow the tally's sums."""

OWN = ("greeks", "reverse_stress", "calibrate", "search")
"""Groups that only the task of their name reads."""

MENDED = ("run", "sampler", "network", "greeks", "reverse_stress", "calibrate", "search")
"""Groups whose numbers reading turns into whole ones."""

NO_RESULT = {
    "run": ("dir", "devices", "processes", "process", "coordinator", "checkpoint_seconds", "resume"),
    "report": None,
    "template": None,
    "validate": None,
    "runs": None,
}
"""What does not change a number of the result, and so is left out of the configuration's hash."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A checked configuration in plain types."""

    task: str
    run: Run
    book: Book
    scenario: Scenario
    parameters: Parameters
    sampler: Sampler
    network: Network
    greeks: Greeks
    reverse_stress: ReverseStress
    search: Search
    report: Report
    template_dir: str | None
    validate: Validate
    runs: Runs
    calibrate: Calibrate
    config: dict
    hash: str  # 64 hexadecimal digits over all that changes a result


def read(cfg: DictConfig) -> Experiment:
    """Every value of the configuration in plain types; raises `BadInput` with all problems at once."""
    try:
        plain = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise BadInput([explain(error)]) from None
    problems = strangers(plain)
    if problems:
        raise BadInput(problems)
    try:
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Config), cfg))
    except OmegaConfBaseException as error:
        raise BadInput([explain(error)]) from None
    whole_run(config.run, problems)
    problems += processes_problems(config)
    problems += sampler_problems(config.sampler, config.run)
    if config.task.name == "network_ensemble":
        whole_network(config.network, config.sampler, problems)
    if config.task.name == "greeks":
        problems += greeks_problems(config.greeks, config.run.paths)
    problems += choices(config)
    groups = [field.name for field in dataclasses.fields(Parameters)]
    parameters = Parameters(**{group: getattr(config, group) for group in groups})
    problems += limits.problems_of(parameters)
    if problems:
        raise BadInput(problems)
    plain |= {name: dataclasses.asdict(getattr(config, name)) for name in MENDED}
    kept = {field.name for field in dataclasses.fields(Experiment)} & {*vars(config)} - {"task"}
    return Experiment(
        task=config.task.name,
        parameters=parameters,
        template_dir=config.template.dir,
        config=plain,
        hash=config_hash(plain),
        **{name: getattr(config, name) for name in kept},
    )


def strangers(plain: dict) -> list[str]:
    """Keys that the schema does not have: `+key=value` slips past Hydra."""
    groups = {field.name: field.default_factory for field in dataclasses.fields(Config)}
    found = [unknown(group) for group in plain if group not in groups]
    for group, kind in groups.items():
        known = {field.name for field in dataclasses.fields(kind)}
        held = plain.get(group) or {}
        found += [unknown(f"{group}.{key}") for key in held if key not in known]
    return found


def whole_run(run: Run, problems: list[str]) -> None:
    """Turn the run's numbers into whole ones, 1e6 and '1e6' alike; add what is wrong to the problems."""
    problems += whole_problems("run", run, WHOLE)
    if run.devices != "auto":
        count = whole(run.devices)
        if count is None or not 1 <= count <= 1024:
            problems.append(expected("run.devices", run.devices, "auto or a whole number from 1 to 1024"))
        else:
            run.devices = count
    if not 0.0 <= run.checkpoint_seconds < math.inf:
        wanted = "seconds between two checkpoints, 0 for none"
        problems.append(expected("run.checkpoint_seconds", run.checkpoint_seconds, wanted))


def whole_network(network: Network, sampler: Sampler, problems: list[str]) -> None:
    """Turn the networks' numbers into whole ones; add what is wrong with them to the problems."""
    before = len(problems)
    problems += whole_problems("network", network, WHOLE_NETWORK)
    if network.method not in METHODS:
        problems.append(expected("network.method", network.method, "one of " + ", ".join(METHODS)))
    if not 0.0 < network.density <= 1.0:
        problems.append(expected("network.density", network.density, "a share above 0 and at most 1"))
    if sampler.name != "pseudo_random":
        wanted = "pseudo_random: the networks' paths are plain ones, in network.blocks blocks"
        problems.append(expected("sampler.name", sampler.name, wanted))
    if len(problems) > before:
        return
    if network.paths % network.blocks:
        problems.append(expected("network.paths", network.paths, f"a multiple of {network.blocks} blocks"))
    if network.paths * network.networks > MOST_PATHS:
        wanted = f"at most {MOST_PATHS // network.networks:,} with {network.networks} networks"
        problems.append(expected("network.paths", network.paths, wanted))


def choices(config: Config) -> list[str]:
    """Problems of the named choices and paths."""
    found = []
    if config.task.name not in TASKS:
        found.append(expected("task.name", config.task.name, "one of " + ", ".join(TASKS)))
    if not 0.0 <= config.report.most_flagged <= 1.0:
        found.append(expected("report.most_flagged", config.report.most_flagged, "a share between 0 and 1"))
    if config.task.name in PAIRED:
        found += paired_problems(config)
    if config.task.name == "reverse_stress":
        found += stress_problems(config.reverse_stress, config.sampler.name)
    if config.task.name == "search":
        found += search_problems(config.search, config.sampler.name)
    if config.task.name == "calibrate":
        found += calibrate_problems(config.calibrate)
    if config.task.name == "template":
        return found + folder_problems("template.dir", config.template.dir, needed=True)
    if config.task.name == "validate":
        return found + validate_problems(config.validate, whole(config.validate.runs))
    if config.task.name == "runs":
        missing = not pathlib.Path(config.runs.root).is_dir()
        return found + ([expected("runs.root", config.runs.root, "a folder that exists")] if missing else [])
    if config.book.path is None and not config.book.name:
        found.append(expected("book.path", None, "a folder or an .xlsx, as in book.path=my_book/"))
    if config.book.path is not None and not pathlib.Path(config.book.path).exists():
        found.append(expected("book.path", config.book.path, "a folder of CSV files or an .xlsx that exists"))
    return found + folder_problems("run.dir", config.run.dir, needed=False)


def folder_problems(name: str, value: str | None, needed: bool) -> list[str]:
    """A folder to write to must be named where it is needed, and may not be a file or lie under one."""
    if not value:
        return [expected(name, value, f"a folder to write to, as in {name}=my_folder")] if needed else []
    folder = pathlib.Path(value)
    blocked = [part for part in (folder, *folder.parents) if part.exists() and not part.is_dir()]
    return [expected(name, value, f"a folder; {blocked[0]} is a file")] if blocked else []


def decisive(plain: dict) -> dict:
    """The part of the configuration that changes a result."""
    networks = plain["task"]["name"] == "network_ensemble"
    unread = {"run": ("paths",), "sampler": None} if networks else {"network": None}
    unread |= {name: None for name in OWN if plain["task"]["name"] != name}
    kept = {}
    for group, values in plain.items():
        left_out = NO_RESULT.get(group, ())
        if group in unread:
            left_out = None if unread[group] is None else (*left_out, *unread[group])
        if left_out is not None:
            kept[group] = {key: value for key, value in values.items() if key not in left_out}
    return kept


def config_hash(plain: dict) -> str:
    """sha256 of what changes a result, independent of the order of keys."""
    kept = decisive(plain)
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
