"""When a run is saved, what it goes on from, and which folder an interrupted run left it in."""

import json
import logging
import pathlib
import time

from engine.results import provenance
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.lock import busy
from experiments.session.stopping import Stop

log = logging.getLogger("undertow")


def identity_of(experiment: Experiment, book_hash: str) -> dict:
    """All that decides a run's numbers: configuration, book, the engine's sources and what computes them."""
    versions = provenance.versions()
    identity = {
        "config": experiment.decisive,
        "book": book_hash,
        "sources": provenance.sources(),
        "versions": {name: versions[name] for name in ("jax", "jaxlib", "numpy")},
    }
    return json.loads(json.dumps(identity))


def interrupted_folder(experiment: Experiment, identity: dict) -> pathlib.Path | None:
    """The folder with checkpoints of this very run, if there is one.

    Raises `BadInput` where `run.dir` holds those of another run. Without `run.dir` it is the latest in out/.
    """
    from engine.run import checkpoint

    if not experiment.run.resume:
        return None
    if experiment.run.dir is None:
        left = sorted(pathlib.Path("out").glob(f"*-{experiment.hash[:8]}"), reverse=True)
        own = (path for path in left if checkpoint.checkpoints_in(path) and not strange(path, identity))
        return next((path for path in own if not busy(path)), None)
    folder = pathlib.Path(experiment.run.dir)
    if problems := strange(folder, identity):
        reason = "run.dir: {} holds the checkpoint of another run, {}; run.resume=false discards it"
        raise BadInput(reason.format(folder, problem) for problem in problems)
    return folder if checkpoint.checkpoints_in(folder) else None


def strange(folder: pathlib.Path, identity: dict) -> list[str]:
    """Where the identity of a folder's checkpoints differs; nothing for those that cannot be read."""
    from engine.run import checkpoint

    for path in checkpoint.checkpoints_in(folder):
        try:
            return checkpoint.differences(checkpoint.read_head(path)["identity"], identity)
        except checkpoint.Unreadable:
            continue
    return []


class Checkpoints:
    """Saves a run every so many seconds and when it was asked to stop, and takes it up again."""

    def __init__(
        self, folder: pathlib.Path, identity: dict, experiment: Experiment, stop: Stop, device: str
    ) -> None:
        self.folder, self.identity, self.device, self.stop = folder, identity, device, stop
        self.every, self.paths = experiment.run.checkpoint_seconds, experiment.run.paths
        self.sessions, self.saved = 1, time.monotonic()

    def start(self, empty, replications):
        """The standing to go on from, None to start anew; the replications take up what they had kept."""
        from engine.run import checkpoint
        from engine.run.packing import unpacked

        self.empty, self.replications = empty, replications
        for path in checkpoint.checkpoints_in(self.folder):
            try:
                saved = checkpoint.read(path)
                standing = unpacked(saved.arrays, empty)
            except checkpoint.Unreadable as error:
                log.warning("%s", error)
                continue
            return self._taken_up(saved, standing._replace(done=int(standing.done)))
        if checkpoint.checkpoints_in(self.folder):
            log.warning("no checkpoint can be read: the run starts over")
        return None

    def _taken_up(self, saved, standing):
        """The standing of a checkpoint, said aloud."""
        self.sessions = saved.notes["sessions"] + 1
        self.replications.restore(prefixed(saved.arrays))
        log.info("going on from %s of %s paths", f"{standing.done:,}", f"{self.paths:,}")
        if saved.notes["device"] != self.device:
            said = "begun on %s, going on on %s: numbers may differ from those of one machine by rounding"
            log.warning(said, saved.notes["device"], self.device)
        return standing._replace(seconds=float(standing.seconds))

    def due(self, stopping: bool) -> bool:
        """After a round of blocks: whether to save where the run stands."""
        return bool(self.every) and (stopping or time.monotonic() - self.saved >= self.every)

    def save(self, standing) -> None:
        """Write a checkpoint; a full disk is no reason for the run to end."""
        from engine.run import checkpoint
        from engine.run.packing import packed

        kept = {f"replications {name}": array for name, array in self.replications.kept().items()}
        notes = {"sessions": self.sessions, "device": self.device}
        arrays = packed(standing, self.empty) | kept
        try:
            checkpoint.write(self.folder, checkpoint.Checkpoint(self.identity, notes, arrays))
        except OSError as error:
            log.warning("the run could not be saved: %s", error)
        else:
            say = log.warning if self.stop() else log.info
            say("saved at %s of %s paths", f"{standing.done:,}", f"{self.paths:,}")
        self.saved = time.monotonic()


def prefixed(arrays: dict) -> dict:
    """What the replications had kept, by its own names."""
    return {
        name.removeprefix("replications "): a
        for name, a in arrays.items()
        if name.startswith("replications ")
    }
