"""What the command's exit code says; scripts rely on it."""

DONE = 0
FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 3
UNRELIABLE = 4  # finished, but too many paths were flagged or the tail is not resolved
LOST = 5  # of several processes one never came, died or hangs; the same command resumes

GRAVEST_FIRST = (FAILED, LOST, INTERRUPTED, BAD_INPUT, UNRELIABLE, DONE)
"""Of several jobs, the code the sweep ends with."""
