"""All runs below a folder: a list of them, or the answer to a question in SQL."""

import contextlib
import dataclasses
import io
import os
import pathlib
import shutil
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.overrides import at_home
from experiments.config.schema import Config
from experiments.context import Context
from experiments.session.lock import busy

RUN_FOLDER = False
LIST = """
    select status, started[:16] as started, scenario, paths, seed,
           horizon, round(es_99, 1) as es_99, round(es_99_se, 1) as "±",
           config_hash[:8] as config, dir
    from runs order by started
"""
ROWS, WIDTH = 10_000, 400


@dataclasses.dataclass
class Options:
    """Options of `task=runs`: the folder, and a question."""

    root: str = "out"  # the folder below which runs lie
    sql: str | None = None  # a question over the views of docs/results.md; null: a list of all runs
    csv: str | None = None  # a CSV file for the answer, which is otherwise printed


def problems(config: Config, options: Options) -> list[str]:
    """A root that does not exist, unless it is the default."""
    options.root, options.csv = at_home(options.root) or "", at_home(options.csv)
    problems = []
    if options.root != Options().root and not os.path.isdir(options.root):
        problems.append(expected("runs.root", options.root, "a folder that exists"))
    if options.csv is not None and not pathlib.Path(options.csv).absolute().parent.is_dir():
        problems.append(expected("runs.csv", options.csv, "a file in a folder that exists"))
    return problems


def model(context: Context) -> Any:
    """The database of all runs below the root."""
    from engine.results.database import LaterSchema, UnreadableTable, open_runs

    try:
        return open_runs(pathlib.Path(context.options.root), busy)
    except (LaterSchema, UnreadableTable) as error:
        raise BadInput([str(error)]) from None


def results(context: Context, model: Any) -> dict[str, Any]:
    """The answer to runs.sql, or the list, as text; None if the answer has no rows."""
    import duckdb

    from engine.results.folder import write_csv

    sql, [[runs]] = context.options.sql, model.sql("select count(*) from runs").fetchall()
    if sql is None and not runs:
        return {"answer": f"no runs below {context.options.root}"}
    try:
        answer = model.sql(sql or LIST)
        if answer is not None and context.options.csv is not None:
            write_csv(pathlib.Path(context.options.csv), answer.df())
            return {"answer": f"{len(answer)} rows in {context.options.csv}"}
        return {"answer": answer and rows_of(answer)}
    except duckdb.Error as error:
        raise BadInput([f"runs.sql: {error}"]) from None


def show(context: Context, summary: dict[str, Any]) -> None:
    """Print the answer."""
    if summary["answer"] is not None:
        print(summary["answer"])


def rows_of(answer: Any) -> str:
    """The rows of an answer as text, as wide as the terminal."""
    width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 80)
    buffer = io.StringIO()
    with contextlib.redirect_stdout(buffer):
        answer.show(max_rows=ROWS, max_width=width)
    return buffer.getvalue()
