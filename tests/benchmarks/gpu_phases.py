"""Phases that misbehave, for the script that must survive them."""

import os
import time


def prepare():
    """No JAX."""
    return {"backend": "cpu", "device": "none", "devices": 1, "versions": {"jax": "none"}}


def well(setting):
    """Two findings, a record among them."""
    rate = {"median": 3.0, "low": 2.0, "high": 4.0}
    fields = {"benchmark": "gpu", "case": "nothing", "rate": rate, "unit": "calls/s", "run_s": 1.0}
    yield {"process": os.getpid()}
    yield {"record": fields | {"device": "none", "memory_mb": 1.0, "beside": {}}, "seconds": setting.seconds}


def raising(setting):
    """A finding, then an error."""
    yield {"process": os.getpid()}
    raise ZeroDivisionError("by intention")


def hanging(setting):
    """A finding, then nothing for an hour."""
    yield {"process": os.getpid()}
    time.sleep(3600.0)


def dying(setting):
    """A finding, then the end of the process."""
    yield {"process": os.getpid()}
    os.abort()


def starting_late():
    """A device that takes an hour to be found."""
    time.sleep(3600.0)


def never_starting():
    """No device."""
    raise RuntimeError("no device by intention")
