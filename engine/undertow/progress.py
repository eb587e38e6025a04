"""Progress of a run for whoever watches: a bar of rich on a terminal or in a notebook, nothing elsewhere."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Progress = Callable[[int], None]
"""Called with the number of paths done."""


@contextlib.contextmanager
def progress_of(paths: int, progress: Progress | bool) -> Iterator[Progress]:
    """What `run` calls while it simulates: the function given, or with True a bar where a person watches."""
    place = "" if progress is False else "given" if callable(progress) else watched()
    if callable(progress):
        yield progress
    elif not place:
        yield lambda done: None
    else:
        with bar(paths, place) as update:
            yield update


def watched() -> str:
    """`notebook`, `terminal`, or empty where nobody watches."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is not None:
        return "notebook"
    return "terminal" if sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("CI") else ""


@contextlib.contextmanager
def bar(paths: int, place: str) -> Iterator[Progress]:
    """A bar that is gone in the end."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}")
    shown = Bar(*columns, console=Console(stderr=True), transient=True)
    task = shown.add_task("compiling", total=paths, figures=f"{paths:,} paths")
    with in_notebook(shown) if place == "notebook" else on_terminal(shown) as draw:

        def update(done: int) -> None:
            figures = f"{done:,} of {paths:,} paths"
            shown.update(task, completed=done, description="simulating", figures=figures)
            draw()

        yield update


@contextlib.contextmanager
def on_terminal(shown: Any) -> Iterator[Callable[[], None]]:
    """The bar below the cursor; the function that draws it again."""
    with shown:
        yield shown.refresh


@contextlib.contextmanager
def in_notebook(shown: Any) -> Iterator[Callable[[], None]]:
    """The bar as an output of the cell that is written over, which needs no widgets."""
    from IPython.display import HTML, display

    handle = display(shown.make_tasks_table(shown.tasks), display_id=True)
    try:
        yield lambda: handle.update(shown.make_tasks_table(shown.tasks))
    finally:
        handle.update(HTML(""))
