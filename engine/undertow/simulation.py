"""A finished simulation: its tables as DataFrames, as the report shows them, as charts, as files."""

import dataclasses
import functools
import pathlib
from collections.abc import Collection, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd
from jaxtyping import Float64

from engine import arguments
from engine.book.checks.problems import expected
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.system import System
from engine.numerics import double_precision
from engine.paths.history import History, histories
from engine.paths.path import traced
from engine.report import findings
from engine.report.chromium import NoBrowser, browser
from engine.report.page import kicker, sections
from engine.report.section import Chart, Section
from engine.results.circular_web import web_tables
from engine.results.folder import Results, write_json, write_table
from engine.results.provenance import made, timing_of
from engine.results.replications import Replications
from engine.results.summarise import config_hash
from engine.results.summary import Summary
from engine.results.units import with_units
from engine.results.write import results_of
from engine.run.plan import Plan, Timing
from engine.tail.intervals import sectioned
from engine.tail.measures import Losses, column_losses
from engine.tail.tally import Tally
from engine.undertow.bad_input import BadInput
from engine.undertow.plots import Plots
from engine.undertow.settings import BASELINE
from engine.undertow.view import ReportTable, fragment

WEB = ("web", "failures")
"""The chart and the table that need `circular_web`."""


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A finished simulation. Tables are pandas DataFrames with units by column in `attrs["units"]`.

    Losses are positive, USD bn, cumulative to the horizon; probabilities and shares are decimals. In a
    notebook the run shows its headline and the system's loss. `tally` and `system` are the engine's own
    objects, for what no table holds.
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
    scenario: str = BASELINE
    story: str = ""
    laws: tuple[tuple[Losses, ...], ...] = ()  # the system's loss by horizon, of each replication

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
    def loss(self) -> pd.DataFrame:
        """Loss of all lenders together by horizon: EL, VaR with 95% intervals, ES with standard errors."""
        return self._of_kind("system").droplevel("name").drop(columns="id")

    @property
    def lenders(self) -> pd.DataFrame:
        """The same by horizon and lender, the greatest ES 99% first: `run.lenders.loc["5y"]`."""
        return self._of_kind("lender")

    @property
    def bearers(self) -> pd.DataFrame:
        """The same by horizon and group of final bearers, with their wealth."""
        return self._of_kind("bearer")

    @property
    def borrowers(self) -> pd.DataFrame:
        """Probability of default by borrower and horizon with errors, and the shares of its causes."""
        table = self.tables["firms"].set_index("name")
        last = [column for column in table if column.startswith("pd_") and not column.endswith("_se")][-1]
        return with_units("firms", table.sort_values(last, ascending=False, kind="stable"))

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
        independent paths, or from the spread of replications where there are any. To half a bin of the tally,
        0.2% of the loss. Raises ValueError for a loss that is not a number.

        Example: `run.beyond(20.0)`.
        """
        each = [column_losses(self.tally, place).beyond(loss) for place in range(len(self.horizons))]
        errors = replicated_errors(self.laws, loss) if self.laws else np.zeros(len(each))
        # Replications that all say never say nothing of the error: that of independent paths stands.
        rows = [(p.value, error or p.standard_error) for p, error in zip(each, errors.tolist(), strict=True)]
        names = pd.Index(self.horizons, name="horizon")
        return with_units("beyond", pd.DataFrame(rows, names, columns=["probability", "probability_se"]))

    @functools.cached_property
    def plot(self) -> Plots:
        """The report's charts as Plotly figures: `run.plot.loss()`."""
        return Plots(self._charts)

    def table(self, name: str) -> ReportTable:
        """A table of the report by its name: shown in a notebook as on the page, `frame` as a DataFrame.

        Raises ValueError for a name that the report does not have, with those that it has.

        Example: `run.table("system")`.
        """
        tables = {table.name: table for section in self._sections(name) for table in section.tables}
        if name not in tables:
            arguments.refuse("table", name, "one of " + ", ".join([*tables, *WEB[1:]]))
        return ReportTable(tables[name])

    def replay(self, path: int) -> pd.DataFrame:
        """Every month of one path: revenue, regime, rents, prices, spreads, debt, losses and defaults.

        Args: path, its id, from 0 to paths - 1 (see `worst_paths`). Returns a row for each month; `defaults`
        names the firms that default in it. Numbers are the run's, to the bit with `kernel="xla"` and within
        rounding with the fused kernel. Raises ValueError for a path that was not run.

        Example: `run.replay(run.worst_paths["path"][0])`.
        """
        with double_precision():
            [history] = histories(self.system, self.plan, [path], self.samplers)
            return monthly(self.system, history)

    def write(
        self, folder: str | pathlib.Path, formats: Collection[str] = ("html", "xlsx"),
        browser: str | None = None,
    ) -> pathlib.Path:  # fmt: skip
        """Write summary.json, results/*.parquet and the report into a folder; the path of the folder.

        Args: folder, made if need be; formats, some of `html`, `xlsx`, `pdf`, and `svg` and `png` for the
        figures; browser, the path of the Chromium or Chrome that the last three need, by default the first
        on the PATH. Raises BadInput for another format, and where a browser is needed and there is none.
        """
        from engine.report.files import FORMATS, write_report

        refuse_formats(formats, FORMATS, browser)
        folder = pathlib.Path(folder)
        (folder / "results").mkdir(parents=True, exist_ok=True)
        with double_precision():
            for name, table in (self.results.tables | self.circular_web).items():
                write_table(folder, name, table)
            write_json(folder / "summary.json", self.summary)
            write_report(folder, formats, browser)
        return folder

    def _of_kind(self, kind: str) -> pd.DataFrame:
        """Rows of `losses` by horizon and name, the greatest ES 99% first within a horizon."""
        table = self.losses[self.losses["kind"] == kind]
        parts = [table[table["horizon"] == name] for name in self.horizons]
        ranked = pd.concat([part.sort_values("es_99", ascending=False, kind="stable") for part in parts])
        indexed = ranked.drop(columns=["column", "kind"]).set_index(["horizon", "name"])
        empty = [column for column in indexed if (indexed[column].isna() | (indexed[column] == "")).all()]
        return with_units("losses", indexed.drop(columns=empty))

    def _sections(self, name: str) -> list[Section]:
        """Sections of the report; with the circular web, which takes seconds, only where a part needs it."""
        return self._with_web if name in WEB else self._without_web

    @functools.cached_property
    def _without_web(self) -> list[Section]:
        return [section for _, section in sections(self.results)]

    @functools.cached_property
    def _with_web(self) -> list[Section]:
        results = self.results._replace(tables=self.results.tables | self.circular_web)
        return [section for _, section in sections(results)]

    def _charts(self, name: str) -> list[Chart]:
        return [chart for section in self._sections(name) for chart in section.charts]

    def _provenance(self) -> dict[str, Any]:
        timing = timing_of(
            self.timing.compile_s, self.timing.run_s, self.timing.paths, kernel=self.timing.kernel
        )
        plan, numbers = dataclasses.asdict(self.plan), dataclasses.asdict(self.parameters)
        return made() | plan | {
            "run": "", "task": "tail_risk", "scenario": self.scenario, "story": self.story,
            "sampler": self.sampler,
            "months": self.system.calendar.month.shape[0], "command": ["undertow.run"], "timing": timing,
            "book": self.book.name, "book_hash": self.book.hash, "book_repairs": list(self.book.repairs),
            "book_warnings": list(self.book.warnings),
            "config_hash": config_hash(plan | {"parameters": numbers, "sampler": self.sampler}),
        }  # fmt: skip

    def __repr__(self) -> str:
        last = self.loss.iloc[-1]
        return (
            f"<Run of {self.book.name}: {self.plan.paths:,} paths, seed {self.plan.seed}; at {last.name} "
            f"EL {last.el:.1f}, VaR 99% {last.var_99:.1f}, ES 99% {last.es_99:.1f} USD bn>"
        )

    def _repr_html_(self) -> str:
        """The headline of the report and the system's loss, for a notebook."""
        texts = [kicker(self.summary), findings.headline(self.results), *self.warnings]
        return fragment(self.table("system").table, texts)


def replicated_errors(laws: Sequence[Sequence[Losses]], loss: float) -> Float64[np.ndarray, " horizons"]:
    """Standard errors of P(L > loss) by horizon from the spread of replications, 0 where there is none."""
    return sectioned([np.array([law.beyond(loss).value for law in each]) for each in laws])[1]


def refuse_formats(formats: Collection[str], known: Collection[str], program: str | None) -> None:
    """Raises BadInput for unknown forms of a report, and for those of a browser where there is none."""
    if unknown := [form for form in formats if form not in known]:
        raise BadInput(expected("formats", form, "one of " + ", ".join(known)) for form in unknown)
    if set(formats) - {"html", "xlsx"}:
        try:
            browser(program)
        except NoBrowser as error:
            raise BadInput([expected("formats", list(formats), f"html and xlsx: there is {error}")]) from None


def monthly(system: System, history: History) -> pd.DataFrame:
    """The series of `Names.series` and the defaults of a path, month by month."""
    state, info = history.state, history.info
    series = jax.vmap(traced, in_axes=(None, 0, 0))(system, state, info)
    table = pd.DataFrame(np.asarray(series, np.float64), columns=list(system.names.series))
    table.insert(0, "month", np.arange(1, len(table) + 1))
    last = np.asarray(state.credit.default_month)[-1]
    firms = np.asarray(system.names.firms)
    table["defaults"] = [", ".join(firms[last[: len(firms)] == month]) for month in table["month"]]
    return with_units("replay", table)
