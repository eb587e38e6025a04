"""A child process that runs phases, and ends with its parent: one that hangs or dies costs one phase.

The parent sends (phase, Setting) and reads ("finding", facts) as often as the phase has one, then ("end",
status, words). What a phase prints goes to the standard error.
"""

import dataclasses
import importlib
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

START = 120.0
"""Seconds that the start of a worker, JAX and its device included, may take."""
DONE, FAILED, OVER, DIED = "done", "failed", "over its limit", "died"


def function_of(name: str) -> Any:
    """A phase's function, from `module:function`."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def end_with_parent(parent: int) -> None:
    """End this process as soon as its parent is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def work(pipe: Connection, parent: int, prepare: str) -> None:
    """Run phases until the parent closes the pipe."""
    os.setsid()
    end_with_parent(parent)
    os.dup2(2, 1)
    pipe.send(("ready", function_of(prepare)()))
    while True:
        try:
            name, setting = pipe.recv()
        except EOFError:
            return
        try:
            setting = dataclasses.replace(setting, begun=time.monotonic())
            for facts in function_of(name)(setting):
                pipe.send(("finding", facts))
            pipe.send(("end", DONE, ""))
        except Exception:  # any failure of a phase is a result
            pipe.send(("end", FAILED, traceback.format_exc(limit=-6)))


class Worker:
    """One child process, started at its first phase and again after a phase that did not end well."""

    def __init__(self, prepare: str):
        self.prepare, self.process, self.pipe = prepare, None, None

    def start(self, seconds: float) -> dict[str, Any]:
        """Start the process if none runs; what `prepare` found there, empty if it ran already.

        Raises RuntimeError if it does not start in so many seconds, START at most.
        """
        if self.process is not None:
            return {}
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, os.getpid(), self.prepare), daemon=True)
        self.process.start()
        theirs.close()
        kind, *rest = self.answer(time.monotonic() + min(seconds, START))
        if kind != "ready":
            self.kill()
            raise RuntimeError(f"the worker did not start: {' '.join(rest)}")
        return rest[0]

    def answer(self, deadline: float) -> tuple[Any, ...]:
        """The next message, or an end in the parent's words."""
        try:
            if self.pipe.poll(max(deadline - time.monotonic(), 0.0)):
                return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5.0)
            return "end", DIED, f"the process ended with code {self.process.exitcode}"
        return "end", OVER, "killed"

    def run(self, name: str, setting: Any, limit: float) -> Iterator[tuple[Any, ...]]:
        """Messages of a phase, the last an end; the process is killed unless the phase is done by then."""
        deadline = time.monotonic() + limit
        message: tuple[Any, ...] = ("end", DIED, "the process had ended before")
        try:
            self.pipe.send((name, setting))
            while (message := self.answer(deadline))[0] != "end":
                yield message
        except OSError:
            pass
        if message[1] != DONE:
            self.kill()
        yield message

    def kill(self) -> None:
        """End the process and its children."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # not yet a group of its own, or gone
            self.process.kill()
        self.process.join(10.0)
        self.pipe.close()
        self.process = self.pipe = None
