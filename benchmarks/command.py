"""The command `undertow` in a fresh process, timed from start to end."""

import subprocess
import sys
import time


def seconds(*arguments: str, **options) -> float:
    """Seconds of the command with these arguments, options first; `given` is for `subprocess.run`.

    Exit code 4, an unreliable run, is accepted; any other failure raises SystemExit with the standard error.
    """
    start = time.perf_counter()
    line = [sys.executable, "-m", "experiments.main", *arguments]
    answer = subprocess.run(line, capture_output=True, text=True, **options)
    elapsed = time.perf_counter() - start
    if answer.returncode not in (0, 4):
        raise SystemExit(answer.stderr)
    return elapsed
