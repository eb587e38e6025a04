"""What `help` shows of a public name: its own name, and types by name in place of what they are made of."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

TYPING = re.compile(r"(?<!\w)typing\.")
PARTS = re.sub(r"^Union\[(.*)\]$", r"\1", TYPING.sub("", inspect.formatannotation(ArrayLike)))
"""What `ArrayLike` is made of, which Python shows in its place; its name where NumPy's alias keeps it."""
MODULES = re.compile(r"\b(?:\w+\.)+(?=[A-Z])")


class Words(str):
    """An annotation as text."""

    __repr__ = str.__str__


def public(name: str, value: Any) -> Any:
    """The value of a public name with signatures that can be read; a function is known by that name."""
    if inspect.isclass(value):
        for each in vars(value).values():
            if inspect.isfunction(each):
                sign(each)
    elif inspect.isfunction(value):
        value = named(name, value) if value.__name__ != name else value
        sign(value)
    return value


def named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function by another name."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)

    call.__module__, call.__name__, call.__qualname__ = "undertow", name, name
    return call


def sign(function: Callable[..., Any]) -> None:
    """Give a function the signature that `help` is to show."""
    signature = inspect.signature(function)
    parameters = [each.replace(annotation=plain(each.annotation)) for each in signature.parameters.values()]
    plainly = signature.replace(parameters=parameters, return_annotation=plain(signature.return_annotation))
    function.__signature__ = plainly  # type: ignore[attr-defined]


def plain(annotation: Any) -> Any:
    """An annotation in words.

    >>> plain(ArrayLike | None), plain(Callable[[ArrayLike], float]), plain(str)
    (ArrayLike | None, Callable[[ArrayLike], float], str)
    """
    if annotation is inspect.Parameter.empty:
        return annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = TYPING.sub("", text)
    text = text.replace(PARTS, "ArrayLike").replace("Union[ArrayLike, NoneType]", "ArrayLike | None")
    text = text.replace("Union[ArrayLike]", "ArrayLike")
    return Words(MODULES.sub("", text))
