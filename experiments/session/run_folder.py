"""The folder of one run: its configuration, provenance, status and log; every file is written whole.

config.yaml      the resolved configuration          status.json   running, done, interrupted or failed
provenance.json  versions, hashes, command, device   log.jsonl     one JSON object a line
results/*.parquet, summary.json, report.*, figures/  written when the run has finished
checkpoint.npz, checkpoint-previous.npz              what an interrupted run resumes from
"""

import contextlib
import datetime
import itertools
import json
import logging
import os
import pathlib
import shutil
import socket
import sys
import tempfile
from types import TracebackType
from typing import TYPE_CHECKING

from engine.book.checks.problems import expected
from engine.run.processes import Lost
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.lock import NAME, Busy, Lock, busy
from experiments.session.progress import among_others, watched
from experiments.session.stopping import Interrupted

if TYPE_CHECKING:
    from engine.results.provenance import Provenance

REPORT = {
    "html": "report.html", "xlsx": "report.xlsx", "pdf": "report.pdf", "svg": "figures/*.svg",
    "png": "figures/*.png",
}  # fmt: skip
"""Files of the report by its form."""

RESULTS = ("summary.json", "results", "report.html", "report.xlsx", "report.pdf", "figures")
log = logging.getLogger("undertow")


class Lines(logging.Formatter):
    """One JSON object per line, with the run's id and the rank of the process."""

    def __init__(self, run: str, rank: int = 0) -> None:
        super().__init__()
        self.run, self.rank = run, rank

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(),
            "level": record.levelname,
            "run": self.run,
            "rank": self.rank,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


class Quiet(logging.StreamHandler):
    """A handler on the terminal that a run outlives: what cannot be written there is left out."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: the run goes on, and its log has the line."""


class Log(logging.FileHandler):
    """The run's log.jsonl: a full disk costs lines, not the run."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: the terminal has the line."""


class RunFolder:
    """`with RunFolder(experiment, provenance) as folder:`; an exception is recorded in status.json.

    `begun` is the folder of an interrupted run that is resumed: it keeps its name, its start and its log.
    Raises `BadInput` on entering if another process is using the folder.
    """

    def __init__(
        self, experiment: Experiment, provenance: "Provenance", begun: pathlib.Path | None = None
    ) -> None:
        started = datetime.datetime.now().astimezone()
        before = read_status(begun) if begun else {}
        self.id = before.get("run") or f"{started:%Y%m%d-%H%M%S}-{experiment.hash[:8]}"
        self.started = before.get("started") or started.isoformat(timespec="seconds")
        self.path = begun or pathlib.Path(experiment.run.dir or f"out/{self.id}")
        self.experiment, self.goes_on = experiment, bool(begun)
        self.provenance: Provenance = {**provenance, "run": self.id}
        self.doubts: list[str] = []
        self.handlers: list[logging.Handler] = []

    def __enter__(self) -> "RunFolder":
        from engine.files import sweep_unfinished
        from engine.results.folder import write_json, write_text
        from engine.run import checkpoint

        self._make()
        try:
            self.lock = Lock(self.path)
        except Busy:
            raise BadInput([at_work(self.path)]) from None
        self.status("running")
        clear(self.path)
        sweep_unfinished(self.path)
        if not self.goes_on:
            checkpoint.discard(self.path)
        write_text(self.path / "config.yaml", yaml_of(self.experiment.config))
        write_json(self.path / "provenance.json", dict(self.provenance))
        self._listen()
        log.info("run %s: %s", self.id, " ".join(self.provenance["command"]))
        return self

    def _make(self) -> None:
        """Make the folder; one without a name gets a number where another run began in the same second."""
        if self.goes_on or self.experiment.run.dir:
            self.path.mkdir(parents=True, exist_ok=True)
            return
        begun, _, digest = self.id.rpartition("-")
        for number in itertools.count(1):
            self.id = f"{begun}-{digest}" if number == 1 else f"{begun}-{number}-{digest}"
            self.path = self.path.with_name(self.id)
            with contextlib.suppress(FileExistsError):
                self.path.mkdir(parents=True)
                break
        self.provenance = {**self.provenance, "run": self.id}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(kind, error, trace)
        finally:
            for handler in self.handlers:
                logging.getLogger().removeHandler(handler)
                with contextlib.suppress(OSError):
                    handler.close()
            self.lock.release()

    def _end(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the final status; remove the results of a run that did not finish."""
        from engine.run import checkpoint

        if kind is None:
            self.status("done", "; ".join(self.doubts) or None)
            checkpoint.discard(self.path)
        elif issubclass(kind, Interrupted | KeyboardInterrupt | Lost):
            clear(self.path)
            log.warning("interrupted: %s", error)
            self.status("interrupted", str(error))
        else:
            clear(self.path)
            log.error("failed", exc_info=error)
            self.status("failed", f"{kind.__name__}: {error}")

    def status(self, state: str, reason: str | None = None) -> None:
        """Write status.json."""
        from engine.results.folder import write_json

        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        entry = {
            "schema": 1, "status": state, "reliable": not self.doubts if state == "done" else None,
            "reason": reason, "run": self.id, "started": self.started, "updated": now,
            "host": socket.gethostname(), "process": os.getpid(),
        }  # fmt: skip
        try:
            write_json(self.path / "status.json", entry)
        except OSError as error:
            overwrite(self.path / "status.json", json.dumps(entry), error)

    def _listen(self) -> None:
        """Log everything to log.jsonl; to the terminal warnings, and progress if there is no bar."""
        mode = "a" if self.goes_on else "w"
        whole = Log(self.path / "log.jsonl", mode=mode, encoding="utf-8")
        whole.setFormatter(Lines(self.id))
        person = Quiet(sys.stderr)
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


def speak(run: str, rank: int) -> None:
    """Log to standard error, in the format of log.jsonl: for a process without a folder."""
    handler = Quiet(sys.stderr)
    handler.setFormatter(Lines(run, rank))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("jax").setLevel(logging.WARNING)


def overwrite(path: pathlib.Path, text: str, error: OSError) -> None:
    """Write a file over itself, without a byte more of disk, where it cannot be written anew.

    Raises `error`, the reason, where there is no such file.
    """
    try:
        with open(path, "r+", encoding="utf-8") as file:
            file.write(text)
            file.truncate()
    except OSError:
        raise error from None


def refuse_unwritable(path: pathlib.Path, key: str = "run.dir") -> None:
    """Raise `BadInput` where no file can be written into the folder of a key; leaves nothing behind."""
    missing: list[pathlib.Path] = []
    try:
        missing = [each for each in (path, *path.parents) if not os.path.lexists(each)]
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except (OSError, ValueError) as error:
        nowhere = os.path.islink(path) and not os.path.exists(path)
        reason = "a link to nowhere" if nowhere else getattr(error, "strerror", None) or str(error)
        raise BadInput([expected(key, str(path), f"a folder that can be written ({reason})")]) from None
    finally:
        for each in missing:
            with contextlib.suppress(OSError):
                each.rmdir()


def refuse_foreign(folder: str | None) -> None:
    """Raise `BadInput` for a folder that cannot be written, has files that are no run's, or is in use."""
    path = pathlib.Path(folder or "out")
    refuse_unwritable(path)
    if folder is None or not path.exists() or not any(entry.name != NAME for entry in path.iterdir()):
        return
    if not read_status(path):
        kind = "a new or empty folder, or that of an earlier run; this one holds other files"
        raise BadInput([expected("run.dir", str(path), kind)])
    if busy(path):
        raise BadInput([at_work(path)])


def at_work(path: pathlib.Path) -> str:
    """The message for a folder in use."""
    status = read_status(path)
    holder = f"process {status.get('process', 'unknown')} on {status.get('host', 'this machine')}"
    return expected("run.dir", str(path), f"a folder that no run is writing to; {holder} still is")


def read_status(path: pathlib.Path) -> dict:
    """A run's status.json; empty where there is none."""
    status = read_document(path / "status.json")
    return status if "status" in status else {}


def read_document(path: pathlib.Path) -> dict:
    """A JSON document of a run; empty where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def clear(path: pathlib.Path) -> None:
    """Remove all results, so that old and new ones are never mixed."""
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
