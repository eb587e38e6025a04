"""A run from Python: book in, tables out."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pandas as pd

from engine import arguments
from engine.book.build import build_system
from engine.book.checks.problems import expected
from engine.book.limits import problems_of
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.system import System
from engine.learn.importance.importance import TailTarget, learn
from engine.numerics import double_precision
from engine.paths import replay as paths
from engine.paths.path import traced
from engine.paths.samplers import samplers_of
from engine.paths.simulate import simulate
from engine.results.circular_web import web_tables
from engine.results.folder import Results, write_json, write_table
from engine.results.provenance import made, timing_of
from engine.results.replications import Replications
from engine.results.summarise import config_hash
from engine.results.summary import Summary
from engine.results.write import results_of
from engine.run.plan import Hooks, Plan, Timing
from engine.tail.measures import column_losses
from engine.tail.tally import Tally
from engine.undertow.books import load_book
from engine.undertow.isolation import on_host
from engine.undertow.units import with_units

REPLICATIONS = {"antithetic": 16, "sobol": 16}
"""Samplers whose errors come from the spread of replications, and the default number of those."""
MONTHS = range(12, 121, 12)
BLOCK = 16_384
LEARNING_BLOCK = 4096
COMPONENTS = 4
"""Principal components of each factor's path that a scrambled sequence covers."""


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation. Tables are pandas DataFrames with units by column in `attrs["units"]`.

    Losses are positive, USD bn, cumulative to the horizon; probabilities and shares are decimals. `tally` and
    `system` are the engine's own objects, for what no table holds.
    """

    book: Book
    parameters: Parameters
    system: System
    plan: Plan
    samplers: tuple
    tally: Tally
    timing: Timing
    replications: Replications
    sampler: str

    @functools.cached_property
    def results(self) -> Results:
        """Summary and tables, as a run folder holds them but for the circular web."""
        with double_precision():
            return results_of(self.tally, self.system, self.book, self._provenance(), self.replications)

    @functools.cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables made from the tally, by name; docs/results.md says what their rows and columns are."""
        return {name: with_units(name, table) for name, table in self.results.tables.items()}

    @functools.cached_property
    def circular_web(self) -> dict[str, pd.DataFrame]:
        """`payments` under each contract on ordinary and on worst paths; `failures`: what each firm's costs.

        Simulates again, for some seconds; empty where nobody pays anybody.
        """
        with double_precision():
            tables = web_tables(self.system, self.book, self.tally, self.plan.seed, self.samplers)
        return {name: with_units(name, table) for name, table in tables.items()}

    @property
    def losses(self) -> pd.DataFrame:
        """EL, VaR and ES with errors: a row for each horizon and column (system, class, lender, bearer)."""
        return self.tables["losses"]

    @property
    def system_loss(self) -> pd.DataFrame:
        """The rows of `losses` that are about all lenders together, by horizon."""
        return self._of_kind("system").set_index("horizon")

    @property
    def lenders(self) -> pd.DataFrame:
        """The rows of `losses` that are about single lenders, the greatest ES 99% first within a horizon."""
        lenders = self._of_kind("lender")
        parts = [lenders[lenders["horizon"] == name] for name in self.horizons]
        ranked = [part.sort_values("es_99", ascending=False, kind="stable") for part in parts]
        return pd.concat(ranked, ignore_index=True)

    @property
    def firms(self) -> pd.DataFrame:
        """Probability of default by firm and horizon, with standard errors and the shares of its causes."""
        return self.tables["firms"]

    @property
    def contributions(self) -> pd.DataFrame:
        """Euler contribution of every instrument to the system's ES 99%, by horizon; they add up to it."""
        return self.tables["contributions"]

    @property
    def worst_paths(self) -> pd.DataFrame:
        """Ids and losses of the worst paths by horizon, to `replay`."""
        return self.tables["worst_paths"]

    @property
    def horizons(self) -> list[str]:
        """Names of the horizons, shortest first."""
        return list(self.losses["horizon"].unique())

    @property
    def summary(self) -> Summary:
        """The content of summary.json: system, lenders, firms, sampler, warnings, timing, versions."""
        return self.results.summary

    @property
    def warnings(self) -> list[str]:
        """Unresolved results, in sentences."""
        return self.summary["warnings"]

    def beyond(self, loss: float) -> pd.DataFrame:
        """P(system loss > loss) by horizon, with standard errors.

        Args: loss, USD bn. Returns columns probability and probability_se by horizon: the error of
        independent paths, NaN for samplers whose error is the spread of replications, which are not kept. To
        half a bin of the tally, 0.2% of the loss. Raises ValueError for a loss that is not a number.

        Example: `run.beyond(20.0)`.
        """
        each = [column_losses(self.tally, place).beyond(loss) for place in range(len(self.horizons))]
        known = len(self.replications) < 2
        rows = [(p.value, p.standard_error if known else np.nan) for p in each]
        names = pd.Index(self.horizons, name="horizon")
        return with_units("beyond", pd.DataFrame(rows, names, columns=["probability", "probability_se"]))

    def replay(self, path: int) -> pd.DataFrame:
        """Every month of one path: revenue, regime, rents, prices, spreads, debt, losses and defaults.

        Args: path, its id, from 0 to paths - 1 (see `worst_paths`). Returns a row for each month; `defaults`
        names the firms that default in it. Numbers agree with the run's to float32 rounding. Raises
        ValueError for a path that was not run.

        Example: `run.replay(run.worst_paths["path"][0])`.
        """
        path = arguments.whole("path", path)
        if not 0 <= path < self.plan.paths:
            raise ValueError(f"path: got {path}, expected one from 0 to {self.plan.paths - 1}")
        share = self.plan.paths // len(self.samplers)
        with double_precision():
            sampler = self.samplers[path // share]
            return monthly(self.system, paths.replay(self.system, self.plan.seed, path, sampler))

    def write(self, folder: str | pathlib.Path) -> pathlib.Path:
        """Write summary.json, results/*.parquet and report.html into a folder; the path of the report.

        The folder is made if need be.
        """
        from engine.report.page import write_page

        folder = pathlib.Path(folder)
        (folder / "results").mkdir(parents=True, exist_ok=True)
        with double_precision():
            for name, table in (self.results.tables | self.circular_web).items():
                write_table(folder, name, table)
            write_json(folder / "summary.json", self.summary)
            write_page(folder)
        return folder / "report.html"

    def _of_kind(self, kind: str) -> pd.DataFrame:
        return self.losses[self.losses["kind"] == kind].reset_index(drop=True)

    def _provenance(self) -> dict[str, Any]:
        timing = timing_of(
            self.timing.compile_s, self.timing.run_s, self.timing.paths, kernel=self.timing.kernel
        )
        plan, numbers = dataclasses.asdict(self.plan), dataclasses.asdict(self.parameters)
        return made() | plan | {
            "run": "", "task": "tail_risk", "scenario": "", "story": "", "sampler": self.sampler,
            "months": self.system.calendar.month.shape[0], "command": ["undertow.run"], "timing": timing,
            "book": self.book.name, "book_hash": self.book.hash, "book_repairs": list(self.book.repairs),
            "book_warnings": list(self.book.warnings),
            "config_hash": config_hash(plan | {"parameters": numbers, "sampler": self.sampler}),
        }  # fmt: skip

    def __repr__(self) -> str:
        last = self.system_loss.iloc[-1]
        return (
            f"<Run of {self.book.name}: {self.plan.paths:,} paths, seed {self.plan.seed}; at {last.name} "
            f"EL {last.el:.1f}, VaR 99% {last.var_99:.1f}, ES 99% {last.es_99:.1f} USD bn>"
        )


def run(
    book: Book | str | pathlib.Path = "ai_credit_2025",
    paths: int = 20_000,
    seed: int = 7,
    months: int = 60,
    *,
    parameters: Parameters | None = None,
    sampler: str = "pseudo_random",
    replications: int | None = None,
    kernel: str = "xla",
    progress: Callable[[int], None] = lambda paths: None,
) -> Run:
    """Simulate a book on all devices: the main job of the command, its numbers the same to the bit.

    Args: book, a `Book`, the name of one that comes with the package, or a path; paths; seed, below 2^64;
    months, a multiple of 12 up to 120; parameters, every number that is not a row of the book, `Parameters()`
    if None; sampler, `pseudo_random`, `antithetic`, `sobol` (paths a multiple of `replications` times a power
    of two) or `importance` (aimed at the system's tail beyond 99.9%); replications, 16 for `antithetic` and
    `sobol` and 1 for the others unless given: from two on their spread is the error; kernel, `xla`, `fused`
    (one program in C++ for the whole path, compiled on this machine) or `auto`, which is `fused` where it can
    be had; progress, called with the number of paths done.

    Raises ValueError for arguments that cannot be, `fused` without a C++ compiler among them, `BookError` for
    a book that cannot be used. What the paths do not resolve is in `warnings`, never silent.

    Example:
        >>> import undertow as ut
        >>> run = ut.run("worked_small", paths=2048, months=12)
        >>> run.losses.attrs["units"]["es_99"]
        'USD bn'
        >>> bool(run.system_loss.es_99["1y"] >= run.system_loss.var_99["1y"] >= 0.0)
        True
        >>> run.replay(3).shape[0]
        12
    """
    plan = Plan(
        paths=arguments.whole("paths", paths), block=BLOCK, seed=arguments.whole("seed", seed), kernel=kernel
    )
    months = arguments.whole("months", months)
    if replications is not None:
        replications = arguments.count("replications", replications, 1, plan.paths)
    parameters = Parameters() if parameters is None else parameters
    problems = problems_of(parameters)
    if months not in MONTHS:
        problems.append(expected("months", months, "a multiple of 12 from 12 to 120"))
    if problems:
        raise ValueError("\n".join(problems))
    count = replications or REPLICATIONS.get(sampler, 1)
    book = book if isinstance(book, Book) else load_book(book)
    with double_precision():
        system = build_system(book, parameters, months)
        if sampler == "importance":
            samplers: tuple = (learn(system, TailTarget(), seed, LEARNING_BLOCK).sampler,) * count
        else:
            samplers = samplers_of(system, plan, sampler, count, COMPONENTS)
        measures = Replications()
        hooks = Hooks(progress=progress, replication=measures.add)
        tally, timing = simulate(system, plan, samplers, hooks)
        return Run(book, parameters, system, plan, samplers, on_host(tally), timing, measures, sampler)


def monthly(system: System, history: tuple[Any, Any]) -> pd.DataFrame:
    """The series of `Names.series` and the defaults of a path, month by month, from (State, Info)."""
    state, info = history
    series = jax.vmap(traced, in_axes=(None, 0, 0))(system, state, info)
    table = pd.DataFrame(np.asarray(series, np.float64), columns=list(system.names.series))
    table.insert(0, "month", np.arange(1, len(table) + 1))
    last = np.asarray(state.credit.default_month)[-1]
    firms = np.asarray(system.names.firms)
    table["defaults"] = [", ".join(firms[last[: len(firms)] == month]) for month in table["month"]]
    return with_units("replay", table)
