"""When a run is saved, what identifies its checkpoints, and where an interrupted run left them."""

import json
import logging
import pathlib
import time
from typing import TYPE_CHECKING, Any

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.lock import busy
from experiments.session.stopping import Stop

if TYPE_CHECKING:
    from engine.results.replications import Replications
    from engine.run.checkpoint import Checkpoint
    from engine.run.plan import RunState

log = logging.getLogger("undertow")

HASHED = {
    "book": "a different book, or this one with other numbers",
    "sources": "a different version of the engine's source code",
}
"""Parts of an identity that are hashes, and what it means when they differ."""


def identity_of(experiment: Experiment, book_hash: str) -> dict:
    """What decides a run's numbers: configuration, book, sources, versions of libraries and compiler."""
    from engine.results import provenance

    versions, compiler = provenance.versions(), () if experiment.run.kernel == "xla" else ("compiler",)
    identity = {
        "config": experiment.decisive,
        "book": book_hash,
        "sources": provenance.sources(),
        "versions": {name: versions[name] for name in ("jax", "jaxlib", "numpy", *compiler)},
    }
    return json.loads(json.dumps(identity))


def differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Where two identities differ, a line each: keys of the configuration and versions with both values.

    Keys that only one version of the source code has are counted.

    >>> differences({"sources": "3f", "run": {"seed": 7}}, {"sources": "9c", "run": {"seed": 8}})
    ["sources: a different version of the engine's source code", 'run.seed: 7 there, 8 here']
    """
    from engine.run import checkpoint

    lines = {line.partition(":")[0]: line for line in checkpoint.differences(theirs, ours)}
    if "sources" in lines and (single := keys(theirs) ^ keys(ours)):
        lines = {part: line for part, line in lines.items() if part in keys(theirs) & keys(ours)}
        lines["config"] = f"config: {len(single)} keys that only one of the two versions has"
    return [f"{part}: {HASHED[part]}" if part in HASHED else line for part, line in lines.items()]


def keys(identity: dict[str, Any], group: str = "") -> set[str]:
    """The dotted names of all values of an identity."""
    names: set[str] = set()
    for key, value in identity.items():
        names |= keys(value, f"{group}{key}.") if isinstance(value, dict) else {f"{group}{key}"}
    return names


def interrupted_folder(experiment: Experiment, identity: dict) -> pathlib.Path | None:
    """The folder with checkpoints of the same run, if there is one.

    Raises `BadInput` if `run.dir` holds those of another run. Without `run.dir` it is the latest in out/.
    """
    from engine.run import checkpoint

    if not experiment.run.resume:
        return None
    if experiment.run.dir is None:
        folders = sorted(pathlib.Path("out").glob(f"*-{experiment.hash[:8]}"), reverse=True)
        own = (path for path in folders if checkpoint.checkpoints_in(path) and not strange(path, identity))
        return next((path for path in own if not busy(path)), None)
    folder = pathlib.Path(experiment.run.dir)
    if problems := strange(folder, identity):
        reason = "run.dir: {} holds the checkpoint of another run, {}; run.resume=false discards it"
        raise BadInput(reason.format(folder, problem) for problem in problems)
    return folder if checkpoint.checkpoints_in(folder) else None


def strange(folder: pathlib.Path, identity: dict) -> list[str]:
    """How the identity of a folder's latest readable checkpoint differs; empty without one."""
    from engine.run import checkpoint
    from engine.run.packing import Unreadable

    for path in checkpoint.checkpoints_in(folder):
        try:
            return differences(checkpoint.read_head(path)["identity"], identity)
        except Unreadable:
            continue
    return []


class Checkpoints:
    """Saves a run at intervals and when it is asked to stop, and resumes it."""

    def __init__(
        self, folder: pathlib.Path, identity: dict, experiment: Experiment, stop: Stop, device: str
    ) -> None:
        self.folder, self.identity, self.device, self.stop = folder, identity, device, stop
        self.every, self.paths = experiment.run.checkpoint_seconds, experiment.run.paths
        self.sessions, self.saved = 1, time.monotonic()

    def start(self, empty: "RunState", replications: "Replications") -> "RunState | None":
        """The state to resume from, None to start afresh; also restores the replications."""
        from engine.run import checkpoint
        from engine.run.packing import Unreadable, unpacked

        self.empty, self.replications = empty, replications
        for path in checkpoint.checkpoints_in(self.folder):
            try:
                last = checkpoint.read(path)
                state = unpacked(last.arrays, empty)
            except Unreadable as error:
                log.warning("%s", error)
                continue
            return self._resumed(last, state._replace(done=int(state.done)))
        if checkpoint.checkpoints_in(self.folder):
            log.warning("no checkpoint can be read: the run starts over")
        return None

    def _resumed(self, last: "Checkpoint", state: "RunState") -> "RunState":
        """The state of a checkpoint, with what to know of it in the log."""
        self.sessions = last.notes["sessions"] + 1
        self.replications.restore(prefixed(last.arrays))
        log.info("going on from %s of %s paths", f"{state.done:,}", f"{self.paths:,}")
        if last.notes["device"] != self.device:
            message = "begun on %s, going on on %s: numbers may differ from those of one machine by rounding"
            log.warning(message, last.notes["device"], self.device)
        return state._replace(seconds=float(state.seconds))

    def due(self, stopping: bool) -> bool:
        """Whether to save the run after a round of blocks."""
        return bool(self.every) and (stopping or time.monotonic() - self.saved >= self.every)

    def save(self, state: "RunState") -> None:
        """Write a checkpoint; a full disk does not end the run."""
        from engine.run import checkpoint
        from engine.run.packing import packed

        extra = {f"replications {name}": array for name, array in self.replications.arrays().items()}
        notes = {"sessions": self.sessions, "device": self.device}
        arrays = packed(state, self.empty) | extra
        try:
            checkpoint.write(self.folder, checkpoint.Checkpoint(self.identity, notes, arrays))
        except OSError as error:
            log.warning("the run could not be saved: %s", error)
        else:
            say = log.warning if self.stop() else log.info
            say("saved at %s of %s paths", f"{state.done:,}", f"{self.paths:,}")
        self.saved = time.monotonic()


def prefixed(arrays: dict) -> dict:
    """The arrays of the replications, by their own names."""
    return {
        name.removeprefix("replications "): a
        for name, a in arrays.items()
        if name.startswith("replications ")
    }
