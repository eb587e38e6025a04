"""A job of a sweep: its configuration, its folder, and what that says of how far it is."""

import contextlib
import dataclasses
import json
import pathlib
import re
import signal
from collections.abc import Iterator

from engine.results.reliability import doubts_of
from experiments.config.read import Experiment
from experiments.session.exit_codes import DONE, FAILED, INTERRUPTED, UNRELIABLE
from experiments.session.lock import busy
from experiments.session.run_folder import REPORT


@dataclasses.dataclass(frozen=True)
class Job:
    """One configuration of a sweep, checked."""

    overrides: tuple[str, ...]
    experiment: Experiment
    folder: pathlib.Path


def folder_name(varied: list[str], digest: str) -> str:
    """A name a person can read, and the configuration's hash, which makes it unique."""
    name = re.sub(r"[^A-Za-z0-9.+]+", "-", "_".join(varied)).strip("-")[:60]
    return f"{name or 'job'}-{digest[:8]}"


def placed(job: Job) -> Experiment:
    """The job's experiment with its own folder."""
    run = dataclasses.replace(job.experiment.run, dir=str(job.folder))
    return dataclasses.replace(job.experiment, run=run)


def done_before(job: Job, identity: dict) -> bool:
    """Whether the job's folder has complete results of this configuration, book and engine."""
    provenance, report = document(job.folder / "provenance.json"), job.experiment.report
    identical = {
        "config_hash": job.experiment.hash,
        "book_hash": identity["book"],
        "sources": identity["sources"],
    }
    whole = (job.folder / "summary.json").exists() and all(
        any(job.folder.glob(REPORT[form])) for form in report.formats
    )
    same = all(provenance.get(key) == value for key, value in identical.items())
    return job.experiment.run.resume and whole and same and state(job.folder) == "done"


def state(folder: pathlib.Path) -> str | None:
    """What a job's status.json says."""
    return document(folder / "status.json").get("status")


def code_of_status(job: Job) -> int:
    """The exit code of a finished job from its folder, by the thresholds of its present configuration."""
    status = state(job.folder)
    if status != "done":
        return INTERRUPTED if status == "interrupted" else FAILED
    doubts = doubts_of(
        document(job.folder / "summary.json"),
        job.experiment.report.most_flagged,
        job.experiment.report.fail_on_unresolved,
    )
    return UNRELIABLE if doubts else DONE


def document(path: pathlib.Path) -> dict:
    """A JSON document of a run; empty where there is none, or something else."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return entries if isinstance(entries, dict) else {}


def headline(folder: pathlib.Path) -> str:
    """The tail of a job's longest horizon in the unit of its report; empty without a summary."""
    from engine.report.unit import is_small, losses
    from engine.results.folder import BILLION, MILLION

    try:
        horizon, loss = list(document(folder / "summary.json")["system"].items())[-1]
        unit, loss = (MILLION, losses(loss)) if is_small(loss) else (BILLION, loss)
        return f"ES 99% {horizon} {loss['es_99']:.1f} ± {loss['es_99_se']:.1f} {unit}"
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""


@contextlib.contextmanager
def stopping_jobs(jobs: list[Job]) -> Iterator[None]:
    """SIGTERM ends the sweep as Ctrl-C does; jobs cut off in another process are marked interrupted."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        for job in jobs:
            mark(job.folder / "status.json", "interrupted", "the sweep was stopped")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def mark(path: pathlib.Path, state: str, reason: str) -> None:
    """Set the state of a job whose status still says running although no process holds its folder."""
    from engine.results.folder import write_json

    status = document(path)
    if status.get("status") == "running" and not busy(path.parent):
        write_json(path, status | {"status": state, "reason": reason})
