"""Books to start from: an empty template and a small worked example."""

import dataclasses
import pathlib
from typing import Any

from experiments.config.bad_input import BadInput
from experiments.config.checks import folder_problems
from experiments.config.overrides import at_home
from experiments.config.schema import Config
from experiments.context import Context
from experiments.session.run_folder import refuse_unwritable

RUN_FOLDER = False


@dataclasses.dataclass
class Options:
    """Options of `task=template`: the folder of the two books."""

    dir: str | None = None  # folder that the two books are written to


def problems(config: Config, options: Options) -> list[str]:
    """No folder to write to."""
    options.dir = at_home(options.dir)
    return folder_problems("template.dir", options.dir, needed=True)


def model(context: Context) -> None:
    """Nothing is simulated; raises `BadInput` for a folder that cannot be written."""
    refuse_unwritable(pathlib.Path(context.options.dir), "template.dir")


def results(context: Context, model: None) -> dict[str, Any]:
    """Write both books under template.dir, which must not hold a template yet; returns the folder."""
    from engine.book.template import write_template

    try:
        return {"folder": write_template(pathlib.Path(context.options.dir))}
    except FileExistsError as error:
        raise BadInput([f"template.dir: {error}"]) from None


def show(context: Context, summary: dict[str, Any]) -> None:
    """What to read, and the command that runs the worked book."""
    folder = summary["folder"]
    print(f"{folder / 'README.md'}\n\nundertow book=own book.path={folder / 'worked_small'}")
