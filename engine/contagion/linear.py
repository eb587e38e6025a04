"""Matrices, dense or sparse, by the operations that contagion needs of them."""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Linear(Protocol):
    """A matrix, or anything that multiplies a vector like one."""

    def __matmul__(self, vector: Any, /) -> Any: ...


@runtime_checkable
class Rows(Linear, Protocol):
    """The same, whose first and last rows can be taken apart."""

    def __getitem__(self, rows: Any, /) -> Any: ...
