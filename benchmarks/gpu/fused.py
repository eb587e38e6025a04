"""The fused kernel, where this version has one: its error and its paths a second."""

import importlib.util
from collections.abc import Iterator
from typing import Any

from benchmarks.gpu.setting import Setting

ABSENT = "no fused kernel in this version"


def fused(setting: Setting) -> Iterator[dict[str, Any]]:
    """Error beside a CPU's paths and paths a second by variant."""
    if importlib.util.find_spec("engine.kernel") is None:
        yield {"fused kernel": ABSENT}
        return
    yield {"fused kernel": "engine.kernel is there, but none of its forms is known to this script"}
