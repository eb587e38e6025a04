"""The schema of the configuration: every key, its type and its default.

A group that only one task reads is the `Options` of that task's module (`experiments.tasks`).

The modelling numbers are the engine's own dataclasses (`engine.book.parameters`), so no number is
written twice: the files under `conf/` hold only what differs from them.
"""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from hydra.core.config_store import ConfigStore

from engine.book import parameters


@dataclasses.dataclass
class Book:
    """Which book: the shipped one by name, or a folder of CSV files or an .xlsx by path."""

    name: str | None = "ai_credit_2025"  # of a shipped book; read where book.path is null
    path: str | None = None  # a folder of CSV files or an .xlsx; null: the shipped book
    repair: bool = False  # replace a correlation table that is not one by the nearest that is


@dataclasses.dataclass
class Run:
    """How much is simulated, and where the results go."""

    paths: Any = 200_000  # that are simulated; 1e6 is accepted, which an int field would refuse
    block: Any = 16384  # paths a block
    seed: Any = 7  # of the random numbers: same seed, same paths
    months: Any = 60  # that each path lasts, whole years
    parameters: str = "fixed"  # drawn: each path draws those that history does not identify
    kernel: str = "auto"  # what evaluates the paths: xla, fused, or auto, which is fused where it can be had
    dir: str | None = None  # null: out/<date-time>-<hash of the configuration>
    devices: Any = "auto"  # host devices of a process; auto: one a core
    processes: Any = 1  # that share the run; slurm: the tasks of srun
    process: Any = 0  # which of them this is
    coordinator: str | None = None  # host:port of process 0, where the others find it
    arrival_seconds: float = 50.0  # how long processes wait for one another at the start
    checkpoint_seconds: float = 60.0  # between two checkpoints; 0: none
    resume: bool = True  # go on from the checkpoint of this very run; false: discard it


@dataclasses.dataclass
class Scenario:
    """The scenario's name and its story in a sentence; its numbers stand in the groups they change.

    With `file` the economy follows the paths of a table, a CSV or .xlsx file or one that ships
    (docs/scenarios.md).
    """

    name: str = "baseline"  # for the report; scenario=NAME sets its numbers too
    story: str = ""  # in a sentence, for the report
    file: str | None = None  # paths of rates, spreads, equity, AI revenue, by month, quarter or year
    case: str | None = None  # which of the file's scenarios, such as baseline; null: adverse or stress
    region: str = "US"  # whose variables are read where a table has those of several: US, UK, EA, DE
    history: str | None = None  # its published past, where levels need their value at the book's date
    mapping: str | None = None  # rows that say what further columns are (engine/book/scenario/mapping.csv)
    start: str | None = None  # date of the file that is the first after the book's; null: as published
    end: str | None = None  # last date of the file that is read; null: all
    beside: bool = True  # run the same paths without the file too, to show both tails


@dataclasses.dataclass
class Sampler:
    """How the shocks are drawn."""

    name: str = "pseudo_random"  # or antithetic, sobol, importance
    replications: Any = 1  # independent ones; from two on their spread is the error
    components: Any = 4  # principal components of each factor's path that a scrambled sequence covers
    column: str = "system"  # the loss whose tail importance sampling is for
    level: float = 0.999  # where that tail begins
    candidates: Any = 32  # economies of which importance sampling simulates one
    defensive: float = 0.3  # how much it prefers all paths alike: near one they are plain
    learning_paths: Any = 131_072  # plain paths from which it learns what an economy costs
    proposal: str | None = None  # what an earlier run learned, its proposal.npz; null: learn
    nearby: bool = False  # whether it may have been learned for other numbers of the model


@dataclasses.dataclass
class Report:
    """What is written, and when a finished run counts as unreliable (exit code 4)."""

    html: bool = True  # write report.html
    xlsx: bool = True  # every table as a sheet of report.xlsx
    pdf: bool = False  # the page as report.pdf; this and the figures need Chromium or Chrome
    svg: bool = False  # every figure as figures/NAME.svg
    png: bool = False  # every figure as figures/NAME.png
    browser: str | None = None  # path of Chromium or Chrome; null: the first on the PATH
    focus: str | None = None  # whose page it is: lender:ID, class:ID, bearer:ID or borrower:ID
    focus_paths: Any = 16_384  # of the run, for that page and each of its actions
    anatomy: bool = True  # one path near the mean of the tail, month by month
    most_flagged: float = 0.001  # share of paths whose fixed points had not settled
    fail_on_unresolved: bool = False  # a tail measure whose interval could not be resolved

    @property
    def formats(self) -> list[str]:
        """What is written, by the names of `engine.report.files.FORMATS`."""
        return [name for name in ("html", "xlsx", "pdf", "svg", "png") if getattr(self, name)]


@dataclasses.dataclass
class Task:
    """Which module of `experiments/tasks/` runs."""

    name: str = "tail_risk"  # task=NAME also sets the number of paths that suits it


@dataclasses.dataclass
class Config:
    """The groups that every task shares."""

    task: Task = dataclasses.field(default_factory=Task)
    run: Run = dataclasses.field(default_factory=Run)
    book: Book = dataclasses.field(default_factory=Book)
    scenario: Scenario = dataclasses.field(default_factory=Scenario)
    economy: parameters.Economy = dataclasses.field(default_factory=parameters.Economy)
    chips: parameters.Chips = dataclasses.field(default_factory=parameters.Chips)
    contracts: parameters.Contracts = dataclasses.field(default_factory=parameters.Contracts)
    credit: parameters.Credit = dataclasses.field(default_factory=parameters.Credit)
    lenders: parameters.Lenders = dataclasses.field(default_factory=parameters.Lenders)
    mechanisms: parameters.Mechanisms = dataclasses.field(default_factory=parameters.Mechanisms)
    policy: parameters.Policy = dataclasses.field(default_factory=parameters.Policy)
    sampler: Sampler = dataclasses.field(default_factory=Sampler)
    report: Report = dataclasses.field(default_factory=Report)


CompleteConfig: type[Config] = Config
"""The shared groups and those of the registered tasks. A name of this module, so that a job sent to another
process refers to the class: a pickle that copied it would come back and overwrite the fields of this one."""


def complete() -> type[Config]:
    """The whole configuration: the shared groups and those of the registered tasks."""
    return CompleteConfig


def register(own_groups: Mapping[str, type]) -> None:
    """Hand the schema with these groups of the tasks to Hydra; before any configuration is composed."""
    global CompleteConfig
    if group_types() == typing.get_type_hints(Config) | dict(own_groups):
        return
    fields = [
        (name, options, dataclasses.field(default_factory=options)) for name, options in own_groups.items()
    ]
    CompleteConfig = dataclasses.make_dataclass("CompleteConfig", fields, bases=(Config,))
    CompleteConfig.__module__ = __name__
    ConfigStore.instance().store(name="schema", node=CompleteConfig)


def group_types() -> dict[str, type]:
    """The dataclass of every group of the whole configuration."""
    hints = typing.get_type_hints(CompleteConfig)
    return {field.name: hints[field.name] for field in dataclasses.fields(CompleteConfig)}
