"""One run shared by several processes: how they meet, and the check that all have the same run."""

import atexit
import contextlib
import os
from collections.abc import Iterator
from typing import Any

from engine.run.processes import ALONE, Ended, Processes
from experiments.config.bad_input import BadInput
from experiments.config.checks import SLURM
from experiments.config.schema import Run
from experiments.session.checkpoints import differences
from experiments.session.exit_codes import BAD_INPUT, FAILED, INTERRUPTED
from experiments.session.stopping import Interrupted

SILENT = 30
"""Seconds without a response after which a process is taken for dead and the others end."""


@contextlib.contextmanager
def joined(run: Run) -> Iterator[Processes]:
    """The processes of the run; however this one ends, it sends the others its exit code."""
    processes = ALONE if run.processes == 1 else join(run)
    code = FAILED
    try:
        yield processes
        code = 0
    except BadInput:
        code = BAD_INPUT
        raise
    except (Interrupted, KeyboardInterrupt):
        code = INTERRUPTED
        raise
    except Ended as ended:
        code = ended.code
        raise
    finally:
        processes.farewell(code)


def count_of(run: Run) -> int:
    """How many processes share the run."""
    return int(os.environ["SLURM_NTASKS"]) if run.processes == SLURM else run.processes


def join(run: Run) -> Processes:
    """Connect to the other processes, before any device is used."""
    import jax
    from jax._src.distributed import State

    named: dict[str, Any] = {"coordinator_address": run.coordinator} if run.coordinator else {}
    if run.processes != SLURM:
        named |= {"num_processes": run.processes, "process_id": run.process}
    elif named:
        named |= {"num_processes": count_of(run), "process_id": int(os.environ["SLURM_PROCID"])}
    else:
        named |= {"cluster_detection_method": SLURM}
    # Stop listens to signals; the service would take SIGTERM for itself.
    jax.config.update("jax_enable_preemption_service", False)
    # A state of our own, unknown to JAX's devices: if they knew of the other processes, each process would
    # have a topology of its own, and no two would share a compiled program.
    met = State()
    met.initialize(heartbeat_timeout_seconds=SILENT, **named)
    atexit.register(met.shutdown)
    return Processes(met.process_id, met.num_processes, met.client)


def greet(processes: Processes, identity: dict, run: Run, name: str = "") -> str:
    """The name of the run, from process 0, once this process has checked that its run is the same.

    Raises `BadInput` with the differences if it is not.
    """
    if processes.count == 1:
        return name
    import jax

    ours = identity | {"run": {"paths": run.paths, "block": run.block, "devices": jax.device_count()}}
    name, theirs = processes.of_first((name, ours))
    if problems := differences(theirs, ours):
        raise BadInput(
            f"process {processes.rank} has another run than process 0, {problem}" for problem in problems
        )
    return name
