"""Sweeps: every job is checked before the first one starts; each has a folder named after what it varies.

The folders' names follow from the configurations, so the same command skips jobs that are
done, continues interrupted ones and repeats failed ones.
"""

import hashlib
import itertools
import math
import os
import pathlib
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from engine.book.checks.problems import expected
from engine.run.host import cores, prepare_devices
from experiments import pairs, tasks
from experiments.config.bad_input import BadInput, explain
from experiments.config.overrides import quoted
from experiments.config.read import Experiment, read
from experiments.model import load
from experiments.session.checkpoints import identity_of, interrupted_folder
from experiments.session.exit_codes import (
    BAD_INPUT,
    DONE,
    FAILED,
    GRAVEST_FIRST,
    INTERRUPTED,
    LOST,
    UNRELIABLE,
)
from experiments.session.output import say
from experiments.session.processes import share_token
from experiments.session.run_folder import refuse_foreign
from experiments.session.stopping import Interrupted, Stop
from experiments.sweeps.job import (
    Job,
    code_of_status,
    done_before,
    folder_name,
    headline,
    mark,
    placed,
    state,
    stopping_jobs,
)
from experiments.sweeps.progress import SweepProgress

BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
if TYPE_CHECKING:
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
else:
    BasicSweeper = Plugins.instance().class_name_to_class[BASIC]  # Hydra's own copy: it loads plugins anew
WORDS = {
    DONE: "done",
    FAILED: "failed",
    BAD_INPUT: "bad input",
    INTERRUPTED: "interrupted",
    UNRELIABLE: "unreliable",
    LOST: "lost",
}


PAIRED = 8192
"""Paths of each job that are simulated again to pair it with the first."""

MOST_JOBS = 10_000
"""Jobs of a sweep."""


class CheckedSweeper(BasicSweeper):
    """Hydra's own sweeper, but it starts no job unless all are sound, and none that is done."""

    # Set by `setup`, before any other method is called.
    config: DictConfig
    hydra_context: HydraContext
    launcher: Launcher

    def sweep(self, arguments: list[str]) -> None:
        """Check, launch, report; ends the process with the gravest code of all jobs."""
        jobs = self.jobs(arguments)
        codes = self.ready(jobs)
        due = [job for job in jobs if job.folder not in codes]
        if codes:
            print(f"{len(codes)} of {len(jobs)} jobs are done already", file=sys.stderr)
        if due:
            with stopping_jobs(due), SweepProgress([job.folder for job in jobs], [job.folder for job in due]):
                codes |= self.launch(due)
        print(f"\n{len(jobs)} jobs in all")
        for job in jobs:
            print(f"{WORDS[codes[job.folder]]:<12} {headline(job.folder):<44} {job.folder}")
        self.compare([job.folder for job in jobs if codes[job.folder] in (DONE, UNRELIABLE)])
        raise SystemExit(next(code for code in GRAVEST_FIRST if code in codes.values()))

    def compare(self, folders: list[pathlib.Path]) -> None:
        """Print and write how the finished runs of the sweep differ from the first, with paired errors."""
        folders = [folder for folder in folders if state(folder) == "done"]
        if len(folders) < 2:
            return
        if not (self.serial or "joblib" in self.config.hydra.launcher._target_):
            print(f"\nundertow task=compare compare.runs=[{folders[0].parent}]")
            return
        if not self.serial:
            prepare_devices("auto")
        try:
            with Stop() as stop:
                comparison = pairs.compared(pairs.runs_read(folders), PAIRED, stop, tasks.every())
        except Interrupted:
            raise KeyboardInterrupt from None
        except BadInput as error:
            say(f"undertow: the runs are not compared: {error.problems[0]}")
            return
        from engine.report.comparison import print_comparison

        print()
        print_comparison(comparison, sys.stdout)
        print(f"\n{pairs.write(folders[0].parent / 'compare', comparison, html=True)}")

    def launch(self, jobs: list[Job]) -> dict[pathlib.Path, int]:
        """Each job's exit code by its folder, even if the launcher itself fails."""
        share_token(os.environ)
        try:
            results = self.launcher.launch([self.launched(job, len(jobs)) for job in jobs], initial_job_idx=0)
        except Exception:
            traceback.print_exc()
            for job in jobs:
                mark(job.folder / "status.json", "failed", "its process died")
            return {job.folder: code_of_status(job) for job in jobs}
        return {job.folder: code_of(result) for job, result in zip(jobs, results, strict=True)}

    def jobs(self, arguments: list[str]) -> list[Job]:
        """Every job of the sweep, or `BadInput` with the problems of all."""
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides(self._parse_config() + arguments)
        swept = {override.get_key_element() for override in overrides if override.is_sweep_override()}
        if problems := size_problems(overrides):
            raise BadInput(problems)
        composed: list[tuple[tuple[str, ...], Experiment]] = []
        for combination in self.split_arguments(overrides, None)[0]:
            try:
                composed.append((tuple(combination), self.composed(combination)))
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)
        together = hashlib.sha256("".join(sorted(job.hash for _, job in composed)).encode()).hexdigest()
        jobs = {}
        for values, experiment in composed:
            base = pathlib.Path(experiment.run.dir or f"out/sweep-{together[:8]}")
            folder = base / folder_name([v for v in values if v.partition("=")[0] in swept], experiment.hash)
            jobs[folder] = Job(values, experiment, folder)
        return list(jobs.values())

    def composed(self, values: Sequence[str]) -> Experiment:
        """The checked experiment of one job's overrides."""
        try:
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(values))
        except (HydraException, OmegaConfBaseException) as error:
            raise BadInput([explain(error)]) from None
        own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        return read(own, tasks.every(), values)

    def ready(self, jobs: list[Job]) -> dict[pathlib.Path, int]:
        """Exit codes of the jobs that are done already, by folder; raises `BadInput` where one cannot run.

        Every book is read once, and every folder looked at, before the first job starts.
        """
        if self.serial:
            prepare_devices(jobs[0].experiment.run.devices)
        books: dict[str, Any] = {}
        codes: dict[pathlib.Path, int] = {}
        problems = [problem for job in jobs for problem in self.processes_problems(job)]
        for job in jobs:
            if not getattr(tasks.every()[job.experiment.task], "RUN_FOLDER", True):
                continue
            try:
                name = str(job.experiment.book)
                books[name] = books.get(name) or load(job.experiment)
                refuse_foreign(str(job.folder))
                identity = identity_of(job.experiment, books[name].hash)
                if done_before(job, identity):
                    codes[job.folder] = code_of_status(job)
                else:
                    interrupted_folder(placed(job), identity)
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)
        return codes

    def processes_problems(self, job: Job) -> list[str]:
        """A job may be several processes only where its launcher starts as many."""
        count = job.experiment.run.processes
        if count in (1, "slurm" if "submitit" in self.config.hydra.launcher._target_ else 1):
            return []
        kind = "1 in a sweep, or slurm with hydra/launcher=submitit_slurm and its tasks_per_node"
        return [expected("run.processes", count, kind)]

    @property
    def serial(self) -> bool:
        """Whether jobs run one after another in this process."""
        return "basic_launcher" in self.config.hydra.launcher._target_

    def launched(self, job: Job, count: int) -> list[str]:
        """The job's overrides with its own folder and, beside others on a machine, its share of the cores."""
        own = [value for value in job.overrides if value.lstrip("+").partition("=")[0] != "run.dir"]
        own.append(f"run.dir={quoted(str(job.folder))}")
        if "joblib" in self.config.hydra.launcher._target_ and job.experiment.run.devices == "auto":
            workers = self.config.hydra.launcher.n_jobs
            workers = cores() if workers < 1 else workers
            own.append(f"run.devices={max(1, cores() // min(workers, count))}")
        return own


def size_problems(overrides: Sequence[Override]) -> list[str]:
    """Sweeps without a job, and more jobs than a machine can take."""
    count, problems = 1, []
    for override in overrides:
        values = values_of(override)
        if not 1 <= values <= MOST_JOBS:
            shown = f"{values:,}" if values <= MOST_JOBS else f"more than {MOST_JOBS:,}"
            kind = f"a sweep over 1 to {MOST_JOBS:,} values; this one has {shown}"
            problems.append(expected(override.key_or_group, override.get_value_string(), kind))
        count *= max(values, 1)
    if not problems and count > MOST_JOBS:
        problems.append(f"the sweep: got {count:,} jobs, expected at most {MOST_JOBS:,}")
    return problems


def values_of(override: Override) -> int:
    """How many values an override sweeps over; 1 where it does not."""
    value = override.value()
    if isinstance(value, RangeSweep):
        start, stop, step = (float(each or 0.0) for each in (value.start, value.stop, value.step))
        if step == 0.0 or not math.isfinite(start + stop + step):
            return 0
        return max(0, math.ceil(min((stop - start) / step, MOST_JOBS + 1.0)))
    if isinstance(value, ChoiceSweep):
        return len(value.list)
    return (
        1
        if not override.is_sweep_override() or not override.is_discrete_sweep()
        else len(list(itertools.islice(override.sweep_iterator(), MOST_JOBS + 1)))
    )


def code_of(result: JobReturn) -> int:
    """The exit code of a job; one that ended without any has failed."""
    return result.return_value if result.status == JobStatus.COMPLETED else FAILED


def register() -> None:
    """Replace Hydra's basic sweeper by this one: Hydra takes sweepers from its own packages only."""
    Plugins.instance().class_name_to_class[BASIC] = CheckedSweeper
