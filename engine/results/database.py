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


class LaterSchema(ValueError):
    """A summary of a version that this one does not know."""


def open_runs(
    root: pathlib.Path, working: Callable[[pathlib.Path], bool] = lambda folder: True
) -> duckdb.DuckDBPyConnection:
    """A connection with the views of all runs below `root`.

    `working(folder)` says whether a process is at work there: a run of this machine whose status says running
    though none is counts as interrupted. Raises LaterSchema for a run of a later version.
    """
    folders = sorted({path.parent for name in ("status", "summary") for path in root.rglob(f"{name}.json")})
    rows = [row_of(folder, working) for folder in folders]
    connection = duckdb.connect()
    connection.register("runs_table", pa.Table.from_pylist(rows, schema=FIELDS))
    connection.execute("create view runs as from runs_table")
    for name, files in tables_below(folders).items():
        listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
        connection.execute(
            f"create view \"{name}\" as select parse_path(filename)[:-3].array_to_string('/') as dir, "
            f"* exclude (filename) from read_parquet([{listed}], union_by_name=true, filename=true)"
        )
        if name == "losses":
            connection.execute("create view measures as from losses")
    return connection


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
    if summary.get("schema", SCHEMA) > SCHEMA:
        limit = f"expected at most {SCHEMA}: read it with the version that wrote it"
        raise LaterSchema(f"{folder / 'summary.json'}: got schema {summary['schema']}, {limit}")
    record = read(folder / "provenance.json") | summary | status
    timing, system = summary.get("timing", {}), summary.get("system", {})
    horizon = list(system)[-1] if system else None
    longest, five = system.get(horizon, {}), system.get("5y", {})
    if (
        record.get("status") == "running"
        and record.get("host") == socket.gethostname()
        and not working(folder)
    ):
        record |= {"status": "interrupted", "reason": "its process died"}
    sampler, flags = record.get("sampler"), summary.get("flagged_paths")
    return {name: record.get(name) for name in (*TEXT, "reliable", *WHOLE)} | {
        "dir": folder.as_posix(),
        "schema": summary.get("schema"),
        "sampler": sampler.get("name") if isinstance(sampler, dict) else sampler,
        "warnings": "; ".join(summary.get("warnings", [])) or None,
        "sessions": timing.get("sessions"),
        "flagged_paths": None if flags is None else sum(flags.values()),
        "run_s": timing.get("run_s"),
        "paths_per_s": timing.get("paths_per_s"),
        "horizon": horizon,
        **{name: longest.get(name) for name in MEASURES},
        "es_99_5y": five.get("es_99"),
        "es_99_5y_se": five.get("es_99_se"),
    }


def read(path: pathlib.Path) -> dict[str, Any]:
    """A JSON document; empty where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
