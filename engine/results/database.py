"""All runs below a folder as one database: views over their summaries and Parquet tables.

`runs` has a row a run; every table of `results/` is a view of its own name with the column `dir` in front,
and `measures` is another name for `losses`. docs/results.md describes them.
"""

import json
import pathlib
import socket
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import dataset, fs, parquet

from engine.results.summary import SCHEMA

TEXT: tuple[str, ...] = (
    "dir",
    "run",
    "status",
    "reason",
    "started",
    "updated",
    "host",
    "commit",
    "config_hash",
    "book",
)
TEXT += ("book_hash", "scenario", "sampler", "warnings", "horizon")
WHOLE = ("schema", "paths", "seed", "months", "sessions", "flagged_paths")
MEASURES = ("el", "var_99", "es_99", "es_99_se")
NUMBERS = ("run_s", "paths_per_s", *MEASURES, "es_99_5y", "es_99_5y_se")
FIELDS = pa.schema(
    [(name, pa.string()) for name in TEXT]
    + [("reliable", pa.bool_())]
    + [(name, pa.uint64() if name == "seed" else pa.int64()) for name in WHOLE]
    + [(name, pa.float64()) for name in NUMBERS]
)
"""Columns of `runs`; what a run's version did not write is null."""


LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}
"""DuckDB without files, network and extensions; a statement cannot switch them on again."""

OURS = ("runs", "measures", "runs_table")
"""Names of views that no table may take."""


class LaterSchema(ValueError):
    """A summary of a version that this one does not know."""


class UnreadableTable(ValueError):
    """A table below the root that is none, or that takes the name of a view."""


def open_runs(
    root: pathlib.Path, working: Callable[[pathlib.Path], bool] = lambda folder: True
) -> duckdb.DuckDBPyConnection:
    """A connection with the views of all runs below `root`; it reads these tables and no other file.

    `working(folder)` says whether a process is at work there: a run of this machine whose status says running
    though none is counts as interrupted. Raises LaterSchema for a run of a later version, UnreadableTable for
    a damaged table.
    """
    folders = sorted({path.parent for name in ("status", "summary") for path in root.rglob(f"{name}.json")})
    rows = [row_of(folder, working) for folder in folders]
    connection = duckdb.connect(config=LOCKED)
    connection.register("runs_table", pa.Table.from_pylist(rows, schema=FIELDS))
    connection.execute("create view runs as from runs_table")
    for name, files in tables_below(folders).items():
        connection.register(f"files of {name}", dataset_of(name, files))
        connection.execute(f"create view {quoted(name)} as from {quoted(f'files of {name}')}")
        if name == "losses":
            connection.execute("create view measures as from losses")
    return connection


def quoted(name: str) -> str:
    """A name as an identifier of SQL, whatever is in it.

    >>> quoted('losses"; drop')
    '"losses""; drop"'
    """
    return '"' + name.replace('"', '""') + '"'


def dataset_of(name: str, files: list[pathlib.Path]) -> dataset.Dataset:
    """One table of all runs: the columns of each file by name, null where it has none, and `dir` in front.

    Read by Arrow, so that DuckDB itself needs no access to files.
    """
    if name in OURS:
        raise UnreadableTable(f"{files[0]}: a table of the name {name}, which is that of a view")
    try:
        schemas = [parquet.read_schema(file).remove_metadata() for file in files]
        columns = pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowException, OSError) as error:
        raise UnreadableTable(f"results/{name}.parquet: {error}") from None
    if "dir" in columns.names:
        raise UnreadableTable(f"{files[0]}: a column of the name dir")
    return dataset.FileSystemDataset.from_paths(
        [str(file) for file in files],
        schema=pa.schema([pa.field("dir", pa.string()), *columns]),
        format=dataset.ParquetFileFormat(),
        filesystem=fs.LocalFileSystem(),
        partitions=[dataset.field("dir") == file.parent.parent.as_posix() for file in files],
    )


def tables_below(folders: list[pathlib.Path]) -> dict[str, list[pathlib.Path]]:
    """Parquet files of all runs by the name of their table."""
    tables: dict[str, list[pathlib.Path]] = {}
    for folder in folders:
        for file in sorted((folder / "results").glob("*.parquet")):
            tables.setdefault(file.stem, []).append(file)
    return tables


def row_of(folder: pathlib.Path, working: Callable[[pathlib.Path], bool]) -> dict[str, Any]:
    """The row of a run from its status, provenance and summary."""
    status, summary = read(folder / "status.json"), read(folder / "summary.json")
    schema = summary.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        limit = f"expected at most {SCHEMA}: read it with the version that wrote it"
        raise LaterSchema(f"{folder / 'summary.json'}: got schema {schema}, {limit}")
    record = read(folder / "provenance.json") | summary | status
    timing, system = entries(summary, "timing"), entries(summary, "system")
    horizon = list(system)[-1] if system else None
    longest, five = entries(system, horizon), entries(system, "5y")
    if (
        record.get("status") == "running"
        and record.get("host") == socket.gethostname()
        and not working(folder)
    ):
        record |= {"status": "interrupted", "reason": "its process died"}
    sampler, warnings = record.get("sampler"), summary.get("warnings")
    row = {name: record.get(name) for name in (*TEXT, "reliable", *WHOLE)} | {
        "dir": folder.as_posix(),
        "schema": summary.get("schema"),
        "sampler": sampler.get("name") if isinstance(sampler, dict) else sampler,
        "warnings": "; ".join(map(str, warnings)) or None if isinstance(warnings, list) else None,
        "sessions": timing.get("sessions"),
        "flagged_paths": flagged(summary.get("flagged_paths")),
        "run_s": timing.get("run_s"),
        "paths_per_s": timing.get("paths_per_s"),
        "horizon": horizon,
        **{name: longest.get(name) for name in MEASURES},
        "es_99_5y": five.get("es_99"),
        "es_99_5y_se": five.get("es_99_se"),
    }
    return {field.name: fitting(row[field.name], field.type) for field in FIELDS}


def entries(document: dict[str, Any], name: Any) -> dict[str, Any]:
    """A group of a document by its name; empty where it is none."""
    group = document.get(name)
    return group if isinstance(group, dict) else {}


def flagged(counts: Any) -> int | None:
    """Flags over all paths; None where there is no count of them."""
    if not isinstance(counts, dict) or not all(isinstance(count, int) for count in counts.values()):
        return None
    return sum(counts.values())


def fitting(value: Any, kind: pa.DataType) -> Any:
    """A value of this kind; None for any other, as in a document that is not a run's."""
    try:
        return pa.scalar(value, kind).as_py()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None


def read(path: pathlib.Path) -> dict[str, Any]:
    """A JSON document; empty where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
