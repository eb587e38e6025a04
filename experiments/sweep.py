"""Sweeps: every job is checked before the first one starts; each has a folder named after what it varies."""

import contextlib
import dataclasses
import datetime
import json
import pathlib
import re
import signal
from collections.abc import Iterator, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments import build
from experiments.complaints import BadInput, explain
from experiments.devices import cores, prepare_devices
from experiments.exit_codes import BAD_INPUT, DONE, FAILED, GRAVEST_FIRST, INTERRUPTED, UNRELIABLE

BASIC = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
WORDS = {
    DONE: "done",
    FAILED: "failed",
    BAD_INPUT: "bad input",
    INTERRUPTED: "interrupted",
    UNRELIABLE: "unreliable",
}


@dataclasses.dataclass(frozen=True)
class Job:
    """One configuration of a sweep, checked."""

    overrides: tuple[str, ...]
    experiment: build.Experiment
    folder: pathlib.Path


class CheckedSweeper(Plugins.instance().class_name_to_class[BASIC]):
    """Hydra's own sweeper, which starts nothing unless every job is sound."""

    def sweep(self, arguments: list[str]) -> None:
        """Check, launch, report; ends the process with the gravest code of all jobs."""
        jobs = self.jobs(arguments)
        self.load_books(jobs)
        with stopping_jobs(jobs):
            results = self.launcher.launch([self.launched(job, len(jobs)) for job in jobs], initial_job_idx=0)
        codes = [code_of(result) for result in results]
        print(f"\n{len(jobs)} jobs in all")
        for job, code in zip(jobs, codes, strict=True):
            print(f"{WORDS[code]:<12} {headline(job.folder):<44} {job.folder}")
        raise SystemExit(next(code for code in GRAVEST_FIRST if code in codes))

    def jobs(self, arguments: list[str]) -> list[Job]:
        """Every job of the sweep, or `BadInput` with the problems of all."""
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        overrides = parser.parse_overrides(self._parse_config() + arguments)
        swept = {override.get_key_element() for override in overrides if override.is_sweep_override()}
        found, problems = {}, []
        started = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        for values in self.split_arguments(overrides, None)[0]:
            try:
                experiment = self.composed(values)
            except BadInput as error:
                problems += error.problems
                continue
            base = pathlib.Path(experiment.run.dir or f"out/{started}-sweep")
            folder = base / folder_name([v for v in values if v.partition("=")[0] in swept], experiment.hash)
            found[folder] = Job(tuple(values), experiment, folder)
        if problems:
            raise BadInput(problems)
        return list(found.values())

    def composed(self, values: Sequence[str]) -> build.Experiment:
        """The checked experiment of one job's overrides."""
        try:
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(values))
        except (HydraException, OmegaConfBaseException) as error:
            raise BadInput([explain(error)]) from None
        return build.read(OmegaConf.masked_copy(config, [key for key in config if key != "hydra"]))

    def load_books(self, jobs: list[Job]) -> None:
        """Read every book that a job asks for once, so that a bad one stops the sweep here."""
        if self.serial:
            prepare_devices(jobs[0].experiment.run.devices)
        wanted = {
            str(job.experiment.book): job.experiment for job in jobs if job.experiment.task != "template"
        }
        problems = []
        for experiment in wanted.values():
            try:
                build.load(experiment)
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)

    @property
    def serial(self) -> bool:
        """Whether jobs run one after another in this process."""
        return "basic_launcher" in self.config.hydra.launcher._target_

    def launched(self, job: Job, count: int) -> list[str]:
        """The job's overrides with its own folder and, beside others on a machine, its share of the cores."""
        path = str(job.folder).replace("\\", "\\\\").replace("'", "\\'")
        own = [value for value in job.overrides if not value.startswith("run.dir=")]
        own.append(f"run.dir='{path}'")
        if "joblib" in self.config.hydra.launcher._target_ and job.experiment.run.devices == "auto":
            workers = self.config.hydra.launcher.n_jobs
            workers = cores() if workers < 1 else workers
            own.append(f"run.devices={max(1, cores() // min(workers, count))}")
        return own


def folder_name(varied: list[str], digest: str) -> str:
    """A name a person can read, and the configuration's hash, which makes it unique."""
    name = re.sub(r"[^A-Za-z0-9.+]+", "-", "_".join(varied)).strip("-")[:60]
    return f"{name or 'job'}-{digest[:8]}"


def code_of(result: JobReturn) -> int:
    """The exit code of a job; one that died before it could say so has failed."""
    return result.return_value if result.status == JobStatus.COMPLETED else FAILED


def headline(folder: pathlib.Path) -> str:
    """The tail of a job's longest horizon in a few words; empty without a summary."""
    try:
        system = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["system"]
        horizon, loss = list(system.items())[-1]
        return f"ES 99% {horizon} {loss['es_99']:.1f} ± {loss['es_99_se']:.1f} USD bn"
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return ""


@contextlib.contextmanager
def stopping_jobs(jobs: list[Job]) -> Iterator[None]:
    """SIGTERM ends the sweep as Ctrl-C does; jobs cut off in another process are said to be interrupted."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        for job in jobs:
            mark_interrupted(job.folder / "status.json")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def mark_interrupted(path: pathlib.Path) -> None:
    """A status that still says running is not true any more."""
    from engine.report.folder import write_json

    if path.exists():
        status = json.loads(path.read_text(encoding="utf-8"))
        if status["status"] == "running":
            write_json(path, status | {"status": "interrupted", "reason": "the sweep was stopped"})


def register() -> None:
    """Put this sweeper in the place of Hydra's basic one: Hydra takes sweepers only from its own packages."""
    Plugins.instance().class_name_to_class[BASIC] = CheckedSweeper
