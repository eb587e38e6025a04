"""Checks of the groups that every task shares, and the helpers with which a task checks its own.

A check turns numbers into what they must be, 1e6 and '1e6' alike, and returns a sentence for each
that is wrong.
"""

import math
import os
import pathlib
import re
from typing import Any

from engine.book.checks.problems import expected
from engine.vocabulary import KERNELS
from experiments.config.schema import Book, Config, Report, Run, Sampler

WHOLE_RUN = {
    "paths": (1, 2**30, 1),
    "block": (256, 2**20, 256),
    "seed": (0, 2**64 - 1, 1),
    "months": (12, 120, 12),
}
"""Whole numbers of the run: least, most, multiple of; as `engine.run.plan.Plan` wants them."""

SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")
WHOLE_SAMPLER = {"replications": (1, 1024, 1), "components": (1, 120, 1)}
"""Whole numbers of a sampler: least, most, multiple of."""

LEARNING = {"learning_paths": (8192, 2**26, 2048), "candidates": (2, 256, 1)}
"""Paths to learn from, and economies of which one is simulated."""

SLURM = "slurm"
STEP = ("SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_STEP_NODELIST")
"""What srun tells each of its tasks."""


def whole(value: Any) -> int | None:
    """The whole number a value stands for, or None."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
        return int(value) if isinstance(value, int) else int(number) if number == int(number) else None
    except (TypeError, ValueError, OverflowError):
        return None


def whole_problems(group: str, values: object, bounds: dict[str, tuple[int, int, int]]) -> list[str]:
    """Turn numbers of a group into whole ones, 1e6 and '1e6' alike; those out of bounds are problems.

    `bounds` has the least, the most and what it must be a multiple of, by key.
    """
    problems = []
    for key, (low, high, step) in bounds.items():
        value = whole(getattr(values, key))
        if value is None or not low <= value <= high or value % step:
            kind = "a whole number" if step == 1 else f"a multiple of {step}"
            problems.append(
                expected(f"{group}.{key}", getattr(values, key), f"{kind} from {low} to {high:,}")
            )
        else:
            setattr(values, key, value)
    return problems


def number(value: Any) -> float | None:
    """The number a value stands for, or None."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def folder_problems(name: str, value: str | None, needed: bool) -> list[str]:
    """A folder to write to must be named where it is needed, and may not be a file or lie under one."""
    if not value:
        return [expected(name, value, f"a folder to write to, as in {name}=my_folder")] if needed else []
    folder = pathlib.Path(value)
    blocked = [part for part in (folder, *folder.parents) if os.path.exists(part) and not os.path.isdir(part)]
    return [expected(name, value, f"a folder; {blocked[0]} is a file")] if blocked else []


def run_problems(run: Run) -> list[str]:
    """Turn the run's numbers into whole ones; what is wrong with them and with its folder."""
    problems = whole_problems("run", run, WHOLE_RUN)
    if run.devices != "auto":
        count = whole(run.devices)
        if count is None or not 1 <= count <= 1024:
            problems.append(expected("run.devices", run.devices, "auto or a whole number from 1 to 1024"))
        else:
            run.devices = count
    if run.kernel not in KERNELS:
        problems.append(expected("run.kernel", run.kernel, "one of " + ", ".join(KERNELS)))
    if not 0.0 <= run.checkpoint_seconds < math.inf:
        kind = "seconds between two checkpoints, 0 for none"
        problems.append(expected("run.checkpoint_seconds", run.checkpoint_seconds, kind))
    return problems


def kernel_problems(config: Config, exact: bool) -> list[str]:
    """`exact`: XLA simulates paths of the run again, so that it has to run them: `auto` becomes `xla`."""
    if exact and config.run.kernel == "auto":
        config.run.kernel = "xla"
    if exact and config.run.kernel == "fused":
        kind = f"xla or auto where task={config.task.name}: XLA simulates its paths again"
        return [expected("run.kernel", config.run.kernel, kind)]
    return []


def parameters_problems(config: Config, able: bool) -> list[str]:
    """Whether parameters are drawn is one of two words; `able` where the task's main job can draw them."""
    drawn, name = config.run.parameters, "run.parameters"
    if drawn not in ("fixed", "drawn"):
        return [expected(name, drawn, "fixed or drawn")]
    if drawn == "fixed":
        return []
    problems = (
        [] if able else [expected(name, drawn, f"fixed: task={config.task.name} sets parameters itself")]
    )
    if config.sampler.name == "importance":
        problems.append(
            expected(name, drawn, "fixed: what economies cost is learned for one set of parameters")
        )
    return problems


def book_problems(book: Book) -> list[str]:
    """A book is named, or is a path that exists."""
    if book.path is None and not book.name:
        return [expected("book.path", None, "a folder or an .xlsx, as in book.path=my_book/")]
    if book.path is not None and not os.path.exists(book.path):
        return [expected("book.path", book.path, "a folder of CSV files or an .xlsx that exists")]
    return []


def report_problems(report: Report, sampler: Sampler) -> list[str]:
    """A share of flagged paths, a browser where one is needed, plain paths for a focus."""
    problems = whole_problems("report", report, {"focus_paths": (256, 2**20, 1)})
    if not 0.0 <= report.most_flagged <= 1.0:
        problems.append(expected("report.most_flagged", report.most_flagged, "a share between 0 and 1"))
    if report.focus is not None and sampler.name != "pseudo_random":
        problems.append(expected("sampler.name", sampler.name, "pseudo_random with report.focus"))
    if needy := [name for name in ("pdf", "svg", "png") if getattr(report, name)]:
        from engine.report.chromium import NoBrowser, browser

        try:
            browser(report.browser)
        except NoBrowser as error:
            kind = f"false: it needs Chromium or Chrome, and there is {error}"
            problems += [expected(f"report.{name}", True, kind) for name in needy]
    return problems


def plain_paths_problems(config: Config) -> list[str]:
    """A task that compares or counts path by path needs independent, unweighted paths."""
    if config.sampler.name == "pseudo_random":
        return []
    return [expected("sampler.name", config.sampler.name, f"pseudo_random where task={config.task.name}")]


def sampler_problems(sampler: Sampler, run: Run) -> list[str]:
    """Turn the sampler's numbers into whole ones; what does not suit it or the run."""
    if sampler.name not in SAMPLERS:
        return [expected("sampler.name", sampler.name, "one of " + ", ".join(SAMPLERS))]
    problems = whole_problems("sampler", sampler, WHOLE_SAMPLER)
    if sampler.name == "importance":
        return problems + importance_problems(sampler)
    return (
        problems
        if problems or not isinstance(run.paths, int)
        else problems + replication_problems(sampler, run)
    )


def importance_problems(sampler: Sampler) -> list[str]:
    """What learning cannot do with."""
    problems = whole_problems("sampler", sampler, LEARNING)
    if not 0.99 <= sampler.level < 1.0:
        problems.append(expected("sampler.level", sampler.level, "from 0.99 up to but not including 1"))
    if not 0.01 <= sampler.defensive <= 0.99:
        problems.append(expected("sampler.defensive", sampler.defensive, "a share from 0.01 to 0.99"))
    if sampler.replications != 1:
        kind = "1: weighted paths are independent, and tell their error themselves"
        problems.append(expected("sampler.replications", sampler.replications, kind))
    if sampler.proposal is not None and not os.path.isfile(sampler.proposal):
        problems.append(expected("sampler.proposal", sampler.proposal, "the proposal.npz of an earlier run"))
    if sampler.nearby and sampler.proposal is None:
        problems.append(expected("sampler.nearby", True, "false without sampler.proposal"))
    return problems


def replication_problems(sampler: Sampler, run: Run) -> list[str]:
    """Paths must be cut evenly into replications that suit the sampler."""
    problems = []
    if isinstance(run.months, int) and sampler.name == "sobol" and sampler.components > run.months:
        kind = f"at most the run's {run.months} months"
        problems.append(expected("sampler.components", sampler.components, kind))
    each, rest = divmod(run.paths, sampler.replications)
    if sampler.name == "sobol" and (rest or each < 1 or each & (each - 1)):
        near = sampler.replications << max(round(math.log2(max(each, 1))), 9)
        kind = f"{sampler.replications} replications times a power of two, such as {near}"
        problems.append(expected("run.paths", run.paths, kind))
    elif rest or each % (2 if sampler.name == "antithetic" else 1):
        unit = sampler.replications * (2 if sampler.name == "antithetic" else 1)
        kind = f"a multiple of {unit}, for {sampler.replications} replications of sampler={sampler.name}"
        problems.append(expected("run.paths", run.paths, kind))
    return problems


def processes_problems(run: Run, task: str, shared: bool) -> list[str]:
    """Turn the numbers of the processes into whole ones; `shared` where the task can be several processes."""
    if run.processes == SLURM:
        missing = [name for name in STEP if name not in os.environ]
        kind = f"a task of srun; {missing[0]} is not set" if missing else ""
        problems = [expected("run.processes", SLURM, kind)] if missing else []
    else:
        problems = rank_problems(run)
    if run.processes == 1 or problems:
        return problems
    port = re.fullmatch(r"\S+:([0-9]{1,5})", run.coordinator or "any:1")
    if port is None or not 1 <= int(port.group(1)) <= 65_535:
        kind = "host:port of process 0, with a port from 1 to 65535"
        problems.append(expected("run.coordinator", run.coordinator, kind))
    if not 1.0 <= run.arrival_seconds <= 86_400.0:
        problems.append(expected("run.arrival_seconds", run.arrival_seconds, "seconds from 1 to 86400"))
    if not shared:
        kind = f"1: task={task} runs in one process"
        problems.append(expected("run.processes", run.processes, kind))
    return problems


def rank_problems(run: Run) -> list[str]:
    """Turn the number of processes and the rank of this one into whole numbers."""
    count, rank = whole(run.processes), whole(run.process)
    if count is None or not 1 <= count <= 65_536:
        return [expected("run.processes", run.processes, "a whole number from 1 to 65536, or slurm")]
    if rank is None or not 0 <= rank < count:
        return [expected("run.process", run.process, f"a whole number from 0 to {count - 1}")]
    run.processes, run.process = count, rank
    if count > 1 and run.coordinator is None:
        return [expected("run.coordinator", None, "host:port of process 0, where all can reach it")]
    return []
