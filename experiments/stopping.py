"""Ctrl-C and SIGTERM: the first asks the run to stop after its block, the second stops it at once."""

import signal
import sys
import threading
from types import TracebackType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(Exception):
    """The run was asked to stop, and has."""


class Stop:
    """`with Stop() as stop:`; `stop()` says whether the run was asked to stop."""

    def __init__(self) -> None:
        self.asked: str | None = None
        self._before: dict[signal.Signals, object] = {}

    def __call__(self) -> bool:
        return self.asked is not None

    def check(self) -> None:
        """Raise `Interrupted` if the run was asked to stop."""
        if self.asked is not None:
            raise Interrupted(self.asked)

    def __enter__(self) -> "Stop":
        # Only the main thread may listen; elsewhere the run goes on as it would have without.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, frame: object) -> None:
        name = signal.Signals(number).name
        if self.asked is not None:
            raise KeyboardInterrupt(name)
        self.asked = name
        print(f"\n{name}: stopping after this block (again: at once)", file=sys.stderr)
