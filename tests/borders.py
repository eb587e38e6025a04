"""What crosses the border of `shard_map` in a traced function."""

from collections.abc import Iterator
from typing import Any


def equations(jaxpr: Any) -> Iterator[Any]:
    """Every equation of a jaxpr, and of the jaxprs within."""
    for equation in jaxpr.eqns:
        yield equation
        for parameter in equation.params.values():
            for inner in parameter if isinstance(parameter, list | tuple) else [parameter]:
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from equations(inner)


def empty_at_border(traced: Any) -> list[tuple[int, ...]]:
    """Shapes of the arrays without elements that enter or leave the one `shard_map` of a traced function."""
    (equation,) = [each for each in equations(traced.jaxpr.jaxpr) if each.primitive.name == "shard_map"]
    body = equation.params["jaxpr"]
    atoms = [*equation.invars, *equation.outvars, *body.constvars, *body.invars, *body.outvars]
    return [atom.aval.shape for atom in atoms if 0 in atom.aval.shape]
