"""A run of a path model on disk while it lasts, to go on from after an interruption, to the bit.

The folder's checkpoint (`engine.run.checkpoint`) holds the state of `blocks.simulate` and the tally of every
finished replication. Its identity is the plan, the samplers' arrays and the program of one path, parameters
apart, as XLA reads it: a run that would give other numbers does not go on from it. The file goes when the
run is done.
"""

import hashlib
import pathlib
import re
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from engine import arguments
from engine.draws.address import seed_words
from engine.draws.samplers import Sampler
from engine.run import checkpoint
from engine.run.checkpoint import Checkpoint
from engine.run.packing import Unreadable, packed, unpacked
from engine.run.path_model import PathModel
from engine.run.plan import Plan, RunState, initial_state
from engine.tail.tally import Layout, Tally


class Save:
    """Writes the state of a run into a folder every so many seconds, and reads it again."""

    def __init__(self, folder: str | pathlib.Path, every: float, identity: dict[str, Any], layout: Layout):
        self.folder, self.every, self.identity = folder_of(folder), every, identity
        self.empty, self.saved = initial_state(layout), time.monotonic()
        self.tallies: list[Tally] = []  # of the finished replications

    def start(self) -> RunState | None:
        """The state to go on from, None to begin; finished replications are in `tallies` then.

        Raises ValueError for the checkpoint of another run.
        """
        files = checkpoint.checkpoints_in(self.folder)
        for path in files:
            try:
                last = checkpoint.read(path)
                self.refuse_other(last.identity)
                state = unpacked(last.arrays, self.empty)
                self.tallies = [self.finished(last.arrays, r) for r in range(last.notes["replications"])]
            except Unreadable as error:
                warnings.warn(str(error), stacklevel=3)
                continue
            return state._replace(done=int(state.done), seconds=float(state.seconds))
        return None

    def refuse_other(self, identity: dict[str, Any]) -> None:
        """ValueError where a checkpoint is not of this run."""
        differences = checkpoint.differences(identity, self.identity)
        if differences:
            expected = "expected none, or that of an interruption of this run"
            raise ValueError(
                f"folder: got the checkpoint of another run ({'; '.join(differences)}), {expected}"
            )

    def finished(self, arrays: dict[str, np.ndarray], replication: int) -> Tally:
        """The tally of a finished replication."""
        prefix = f"replication {replication} "
        own = {name.removeprefix(prefix): each for name, each in arrays.items() if name.startswith(prefix)}
        return unpacked(own, self.empty.finished)

    def due(self, stopping: bool) -> bool:
        """Whether to save after a round of blocks."""
        return stopping or time.monotonic() - self.saved >= self.every

    def save(self, state: RunState) -> None:
        """Write the state; a full disk does not end the run."""
        arrays = packed(state, self.empty)
        for r, tally in enumerate(self.tallies):
            own = packed(tally, self.empty.finished)
            arrays |= {f"replication {r} {name}": each for name, each in own.items()}
        try:
            checkpoint.write(
                self.folder, Checkpoint(self.identity, {"replications": len(self.tallies)}, arrays)
            )
        except OSError as error:
            warnings.warn(f"the run could not be saved: {error}", stacklevel=2)
        self.saved = time.monotonic()

    def discard(self) -> None:
        """Remove the checkpoints."""
        checkpoint.discard(self.folder)


def folder_of(folder: str | pathlib.Path) -> pathlib.Path:
    """A folder that exists from here on; ValueError where it cannot."""
    if not isinstance(folder, str | pathlib.Path):
        arguments.refuse("folder", folder, "the path of a folder")
    path = pathlib.Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder: got {folder} ({error.strerror}), expected a folder") from None
    return path


def identity_of(model: PathModel, plan: Plan, samplers: tuple[Sampler, ...], scale: float) -> dict[str, Any]:
    """Everything that decides the numbers of a run."""
    one: Callable[..., Any] = model.chunk.one
    program = jax.jit(one).lower(samplers[0], seed_words(plan.seed), jnp.int64(0), model.parameters).as_text()
    names = {key: list(each) for key, each in vars(model.layout).items() if isinstance(each, tuple)}
    return {
        "paths": plan.paths,
        "seed": plan.seed,
        "replications": len(samplers),
        "scale": scale,
        "names": names,
        "path": digest([np.frombuffer(re.sub(r"\s+", " ", program).encode(), np.uint8)]),
        "parameters": digest(jax.tree.leaves(model.parameters)),
        "sampler": digest(jax.tree.leaves(samplers)),
    }


def digest(arrays: list[Any]) -> str:
    """The first letters of the sha256 of arrays, their types and shapes."""
    sha256 = hashlib.sha256()
    for array in map(np.asarray, arrays):
        sha256.update(f"{array.dtype.str} {array.shape}".encode())
        sha256.update(np.ascontiguousarray(array).data)
    return sha256.hexdigest()[:16]
