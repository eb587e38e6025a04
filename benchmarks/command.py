"""The command `undertow` in a process of its own, timed from its start to its end."""

import subprocess
import sys
import time


def seconds(*arguments: str, **given) -> float:
    """Seconds of the command with these arguments, options first; `given` is for `subprocess.run`.

    A run may end with doubts about its numbers, code 4; with any other fault SystemExit is raised with what
    it said.
    """
    begun = time.perf_counter()
    line = [sys.executable, "-m", "experiments.main", *arguments]
    answer = subprocess.run(line, capture_output=True, text=True, **given)
    took = time.perf_counter() - begun
    if answer.returncode not in (0, 4):
        raise SystemExit(answer.stderr)
    return took
