"""Books to start from: an empty one and a small worked one."""

import pathlib

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.exit_codes import DONE
from experiments.session.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Write both books under template.dir, which may not hold a template yet; the exit code."""
    from engine.book.template import write_template

    try:
        folder = write_template(pathlib.Path(experiment.template_dir))
    except FileExistsError as error:
        raise BadInput([f"template.dir: {error}"]) from None
    print(f"{folder / 'README.md'}\n\nundertow book=own book.path={folder / 'worked_small'}")
    return DONE
