"""Importance-sampling laws on disk, each with the purpose that it was learned for and may be used for."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from engine.book.parameters import Parameters
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.checkpoints import differences

NAME = "tilt.npz"
"""File of the law in the run's folder."""

MODEL = ("book", *(field.name for field in dataclasses.fields(Parameters)))
"""Configuration groups that must be equal when a law is learned and when it is used."""


def purpose_of(experiment: Experiment, book_hash: str) -> dict[str, Any]:
    """Purpose of a law: the model's numbers, the book, the months and the loss column."""
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
    """(sampler, notes) of a law on disk.

    Raises `BadInput` for a file that is missing or damaged, a law with another purpose, and arrays that do
    not fit the System.
    """
    from engine.run import checkpoint
    from engine.run.packing import Unreadable

    try:
        law = checkpoint.read(path)
    except Unreadable as error:
        raise BadInput([f"sampler.tilt: {error}"]) from None
    if problems := differences(law.identity, purpose):
        raise BadInput(
            f"sampler.tilt: {path} was learned for something else, {problem}" for problem in problems
        )
    return sampler_of(law.arrays, system, f"in {path}"), law.notes


def sampler_of(arrays: Mapping[str, Any], system: Any, place: str) -> Any:
    """The sampler of a law's arrays; `place` says where they are from.

    Raises `BadInput` for arrays that do not fit the System.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from engine.draws.tilted import Tilted
    from engine.learn.importance.importance import plain_of, repeat_part
    from engine.learn.importance.pilot import nominal_of
    from engine.run.packing import named

    nominal = nominal_of(system)
    parts = np.size(arrays.get(".share", 0.0))
    like = repeat_part(plain_of(nominal, system), parts)
    leaves = []
    for name, leaf in named(like):
        array = arrays.get(name)
        if array is None or array.shape != leaf.shape:
            shape = "none" if array is None else f"shape {array.shape}"
            kind = f"an array {name} of shape {leaf.shape} {place}"
            raise BadInput([f"sampler.tilt: got {shape}, expected {kind}"])
        leaves.append(jnp.asarray(array, leaf.dtype))
    return Tilted(jax.tree.unflatten(jax.tree.structure(like), leaves), nominal)
