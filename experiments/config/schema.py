"""The schema of the configuration: every key, its type and its default.

The modelling numbers are the engine's own dataclasses (`engine.book.parameters`), so no number is
written twice: the files under `conf/` hold only what differs from them.
"""

import dataclasses
from typing import Any

from hydra.core.config_store import ConfigStore

from engine.book import parameters


@dataclasses.dataclass
class Book:
    """Which book: the shipped one by name, or a folder of CSV files or an .xlsx by path."""

    name: str | None = "ai_credit_2025"
    path: str | None = None
    repair: bool = False  # replace a correlation table that is not one by the nearest that is


@dataclasses.dataclass
class Run:
    """How much is simulated, and where the results go."""

    paths: Any = 200_000  # a whole number; 1e6 is accepted, which an int field would refuse
    block: Any = 16384  # paths a block
    seed: Any = 7
    months: Any = 60
    dir: str | None = None  # null: out/<date-time>-<hash of the configuration>
    devices: Any = "auto"  # host devices of a process; auto: one a core
    processes: Any = 1  # that share the run; slurm: the tasks of srun
    process: Any = 0  # which of them this is
    coordinator: str | None = None  # host:port of process 0, where the others find it
    checkpoint_seconds: float = 60.0  # between two checkpoints; 0: none
    resume: bool = True  # go on from the checkpoint of this very run; false: discard it


@dataclasses.dataclass
class Scenario:
    """The scenario's name and its story in a sentence; its numbers stand in the groups they change."""

    name: str = "baseline"
    story: str = ""


@dataclasses.dataclass
class Sampler:
    """How the shocks are drawn."""

    name: str = "pseudo_random"
    replications: Any = 1  # independent ones; from two on their spread is the error
    components: Any = 4  # principal components of each factor's path that a scrambled sequence covers
    column: str = "system"  # the loss whose tail importance sampling is for
    level: float = 0.999  # where that tail begins
    parts: Any = 4  # laws of the mixture beside the nominal one
    defensive: float = 0.1  # share of the nominal law: no weight exceeds one over it
    learning_paths: Any = 131_072
    tilt: str | None = None  # a law learned before, the tilt.npz of its run; null: learn one


@dataclasses.dataclass
class Network:
    """The networks of holders that `task=network_ensemble` draws and runs, all on the same paths."""

    networks: Any = 50
    method: str = "fitness"
    density: float = 0.3  # share of an instrument class's open cells that are links (fitness, gibbs)
    paths: Any = 8192  # of each network
    blocks: Any = 8  # of paths: their spread is the Monte Carlo error of each network


@dataclasses.dataclass
class Greeks:
    """What `task=greeks` moves, how far, and how much of it it checks."""

    level: float = 0.99
    step: float = 0.05  # share of its size by which each number is moved, up and down
    paths: Any = 512  # of each row of the design
    checked: Any = 10  # numbers of the greatest effects that are also moved alone
    drawn: Any = 4  # further ones, drawn by chance
    ranges: Any = 12  # numbers that are moved from the lowest to the highest value one would defend
    bumps: Any = 4  # rows that each number moved alone is run for
    groups: list[str] = dataclasses.field(
        default_factory=lambda: ["economy", "chips", "contracts", "credit", "lenders"]
    )


@dataclasses.dataclass
class ReverseStress:
    """The loss whose likeliest road `task=reverse_stress` looks for; `target=300` is short for its target."""

    target: Any = None  # USD bn, at the end of the run
    of: str = "system"  # or lender:<id>, class:<id>, lenders:<class>, bearer:<id>
    scenarios: Any = 5  # kinds of scenario that are listed


@dataclasses.dataclass
class Search:
    """What `task=search` turns, and what for (docs/search.md)."""

    knobs: list[Any] = dataclasses.field(default_factory=list)  # [name, lowest, highest] each
    maximise: list[str] = dataclasses.field(default_factory=list)  # results
    minimise: list[str] = dataclasses.field(default_factory=list)
    bounds: list[Any] = dataclasses.field(default_factory=list)  # [result, least, most], null for none
    trials: Any = 60
    paths: Any = 16_384  # of each trial


@dataclasses.dataclass
class Report:
    """What is written, and when a finished run counts as unreliable (exit code 4)."""

    html: bool = True
    most_flagged: float = 0.001  # share of paths whose fixed points had not settled
    fail_on_unresolved: bool = False  # a tail measure whose interval could not be resolved


@dataclasses.dataclass
class Task:
    """Which file under `experiments/` runs."""

    name: str = "tail_risk"


@dataclasses.dataclass
class Template:
    """Where `task=template` writes its two books."""

    dir: str | None = None


@dataclasses.dataclass
class Validate:
    """What `task=validate` reads and writes."""

    oracles: str = "tests/oracles"  # folder of published numbers
    unshipped: str | None = None  # folder of those whose licence keeps them out of the repository
    runs: int = 400  # of each sampler in the coverage study; 0 leaves it out
    document: str = "docs/validation.md"


@dataclasses.dataclass
class Runs:
    """What `task=runs` lists or asks."""

    root: str = "out"  # the folder below which runs lie
    sql: str | None = None  # a question over the views of docs/results.md; null: a list of all runs


@dataclasses.dataclass
class Calibrate:
    """What `task=calibrate` is told beside the book's history and market tables (docs/calibration.md)."""

    sector: str = "AI"  # series AI_REVENUE and AI_RUN_RATE
    labs: list[str] = dataclasses.field(default_factory=lambda: ["OPENAI", "ANTHROPIC"])
    boom_since: str = "2022-12"  # the first month after ChatGPT's release; grade C
    revenue_error: float = 0.10  # sd of the log of an observation; grade C
    rent_error: float = 0.10  # the same of a quoted rent; grade C
    gains: dict[str, float] = dataclasses.field(
        default_factory=lambda: {"H100": 2.28, "H200": 1.20, "B200": 1.95, "GB200": 1.05, "GB300": 1.0}
    )  # of past releases: root of the ratios of dense BF16 and of memory bandwidth (data sheets; grade B)
    cds_recovery: float = 0.40
    quotes: dict[str, str] = dataclasses.field(
        default_factory=lambda: {
            "BEIG_2049": "HYPERION_SPREAD",
            "VANT_TX_LOAN": "VANTAGE_MARGIN",
            "VANT_WI_LOAN": "VANTAGE_MARGIN",
            "WULF_SN30": "WULF_SPREAD",
            "APLD_SN30": "APLD_SPREAD",
        }
    )  # row of the market table, in bp, that quotes a loan; those of CDS are in the firms table
    accept: list[str] = dataclasses.field(default_factory=lambda: ["CDS"])  # and "loan": who moves the book
    risk_premium_ig: list[float] = dataclasses.field(
        default_factory=lambda: [3.0, 6.0, 10.0]
    )  # low, used, high
    risk_premium_hy: list[float] = dataclasses.field(default_factory=lambda: [2.0, 2.5, 4.0])
    paths: Any = 8192  # of each firm's default probability
    histories: Any = 400  # simulated from the fit and fitted again


@dataclasses.dataclass
class Config:
    """The whole configuration."""

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
    network: Network = dataclasses.field(default_factory=Network)
    greeks: Greeks = dataclasses.field(default_factory=Greeks)
    reverse_stress: ReverseStress = dataclasses.field(default_factory=ReverseStress)
    search: Search = dataclasses.field(default_factory=Search)
    report: Report = dataclasses.field(default_factory=Report)
    template: Template = dataclasses.field(default_factory=Template)
    validate: Validate = dataclasses.field(default_factory=Validate)
    runs: Runs = dataclasses.field(default_factory=Runs)
    calibrate: Calibrate = dataclasses.field(default_factory=Calibrate)


def register() -> None:
    """Hand the schema to Hydra's store; to be called before the configuration is composed."""
    ConfigStore.instance().store(name="schema", node=Config)
