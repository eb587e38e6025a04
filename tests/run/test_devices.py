"""No array without elements enters or leaves `shard_map`, where XLA of JAX 0.11 crashes on it."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.run.blocks import tally_blocks
from engine.run.chunks import map_chunks
from engine.run.devices import OWN, SHARED, mesh_of, own, side_by_side
from tests.run.test_blocks import LAYOUT, outcome
from tests.test_house import ROOT, sources


def equations(jaxpr):
    """Every equation of a jaxpr, those of the jaxprs in it too."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, list | tuple) else [value]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from equations(inner)


def border(function, *arguments, **static):
    """Shapes that enter or leave the one `shard_map` of a function."""
    jaxpr = jax.jit(function, static_argnames=tuple(static)).trace(*arguments, **static).jaxpr
    (equation,) = [each for each in equations(jaxpr.jaxpr) if each.primitive.name == "shard_map"]
    body = equation.params["jaxpr"]
    crossing = [*equation.invars, *equation.outvars, *body.invars, *body.outvars, *body.constvars]
    return [atom.aval.shape for atom in crossing]


def without_elements(shapes):
    return [shape for shape in shapes if 0 in shape]
