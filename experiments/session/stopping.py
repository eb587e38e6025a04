"""Signals that ask a run to stop: the first lets it finish its block and save, the second stops it at once.

Ctrl-C and SIGTERM come from people and schedulers, SIGUSR1 and SIGUSR2 from SLURM before it takes a node
away. Earlier handlers of the latter two, such as a launcher that requeues the job, are called once the run
has stopped.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from experiments.session.output import say

WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)
SIGNALS = (signal.SIGINT, signal.SIGTERM, *WARNINGS)

Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None
"""What `signal.signal` returns and takes."""


class Interrupted(Exception):
    """The run was asked to stop and has stopped."""


class Stop:
    """`with Stop() as stop:`; `stop()` is whether the run was asked to stop."""

    def __init__(self) -> None:
        self.asked: str | None = None
        self.urged = False
        self._before: dict[signal.Signals, Handler] = {}

    def __call__(self) -> bool:
        return self.asked is not None

    def check(self) -> None:
        """Raise `Interrupted` if the run was asked to stop."""
        if self.asked is not None:
            raise Interrupted(self.asked)

    def __enter__(self) -> "Stop":
        # Only the main thread can handle signals; in any other, they have their usual effect.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for number in WARNINGS:
            if kind is Interrupted and self.asked == number.name and callable(self._before.get(number)):
                signal.raise_signal(number)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number not in WARNINGS:
            if self.urged:
                raise KeyboardInterrupt(name)
            self.urged = True
        self.asked = self.asked or name
        say(f"\n{name}: stopping after this block (again: at once)")
