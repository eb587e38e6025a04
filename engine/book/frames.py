"""Types of tables. Pandas is slow to import, so only a static checker sees its own."""

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

    Frame: TypeAlias = "pd.DataFrame"
    Series: TypeAlias = "pd.Series"
else:
    Frame = Series = Any


@runtime_checkable
class Tables(Protocol):
    """Frames by table name: a mapping, or a Book."""

    def __getitem__(self, table: str, /) -> Frame: ...


Broken = set[tuple[str, str]]
"""(table, column) pairs that have a bad cell; the column is "" where the whole table is missing."""
