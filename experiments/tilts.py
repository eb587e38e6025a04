"""Learned laws on disk: what was learned, for what, and the refusal to use it for anything else."""

import dataclasses
import json
import pathlib
from typing import Any

from engine.book.checks.problems import expected
from engine.book.parameters import Parameters
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.checkpoints import differences

NAME = "tilt.npz"
"""In the run's folder."""

MODEL = ("book", *(field.name for field in dataclasses.fields(Parameters)))
"""Groups that must be the same in learning and in use."""


def purpose_of(experiment: Experiment, book_hash: str) -> dict[str, Any]:
    """What a law is learned for: the model's numbers, the book, the months and the loss."""
    groups = {name: experiment.decisive[name] for name in MODEL}
    purpose = {
        "config": groups,
        "book": book_hash,
        "months": experiment.run.months,
        "column": experiment.sampler.column,
    }
    return json.loads(json.dumps(purpose))


def save(path: pathlib.Path, tilt: Any, notes: dict, purpose: dict) -> None:
    """Write a law whole, with its purpose, notes and a checksum."""
    from engine.run import checkpoint
    from engine.run.packing import named

    arrays = dict(named(tilt))
    checkpoint.save(path, checkpoint.Checkpoint(purpose, notes, arrays))


def load(path: pathlib.Path, system: Any, purpose: dict) -> tuple[Any, dict]:
    """(sampler, notes) of a law; raises `BadInput` where it is unreadable or was learned for other things."""
    import jax
    import jax.numpy as jnp

    from engine.draws.tilted import Tilted
    from engine.learn.importance.importance import plain_of, repeat_part
    from engine.learn.importance.pilot import nominal_of
    from engine.run import checkpoint
    from engine.run.packing import Unreadable, named

    try:
        saved = checkpoint.read(path)
    except Unreadable as error:
        raise BadInput([f"sampler.tilt: {error}"]) from None
    if problems := differences(saved.identity, purpose):
        raise BadInput(
            f"sampler.tilt: {path} was learned for something else, {problem}" for problem in problems
        )
    nominal = nominal_of(system)
    parts = len(saved.arrays[".share"])
    like = repeat_part(plain_of(nominal, system), parts)
    leaves = []
    for name, leaf in named(like):
        array = saved.arrays[name]
        if array.shape != leaf.shape:
            kind = f"an array {name} of shape {leaf.shape} in {path}"
            raise BadInput([expected("sampler.tilt", f"shape {array.shape}", kind)])
        leaves.append(jnp.asarray(array, leaf.dtype))
    return Tilted(jax.tree.unflatten(jax.tree.structure(like), leaves), nominal), saved.notes
