"""Learned samplers on disk, each with the purpose that it was learned for and may be used for."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from engine.book.parameters import Parameters
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.checkpoints import differences

NAME = "proposal.npz"
"""File of the sampler in the run's folder."""

OWN = ".nominal"
"""Arrays of the sampler that are the model's, and not learned."""

SCALES = ".surrogate.scale"
"""Infinite where a feature is not read."""

SAME = ("months", "column")
"""What a sampler is learned for and nothing else will do."""

MODEL = ("book", *(field.name for field in dataclasses.fields(Parameters)))
"""Configuration groups that must be equal when a sampler is learned and when it is used."""


def purpose_of(experiment: Experiment, book_hash: str) -> dict[str, Any]:
    """Purpose of a sampler: the model's numbers, the book, the months and the loss column."""
    groups = {name: experiment.decisive[name] for name in MODEL}
    purpose = {
        "config": groups,
        "book": book_hash,
        "months": experiment.run.months,
        "column": experiment.sampler.column,
    }
    return json.loads(json.dumps(purpose))


def save(path: pathlib.Path, sampler: Any, notes: dict, purpose: dict) -> None:
    """Write what was learned whole, with its purpose, notes and a checksum."""
    from engine.run import checkpoint

    checkpoint.save(path, checkpoint.Checkpoint(purpose, notes, arrays_of(sampler)))


def arrays_of(sampler: Any) -> dict[str, Any]:
    """What a sampler has learned, by name."""
    import numpy as np

    from engine.run.packing import named

    return {name: np.asarray(leaf) for name, leaf in named(sampler) if not name.startswith(OWN)}


def load(
    path: pathlib.Path, system: Any, purpose: dict, candidates: int, nearby: bool = False
) -> tuple[Any, dict]:
    """(sampler, notes) of a file, with so many candidates a path.

    `nearby`: other numbers of the model and another state of the book will do, and are noted; paths are
    weighed for whatever choice was learned. Raises `BadInput` for a file that is missing or damaged, a
    sampler with another purpose, and arrays that do not fit the System.
    """
    from engine.run import checkpoint
    from engine.run.packing import Unreadable

    try:
        law = checkpoint.read(path)
    except Unreadable as error:
        raise BadInput([f"sampler.proposal: {error}"]) from None
    problems, notes = differences(law.identity, purpose), dict(law.notes)
    if nearby and all(law.identity.get(name) == purpose[name] for name in SAME):
        notes["differences"] = notes.get("differences", []) + problems
        problems = []
    if problems:
        raise BadInput(
            f"sampler.proposal: {path} was learned for something else, {problem}" for problem in problems
        )
    return sampler_of(law.arrays, system, candidates, f"in {path}"), notes


def sampler_of(arrays: Mapping[str, Any], system: Any, candidates: int, place: str) -> Any:
    """The sampler of these arrays; `place` says where they are from.

    Raises `BadInput` for arrays that do not fit the System.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from engine.learn.importance.importance import blank
    from engine.run.packing import named

    like = blank(system, candidates)
    leaves = []
    for name, leaf in named(like):
        array = leaf if name.startswith(OWN) else arrays.get(name)
        if array is None or array.shape != leaf.shape:
            shape = "none" if array is None else f"shape {array.shape}"
            kind = f"an array {name} of shape {leaf.shape} {place}"
            raise BadInput([f"sampler.proposal: got {shape}, expected {kind}"])
        if not name.startswith(OWN) and not (np.isfinite(array) | (name == SCALES)).all():
            raise BadInput([f"sampler.proposal: got {name} not finite {place}, expected finite numbers"])
        leaves.append(jnp.asarray(array, leaf.dtype))
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
