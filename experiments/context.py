"""What a task is given: the experiment, its book, the folder it writes to and how to stop."""

import dataclasses
import pathlib
from typing import Any

from engine.run.processes import ALONE, Processes
from experiments.config.read import Experiment
from experiments.session.checkpoints import Checkpoints
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop


@dataclasses.dataclass
class Context:
    """One run of a task. `book` is None without one; `folder` and `checkpoints` come after the model."""

    experiment: Experiment
    stop: Stop
    processes: Processes = ALONE
    book: Any = None
    folder: RunFolder = dataclasses.field(init=False)
    checkpoints: Checkpoints = dataclasses.field(init=False)
    unwritten: str = ""  # why a part of the report is missing

    @property
    def options(self) -> Any:
        """The task's own configuration group."""
        return self.experiment.options

    @property
    def path(self) -> pathlib.Path:
        """The run's folder."""
        return self.folder.path
