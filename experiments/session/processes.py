"""One run shared by several processes: how they meet, and the check that all have the same run."""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator, MutableMapping

from engine.book.checks.problems import expected
from engine.run.processes import ALONE, Ended, Lost, Processes, Refused, meet
from experiments.config.bad_input import BadInput
from experiments.config.checks import SLURM
from experiments.config.schema import Run
from experiments.session.checkpoints import differences
from experiments.session.exit_codes import BAD_INPUT, FAILED, INTERRUPTED, LOST
from experiments.session.stopping import Interrupted

TOKEN = "UNDERTOW_TOKEN"
"""Environment variable with the secret that the processes of a run share."""

SHORTEST = 16
"""Characters of a token, at least."""


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
    except Lost:
        code = LOST
        raise
    finally:
        processes.farewell(code)


def count_of(run: Run) -> int:
    """How many processes share the run."""
    return int(os.environ["SLURM_NTASKS"]) if run.processes == SLURM else run.processes


def rank_of(run: Run) -> int:
    """Which of the processes this is."""
    return int(os.environ["SLURM_PROCID"]) if run.processes == SLURM else run.process


def join(run: Run) -> Processes:
    """The processes, connected; raises `BadInput` where they do not fit, `Lost` where one is missing."""
    host, port = address_of(run.coordinator or slurm_coordinator())
    token = token_of(os.environ)
    try:
        return meet(rank_of(run), count_of(run), host, port, token, run.arrival_seconds)
    except Refused as error:
        raise BadInput([f"run.processes: {error}"]) from None
    except OSError as error:
        kind = f"an address of this machine with a free port ({error.strerror or error})"
        raise BadInput([expected("run.coordinator", f"{host}:{port}", kind)]) from None


def address_of(coordinator: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 address stands in brackets.

    >>> address_of("node0:7777"), address_of("[::1]:7777")
    (('node0', 7777), ('::1', 7777))
    """
    host, _, port = coordinator.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def slurm_coordinator() -> str:
    """The first node of the step, with a port that follows from the number of the job.

    >>> os.environ |= {"SLURM_STEP_NODELIST": "node[07-09,12],extra", "SLURM_JOB_ID": "5"}
    >>> slurm_coordinator()
    'node07:61445'
    """
    [(name, first), *_] = re.findall(r"([^,\[]+)(?:\[([^,\-\]]+))?", os.environ["SLURM_STEP_NODELIST"])
    return f"{name}{first}:{61_440 + int(os.environ['SLURM_JOB_ID']) % 4_096}"


def token_of(environment: MutableMapping[str, str]) -> bytes:
    """The token of the environment; raises `BadInput` for none and for a short one."""
    token = environment.get(TOKEN, "")
    if len(token) >= SHORTEST:
        return token.encode()
    got = f"one of {len(token)} characters" if token else "none"
    kind = f"a secret of {SHORTEST} characters or more that all processes share"
    raise BadInput([f"{TOKEN}: got {got}, expected {kind}, as from: openssl rand -hex 32"])


def share_token(environment: MutableMapping[str, str]) -> None:
    """A token for processes that inherit this environment from their launcher, unless there is one."""
    environment.setdefault(TOKEN, secrets.token_hex(32))


def greet(processes: Processes, identity: dict, run: Run, name: str = "") -> str:
    """The name of the run, from process 0, once this process has checked that its run is the same.

    Raises `BadInput` with the differences if it is not.
    """
    if processes.count == 1:
        return name
    import jax

    ours = identity | {"run": {"paths": run.paths, "block": run.block, "devices": jax.device_count()}}
    name, theirs = processes.of_first([name, ours])
    if problems := differences(theirs, ours):
        raise BadInput(
            f"process {processes.rank} has another run than process 0, {problem}" for problem in problems
        )
    return name
