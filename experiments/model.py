"""From a checked configuration to the engine's book, System and plan."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

from engine.book.checks.problems import expected
from engine.book.limits import warnings_of
from experiments import focus, sampling
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.system import system_of

log = logging.getLogger("undertow")

Model = tuple[Any, Any, tuple | None]
"""(System, Plan, samplers); no samplers where a law must be learned first."""


def load(experiment: Experiment) -> Any:
    """The book, read and checked; raises `BadInput` with every problem of its files."""
    from engine.book.checks.problems import BookError, sentences
    from engine.book.load import load_book, shipped_book

    book = experiment.book
    try:
        path = pathlib.Path(book.path) if book.path is not None else shipped_book(book.name or "")
    except ValueError as error:
        raise BadInput([f"book.name: {error}"]) from None
    try:
        loaded = load_book(path, repair=book.repair)
        for warning in (*loaded.warnings, *warnings_of(experiment.parameters)):
            log.warning("%s", warning)
        if experiment.report.focus is not None and (wrong := focus.problems(experiment.report.focus, loaded)):
            raise BadInput(wrong)
        return loaded
    except BookError as error:
        # The sheets of a workbook are named with its file.
        lines = (line.removeprefix(f"{path.name}:") for line in sentences(error.problems))
        raise BadInput(f"{path}: {line}" for line in lines) from None


def need_compiler() -> None:
    """Raise `BadInput` without a C++ compiler."""
    from engine.kernel.compiler import NoCompiler, compiler

    try:
        compiler()
    except NoCompiler as error:
        raise no_kernel(error) from None


@contextlib.contextmanager
def need_kernel() -> Iterator[None]:
    """A fused kernel that cannot be had is bad input, and one that a resumed run began without."""
    from engine.paths.fused import NoKernel, OtherKernel

    try:
        yield
    except OtherKernel as error:
        raise BadInput([f"run.kernel: {error}; run.resume=false begins anew"]) from None
    except NoKernel as error:
        raise no_kernel(error) from None


def no_kernel(reason: Exception) -> BadInput:
    """The complaint that there can be no fused kernel."""
    return BadInput([expected("run.kernel", "fused", f"xla or auto: {reason}")])


def build(experiment: Experiment, book: Any) -> Model:
    """The engine's System, Plan and samplers for an experiment on a book.

    Raises `BadInput` where a fused kernel is asked for and there is no compiler.
    """
    from engine.run.plan import Plan

    run = experiment.run
    if run.kernel == "fused":
        need_compiler()
    plan = Plan(paths=run.paths, block=run.block, seed=run.seed, kernel=run.kernel)
    system = system_of(experiment, book, run.months)
    return system, plan, sampling.samplers(experiment, book, system, plan)
