"""The main job of the command from Python: a book in, a `Run` out."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from engine import arguments
from engine.book.build import build_system
from engine.book.checks.problems import BookError, expected, sentences
from engine.book.limits import warnings_of
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.system import System
from engine.learn.importance.importance import TailTarget, learn
from engine.numerics import double_precision
from engine.paths.fused import NoKernel
from engine.paths.samplers import samplers_of
from engine.paths.simulate import simulate
from engine.results.replications import Replications
from engine.run.plan import Hooks, Plan
from engine.tail.measures import column_losses
from engine.tail.tally import Tally
from engine.undertow.bad_input import BadInput
from engine.undertow.books import load_book
from engine.undertow.isolation import on_host
from engine.undertow.progress import progress_of
from engine.undertow.settings import BASELINE, settings_of
from engine.undertow.simulation import Run

REPLICATIONS = {"antithetic": 16, "sobol": 16}
"""Samplers whose errors come from the spread of replications, and the default number of those."""
MONTHS = range(12, 121, 12)
BLOCK = 16_384
LEARNING_BLOCK = 4096
COMPONENTS = 4
"""Principal components of each factor's path that a scrambled sequence covers."""

T = TypeVar("T")


class Checks:
    """Problems of a call, as they come up; `raised` ends it with all of them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, make: Callable[[], T]) -> T:
        """What `make` returns; where it raises a ValueError, None, which nothing reads before `raised`."""
        try:
            return make()
        except BookError as error:
            self.problems += sentences(error.problems)
        except BadInput as error:
            self.problems += error.problems
        except ValueError as error:
            self.problems += str(error).splitlines()
        return cast(T, None)

    def raised(self) -> None:
        """Raises BadInput where there are problems."""
        if self.problems:
            raise BadInput(self.problems)


def run(
    book: Book | str | Path = "ai_credit_2025",
    paths: int = 20_000,
    seed: int = 7,
    months: int = 60,
    *,
    scenario: str = BASELINE,
    settings: Mapping[str, Any] | None = None,
    parameters: Parameters | None = None,
    sampler: str = "pseudo_random",
    replications: int | None = None,
    kernel: str = "auto",
    progress: Callable[[int], None] | bool = True,
) -> Run:
    """Simulate a book on all devices: the main job of the command, its numbers the same to the bit.

    Args: book, a `Book`, the name of one that comes with the package, or a path; paths; seed, below 2^64;
    months, a multiple of 12 up to 120; scenario, by its name; settings, numbers of the model by the command's
    keys, `{"chips.life": 3, "policy": "backstop"}`; or, in place of both, parameters, every number that is
    not a row of the book; sampler, `pseudo_random`, `antithetic`, `sobol` (paths a multiple of `replications`
    times a power of two) or `importance` (aimed at the system's tail beyond 99.9%); replications, 16 for
    `antithetic` and `sobol` and 1 for the others unless given: from two on their spread is the error; kernel,
    `fused` (one program in C++ for the whole path, compiled on this machine), `xla`, or `auto`, which is
    `fused` where it can be had; progress, a bar on a terminal or in a notebook, or what is called with the
    number of paths done, or False for neither.

    Raises BadInput, a ValueError with the command's message, for all that cannot be at once: arguments, keys,
    values, the book's rows, `fused` without a C++ compiler. What the paths do not resolve is in `warnings`,
    never silent; numbers that are possible but hardly meant are Python warnings.

    Example:
        >>> import undertow as ut
        >>> run = ut.run("worked_small", paths=2048, months=12)
        >>> run.loss.attrs["units"]["es_99"]
        'USD bn'
        >>> bool(run.loss.es_99["1y"] >= run.loss.var_99["1y"] >= 0.0)
        True
        >>> run.replay(3).shape[0]
        12
    """
    checks = Checks()
    start = checks(lambda: arguments.count("seed", seed, 0, arguments.SEEDS))
    plan = checks(lambda: Plan(arguments.whole("paths", paths), BLOCK, start or 0, kernel))
    span = checks(lambda: span_of(months))
    count = checks(lambda: count_of(replications, sampler, plan))
    chosen = checks(lambda: settings_of(scenario, settings, parameters))
    loaded = checks(lambda: book if isinstance(book, Book) else load_book(book))
    try:
        checks.raised()
        for sentence in (*loaded.warnings, *warnings_of(chosen.parameters)):
            warnings.warn(sentence, stacklevel=3)
        with double_precision():
            system = checks(lambda: build_system(loaded, chosen.parameters, span))
            checks.raised()
            samplers = checks(lambda: sampling(system, plan, sampler, count))
            checks.raised()
            measures, laws = Replications(), []

            def replication(tally: Tally) -> None:
                measures.add(tally)
                laws.append(tuple(column_losses(tally, horizon) for horizon in range(len(tally.weights))))

            with progress_of(plan.paths, progress) as update:
                hooks = Hooks(progress=update, replication=replication)
                tally, timing = simulate(system, plan, samplers, hooks)
    except NoKernel as error:
        raise BadInput([expected("kernel", kernel, f"xla or auto: {error}")]) from None
    except BadInput as error:
        raise error.with_traceback(None) from None
    return Run(
        loaded, chosen.parameters, system, plan, samplers, on_host(tally), timing, measures, sampler,
        chosen.scenario, chosen.story, tuple(laws) if len(laws) > 1 else (),
    )  # fmt: skip


def span_of(months: int) -> int:
    """Months of a run; raises ValueError for what is not a multiple of 12 up to 120."""
    span = arguments.whole("months", months)
    if span not in MONTHS:
        raise ValueError(expected("months", months, "a multiple of 12 from 12 to 120"))
    return span


def count_of(replications: int | None, sampler: str, plan: Plan | None) -> int:
    """Replications of a sampler: as given, or its default number."""
    if replications is None:
        return REPLICATIONS.get(sampler, 1)
    return arguments.count("replications", replications, 1, plan.paths if plan else None)


def sampling(system: System, plan: Plan, sampler: str, count: int) -> tuple:
    """The samplers of the paths; the law of `importance` is learned."""
    if sampler == "importance":
        own = learn(system, TailTarget(), plan.seed, LEARNING_BLOCK, kernel=plan.kernel)
        return (own.sampler,) * count
    return samplers_of(system, plan, sampler, count, COMPONENTS)
