"""The type checker of the tests: beartype, with a whole number accepted where a float is annotated.

jaxtyping's import hook wraps every function so that axes of one name have one length. That binds each
argument by name at each call, a fifth of what tests of the command took; beartype alone suffices where no
shape is annotated.
"""

import dataclasses
import inspect
import typing
from collections.abc import Callable
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=TypeError))
with_shapes = jaxtyping.jaxtyped


def has_shape(annotation: Any) -> bool:
    """Whether an array's shape is part of an annotation, or may be: what a text says is not looked up.

    >>> from numpy import ndarray
    >>> has_shape(dict[str, jaxtyping.Float[ndarray, "paths"]]), has_shape(list[str] | None)
    (True, False)
    """
    if isinstance(annotation, list):  # the arguments of a Callable
        return any(map(has_shape, annotation))
    if parts := typing.get_args(annotation):
        return any(map(has_shape, parts))
    return isinstance(annotation, str) or (
        inspect.isclass(annotation) and issubclass(annotation, jaxtyping.AbstractArray)
    )


def typed(*, typechecker: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """In the place of `jaxtyping.jaxtyped`: a decorator that binds shapes where there are any."""

    def decorated(thing: Any) -> Any:
        if not inspect.isclass(thing):
            annotations = list(thing.__annotations__.values())
        elif dataclasses.is_dataclass(thing):
            annotations = [field.type for field in dataclasses.fields(thing)]
        else:
            return thing
        if any(map(has_shape, annotations)):
            return with_shapes(thing, typechecker=typechecker)
        if not inspect.isclass(thing):
            return typechecker(thing)
        thing.__init__ = typechecker(thing.__init__)
        return thing

    return decorated
