"""The folder of one run: what was asked, by which versions, how it went; every file written whole.

config.yaml      the resolved configuration          status.json   running, done, interrupted or failed
provenance.json  versions, hashes, command, device   log.jsonl     one JSON object a line
results/*.parquet, summary.json, report.html         written by the report, only when the run finished
"""

import datetime
import json
import logging
import os
import pathlib
import shutil
import socket
import sys
from types import TracebackType

from experiments.build import Experiment
from experiments.complaints import BadInput, expected
from experiments.progress import among_others, watched
from experiments.stopping import Interrupted

RESULTS = ("summary.json", "report.html", "results")
log = logging.getLogger("undertow")


class Lines(logging.Formatter):
    """One JSON object a line, with the run's id."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(),
            "level": record.levelname,
            "run": self.run,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class RunFolder:
    """`with RunFolder(experiment, provenance) as folder:`; leaving by an exception says so in status.json."""

    def __init__(self, experiment: Experiment, provenance: dict) -> None:
        started = datetime.datetime.now().astimezone()
        self.id = f"{started:%Y%m%d-%H%M%S}-{experiment.hash[:8]}"
        self.path = pathlib.Path(experiment.run.dir or f"out/{self.id}")
        self.experiment, self.provenance = experiment, {"run": self.id} | provenance
        self.started = started.isoformat(timespec="seconds")
        self.doubts: list[str] = []
        self.handlers: list[logging.Handler] = []

    def __enter__(self) -> "RunFolder":
        from engine.report.folder import write_json, write_text

        self.path.mkdir(parents=True, exist_ok=True)
        self.status("running")
        clear(self.path)
        write_text(self.path / "config.yaml", yaml_of(self.experiment.config))
        write_json(self.path / "provenance.json", self.provenance)
        self._listen()
        log.info("run %s: %s", self.id, " ".join(self.provenance["command"]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.status("done", "; ".join(self.doubts) or None)
        elif issubclass(kind, Interrupted | KeyboardInterrupt):
            clear(self.path)
            log.warning("interrupted: %s", error)
            self.status("interrupted", str(error))
        else:
            clear(self.path)
            log.error("failed", exc_info=(kind, error, trace))
            self.status("failed", f"{kind.__name__}: {error}")
        for handler in self.handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()

    def status(self, state: str, reason: str | None = None) -> None:
        """Write status.json."""
        from engine.report.folder import write_json

        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        entry = {
            "schema": 1, "status": state, "reliable": not self.doubts if state == "done" else None,
            "reason": reason, "run": self.id, "started": self.started, "updated": now,
            "host": socket.gethostname(), "process": os.getpid(),
        }  # fmt: skip
        write_json(self.path / "status.json", entry)

    def _listen(self) -> None:
        """Everything into log.jsonl; onto the terminal warnings, and progress where there is no bar."""
        whole = logging.FileHandler(self.path / "log.jsonl", mode="w", encoding="utf-8")
        whole.setFormatter(Lines(self.id))
        person = logging.StreamHandler(sys.stderr)
        person.setLevel(logging.WARNING if watched() else logging.INFO)
        person.addFilter(lambda record: not record.exc_info)
        person.setFormatter(
            logging.Formatter(f"{self.path.name}: %(message)s" if among_others() else "%(message)s")
        )
        self.handlers = [whole, person]
        for handler in self.handlers:
            logging.getLogger().addHandler(handler)
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger("jax").setLevel(logging.WARNING)
        logging.captureWarnings(True)


def refuse_foreign(wanted: str | None) -> None:
    """A folder with files that are not a run's is left alone, and so is one that another run is writing."""
    path = pathlib.Path(wanted or "out")
    if wanted is None or not path.exists() or not any(path.iterdir()):
        return
    try:
        status = json.loads((path / "status.json").read_text(encoding="utf-8"))
        state = status["status"]
    except (OSError, ValueError, KeyError, TypeError):
        wanted = "a new or empty folder, or that of an earlier run; this one holds other files"
        raise BadInput([expected("run.dir", str(path), wanted)]) from None
    if state == "running" and alive(status):
        wanted = f"a folder that no run is writing to; process {status['process']} still is"
        raise BadInput([expected("run.dir", str(path), wanted)])


def alive(status: dict) -> bool:
    """Whether the process that wrote a status still runs, as far as this machine can tell."""
    if status.get("host") != socket.gethostname() or status.get("process") == os.getpid():
        return False
    try:
        os.kill(int(status["process"]), 0)
    except (OSError, KeyError, TypeError, ValueError):
        return False
    return True


def clear(path: pathlib.Path) -> None:
    """Remove results, so that old and new never stand side by side, nor half of them alone."""
    for name in RESULTS:
        entry = path / name
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def yaml_of(config: dict) -> str:
    """The configuration as YAML."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(config))
