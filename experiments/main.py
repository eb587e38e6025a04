"""The command `undertow`: configuration in, exit code out.

Exit codes: 0 done, 2 bad input, 3 interrupted, 4 finished but unreliable, 5 another process of the run was
lost, 1 anything else.
Nothing heavy is imported here, so that `undertow --help` answers at once.
"""

import gc
import os
import sys
import traceback
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from engine.book.checks.problems import expected
from engine.run.host import UnreadableFlags, prepare_devices
from engine.run.processes import Ended, Lost
from experiments import tasks
from experiments.config import help, read, schema
from experiments.config.bad_input import BadInput, reread, torn
from experiments.config.overrides import short_keys, size_problems, spelled_out
from experiments.session.exit_codes import BAD_INPUT, DONE, FAILED, INTERRUPTED, LOST
from experiments.session.output import flushed, reopen, say, shown
from experiments.session.processes import joined
from experiments.session.stopping import Interrupted, Stop

RARELY = 100_000
"""New objects until Python looks for cycles. Importing and tracing make millions that stay, and looking at
them again and again, as Python would after 700, took a fifth of the time until the first path."""


@hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")
def app(cfg: DictConfig) -> int:
    """One configuration: alone it ends the process, in a sweep the sweeper collects its exit code."""
    alone = HydraConfig.get().mode == RunMode.RUN
    code = attempt(cfg, alone)
    if alone:
        raise SystemExit(code)
    if code == INTERRUPTED:
        raise KeyboardInterrupt  # ends the sweep as well, which an ordinary exception would not
    return code


def attempt(cfg: DictConfig, alone: bool) -> int:
    """Check the configuration, run its task, say what went wrong; the exit code."""
    try:
        modules = tasks.every()
        schema.register(tasks.groups())  # a job of a sweep may run in a process that never called main
        # The sweeper has looked at the overrides of a job, before it added its folder.
        experiment = read.read(cfg, modules, HydraConfig.get().overrides.task if alone else ())
        prepare_devices(experiment.run.devices)
        from engine.run.programs import keep_programs, programs_folder
        from experiments.flow import carry_out

        keep_programs(programs_folder())

        with joined(experiment.run) as processes, Stop() as stop:
            return carry_out(modules[experiment.task], experiment, stop, processes, quiet=not alone)
    except Ended as ended:
        say(f"undertow: {ended}")
        return ended.code
    except Lost as lost:
        say(f"undertow: {lost}; the same command resumes the run")
        return LOST
    except (BadInput, UnreadableFlags) as error:
        say(error if isinstance(error, BadInput) else BadInput([str(error)]))
        return BAD_INPUT
    except (Interrupted, KeyboardInterrupt):
        say("undertow: interrupted")
        return INTERRUPTED
    except OSError as error:
        if error.errno is None:
            say(traceback.format_exc())
        else:
            say(f"undertow: {failure_of(error)}; the same command repeats or resumes the run")
        return FAILED
    except Exception:
        say(traceback.format_exc())
        return FAILED


def failure_of(error: OSError) -> str:
    """What the machine refused, in words: a full disk, a folder that is gone, a file that is not ours."""
    place = f" ({error.filename})" if error.filename else ""
    return f"the machine refused: {error.strerror or error}{place}"


def version() -> str:
    """The version of the installed package."""
    import importlib.metadata

    try:
        return importlib.metadata.version("undertow")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def main() -> None:
    """Entry point of the command; every way out is an exit code."""
    reopen()
    code: Any = FAILED
    try:
        command()
        code = DONE
    except SystemExit as end:
        code = end.code
    if code := flushed(code or DONE):
        raise SystemExit(code)


def command() -> None:
    """The command; ends with SystemExit where its code is not 0."""
    if {"--help", "-h"} & set(sys.argv[1:]):
        raise SystemExit(shown(lambda: print(help.text(tasks.one_liners()))))
    if "--version" in sys.argv[1:]:
        raise SystemExit(shown(lambda: print(f"undertow {version()}")))
    from experiments.sweeps import sweeper

    gc.set_threshold(RARELY)
    schema.register(tasks.groups())
    sweeper.register()
    if problems := size_problems(sys.argv[1:]):
        say(BadInput(problems))
        raise SystemExit(BAD_INPUT)
    short = short_keys(sys.argv[1:])
    asked = sys.argv[1:2] == ["explain"]
    if asked:
        del sys.argv[1]
    several = bool({"-m", "--multirun"} & set(sys.argv[1:]))
    sys.argv[1:] = [spelled_out(argument, several, short) for argument in sys.argv[1:]]
    # Hydra then hands its exceptions on instead of printing its own text and leaving with 1.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        if asked:
            explained(sys.argv[1:])
        else:
            app()
    except BadInput as error:
        problem = error
    except UnreadableFlags as error:
        problem = BadInput([str(error)])
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        source = traceback.extract_tb(error.__traceback__)[-1].filename
        if type(error) is ValueError and "hydra" not in source:
            raise  # a fault of the program, not of what it was given
        problem = reread(error, sys.argv[1:])
    except YAMLError as error:
        problem = torn(error)
    except BrokenPipeError:
        return  # `--cfg job | head`: the reader has enough
    except OSError as error:
        problem = BadInput([f"command line: {failure_of(error)}"])
    except KeyboardInterrupt:
        say("undertow: interrupted")
        raise SystemExit(INTERRUPTED) from None
    else:
        return
    say(problem)
    raise SystemExit(BAD_INPUT)


def explained(arguments: list[str]) -> None:
    """Print what the keys among the arguments mean, with the values that the overrides among them give."""
    from experiments.config import explain

    keys = [each for each in arguments if "=" not in each]
    if not keys:
        raise BadInput([expected("explain", None, "a key or a group, as in undertow explain chips.life")])
    sys.argv[1:] = [each for each in arguments if "=" in each]
    config = explain.composed(sys.argv[1:])
    lines = [line for key in keys for line in explain.explain(key, config, tasks.every())]
    if code := shown(lambda: print("\n".join(lines))):
        raise SystemExit(code)


if __name__ == "__main__":
    main()
