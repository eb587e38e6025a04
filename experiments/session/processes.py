"""One run over several processes: who takes part, how they find each other, that they are about the same."""

import atexit
import contextlib
import os
from collections.abc import Iterator

from engine.run.processes import ALONE, Ended, Processes
from experiments.config.bad_input import BadInput
from experiments.config.checks import SLURM
from experiments.config.schema import Run
from experiments.session.exit_codes import BAD_INPUT, FAILED, INTERRUPTED
from experiments.session.stopping import Interrupted

SILENT = 30
"""Seconds after which a process that gives no sign of life is taken for dead, and its fellows end."""


@contextlib.contextmanager
def joined(run: Run) -> Iterator[Processes]:
    """The processes of the run; however this one ends, the others hear of it."""
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
    """Meet the others; before any device is touched."""
    import jax
    from jax._src.distributed import State

    named = {"coordinator_address": run.coordinator} if run.coordinator else {}
    if run.processes != SLURM:
        named |= {"num_processes": run.processes, "process_id": run.process}
    elif named:
        named |= {"num_processes": count_of(run), "process_id": int(os.environ["SLURM_PROCID"])}
    else:
        named |= {"cluster_detection_method": SLURM}
    # Stop listens to signals; the service would take SIGTERM for itself.
    jax.config.update("jax_enable_preemption_service", False)
    # A state of our own, of which JAX's devices hear nothing: told of the others, those of every process
    # would have a topology of their own, and no two processes would share a compiled program.
    met = State()
    met.initialize(heartbeat_timeout_seconds=SILENT, **named)
    atexit.register(met.shutdown)
    return Processes(met.process_id, met.num_processes, met.client)


def greet(processes: Processes, identity: dict, run: Run, name: str = "") -> str:
    """All are about the same run: its name, as the first one says it.

    Raises `BadInput` with the differences in one that is about another.
    """
    from engine.run.checkpoint import differences

    if processes.count == 1:
        return name
    import jax

    ours = identity | {"run": {"paths": run.paths, "block": run.block, "devices": jax.device_count()}}
    name, theirs = processes.of_first((name, ours))
    if problems := differences(theirs, ours):
        raise BadInput(f"process {processes.rank} is not about the run of process 0: {p}" for p in problems)
    return name
