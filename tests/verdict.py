"""What becomes of damaged input: finite numbers, or one message, at once."""

import time
from collections.abc import Callable

import jax
import numpy as np

from engine.book.build import NotFinite
from engine.book.system import System

SECONDS = 5.0
"""Of the processor until a refusal."""


def verdict(make: Callable[[], System], refusal: type[Exception]) -> str:
    """`runs`, or the message of the refusal; anything else escapes."""
    begin = time.process_time()
    try:
        system = make()
    except (refusal, NotFinite) as error:
        assert str(error) and "Traceback" not in str(error)
        assert time.process_time() - begin < SECONDS
        return str(error)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(system))
    return "runs"
