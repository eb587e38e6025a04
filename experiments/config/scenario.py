"""The file of a scenario: whether it is there, what it brings along, and what identifies its content."""

import hashlib
import os
import pathlib

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.schema import Config, Scenario

FILES = ("file", "history", "mapping")


def scenario_problems(config: Config, able: bool) -> list[str]:
    """What is wrong with the keys of a scenario's file; `able` where the task's paths can follow one."""
    from engine.book.scenario.regions import regions
    from engine.book.scenario.table import shipped_tables, table_file

    scenario = config.scenario
    if scenario.file is None:
        keys = ("case", "history", "mapping", "start", "end")
        alone = [key for key in keys if getattr(scenario, key) is not None]
        return [
            expected(f"scenario.{key}", getattr(scenario, key), "a scenario.file beside it") for key in alone
        ]
    problems = []
    if not able:
        kind = f"none where task={config.task.name}, whose paths are its own"
        return [expected("scenario.file", scenario.file, kind)]
    for key in ("file", "history"):
        name = getattr(scenario, key)
        if name is not None and table_file(name) is None:
            known = ", ".join(shipped_tables())
            kind = f"a CSV or .xlsx file that exists, or one of {known}"
            problems.append(expected(f"scenario.{key}", name, kind))
    if scenario.region not in regions():
        problems.append(expected("scenario.region", scenario.region, "one of " + ", ".join(regions())))
    if scenario.mapping is not None and not os.path.isfile(scenario.mapping):
        problems.append(expected("scenario.mapping", scenario.mapping, "a CSV file that exists"))
    if config.sampler.name == "importance":
        kind = "another sampler with scenario.file: a law is learned for paths that are free"
        problems.append(expected("sampler.name", "importance", kind))
    if config.run.parameters == "drawn":
        kind = "fixed with scenario.file: a path's law given the file is that of one set of parameters"
        problems.append(expected("run.parameters", "drawn", kind))
    return problems


def files_of(scenario: Scenario) -> dict[str, pathlib.Path]:
    """The files that a scenario reads by key; a shipped table brings its history."""
    from engine.book.scenario.table import shipped_tables, table_file

    if scenario.file is None:
        return {}
    names = {"file": scenario.file, "history": scenario.history}
    shipped = shipped_tables().get(scenario.file.removesuffix(".csv"), {})
    if scenario.history is None and not os.path.isfile(scenario.file):
        names["history"] = shipped.get("history") or None
    files = {key: table_file(name) for key, name in names.items() if name}
    if scenario.mapping is not None:
        files["mapping"] = pathlib.Path(scenario.mapping)
    return {key: path for key, path in files.items() if path is not None}


def content_of(scenario: Scenario) -> str:
    """sha256 over the files of a scenario; a run on another content is another run."""
    digest = hashlib.sha256()
    for key, path in files_of(scenario).items():
        try:
            digest.update(f"{key}:".encode() + path.read_bytes())
        except OSError as error:
            raise BadInput(
                [expected(f"scenario.{key}", str(path), f"a readable file: {error.strerror}")]
            ) from None
    return digest.hexdigest()
