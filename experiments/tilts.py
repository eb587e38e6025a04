"""Learned laws on disk: what was learned, for what, and the refusal to use it for anything else."""

import json
import pathlib

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment, decisive

NAME = "tilt.npz"
"""In the run's folder."""

FREE = ("task", "run", "sampler", "scenario", "network")
"""Groups that may differ between learning and use: they are not the model."""


def purpose_of(experiment: Experiment, book_hash: str) -> dict:
    """What a law is learned for: the model's numbers, the book, the months and the loss."""
    groups = {name: held for name, held in decisive(experiment.config).items() if name not in FREE}
    purpose = {
        "config": groups,
        "book": book_hash,
        "months": experiment.run.months,
        "column": experiment.sampler.column,
    }
    return json.loads(json.dumps(purpose))


def save(path: pathlib.Path, tilt, notes: dict, purpose: dict) -> None:
    """Write a law whole, with its purpose, notes and a checksum."""
    from engine.run import checkpoint
    from engine.run.packing import named

    arrays = dict(named(tilt))
    checkpoint.save(path, checkpoint.Checkpoint(purpose, notes, arrays))


def load(path: pathlib.Path, system, purpose: dict) -> tuple:
    """(sampler, notes) of a law; raises `BadInput` where it is unreadable or was learned for other things."""
    import jax
    import jax.numpy as jnp

    from engine.draws.tilted import Tilted
    from engine.learn.importance.importance import plain_of, spread
    from engine.learn.importance.pilot import nominal_of
    from engine.run import checkpoint
    from engine.run.packing import Unreadable, named

    try:
        saved = checkpoint.read(path)
    except Unreadable as error:
        raise BadInput([f"sampler.tilt: {error}"]) from None
    if problems := checkpoint.differences(saved.identity, purpose):
        raise BadInput(
            f"sampler.tilt: {path} was learned for something else, {problem}" for problem in problems
        )
    nominal = nominal_of(system)
    parts = len(saved.arrays[".share"])
    like = spread(plain_of(nominal, system), parts)
    leaves = []
    for name, leaf in named(like):
        held = saved.arrays[name]
        if held.shape != leaf.shape:
            wanted = f"an array {name} of shape {leaf.shape} in {path}"
            raise BadInput([expected("sampler.tilt", f"shape {held.shape}", wanted)])
        leaves.append(jnp.asarray(held, leaf.dtype))
    return Tilted(jax.tree.unflatten(jax.tree.structure(like), leaves), nominal), saved.notes
