"""Running the command inside the test process, and an engine small enough to watch the door at work."""

import contextlib
import dataclasses
import json
import sys
import types
from typing import NamedTuple

import numpy as np
import pytest

from engine.run.plan import Timing
from experiments import main as entry


@dataclasses.dataclass
class Answer:
    """What the command said and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def undertow(monkeypatch, capsys, tmp_path):
    """`undertow("run.paths=5", ...)` runs the command in an empty folder and returns its `Answer`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.main.prepare_devices", lambda devices: None)
    monkeypatch.setattr("experiments.sweeps.sweeper.prepare_devices", lambda devices: None)

    def call(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["undertow", *arguments])
        try:
            code = entry.main()
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return Answer(code or 0, said.out, said.err)

    return call


class Replications:
    """Stand-in for what is kept of every replication."""

    def __init__(self):
        self.sums = []

    def add(self, tally):
        self.sums.append(int(tally))

    def arrays(self):
        return {"sums": np.array(self.sums, np.int64)}

    def restore(self, arrays):
        self.sums = arrays["sums"].tolist()


class RunState(NamedTuple):
    """Stand-in for where a run stands; the tallies are sums of path ids."""

    done: int
    seconds: float
    finished: np.ndarray
    present: np.ndarray


def initial_state(layout):
    """Where the stand-in stands before its first path."""
    return RunState(0, 0.0, np.zeros(1, np.int64), np.zeros(1, np.int64))


class NetworkMeasures:
    """Stand-in for what is kept of every network."""

    def __init__(self, blocks):
        self.blocks = blocks

    def add(self, tally):
        pass

    def tables(self, layout, labels):
        return {"network_split": None}

    def replications(self):
        return Replications()


class Engine:
    """Stand-ins for the engine behind the door; a test puts a function in `during` to act while paths run.

    The stand-in adds up path ids, block by block; `after(done)` is called after each.
    """

    def __init__(self):
        self.runs = []
        self.during = lambda progress, stopped: None
        self.after = lambda done: None
        self.started = []
        self.summary = {"flagged_paths": {}, "warnings": []}

    def simulate(self, system, plan, samplers, hooks, start=None, processes=None):
        self.runs.append((system, plan))
        self.started.append(start.done if start else 0)
        self.during(hooks.progress, hooks.stopped)
        done, seconds, finished, present = start or initial_state(None)
        while done < plan.paths and not hooks.stopped():
            block = np.arange(done, min(done + plan.block, plan.paths))
            done, present = done + len(block), present + block.sum()
            hooks.replication(present[0])
            self.after(done)
            if hasattr(hooks, "checkpoint_due") and hooks.checkpoint_due(hooks.stopped()):
                hooks.checkpoint(RunState(done, seconds, finished, present))
        timing = Timing(compile_s=1.0, run_s=2.0, paths=done)
        return finished + present, timing

    def write_results(self, folder, tally, system, book, provenance, replications, more):
        loss = {"es_99": 10.0, "es_99_se": 0.1, "sum": int(tally[0]), "sums": replications.sums}
        summary = provenance | {"system": {"5y": loss}} | self.summary
        (folder / "results").mkdir(exist_ok=True)
        (folder / "summary.json").write_text(json.dumps(summary, default=str))
        return summary

    def write_report(self, folder, formats, program=None):
        for form in formats:
            (folder / f"report.{form}").write_text("<html></html>")


def shelf(name: str) -> str:
    """The only book there is."""
    if name != "ai_credit_2025":
        raise ValueError(f"got book {name!r}, expected ai_credit_2025")
    return name


@pytest.fixture
def engine(monkeypatch):
    """The stand-in engine, in the places from which the door imports the real one."""
    return install(monkeypatch)


def install(monkeypatch):
    """Put a stand-in engine in the places from which the door imports the real one; the stand-in."""
    stand_in = Engine()
    book = types.SimpleNamespace(name="small", hash="0" * 64, repairs=(), warnings=())
    for name, parts in {
        "engine.paths.simulate": {"simulate": stand_in.simulate, "layout_of": lambda system: None},
        "engine.paths.ensemble": {
            "simulate_ensemble": lambda systems, *rest: stand_in.simulate(systems[0], *rest)
        },
        "engine.book.ensemble": {
            "sample_holdings": lambda book, method, count, density, seed: range(count),
            "with_holdings": lambda book, shares: book,
        },
        "engine.results.losses": {"labels_of": lambda system, book: None},
        "engine.results.network_ensemble": {
            "NetworkMeasures": NetworkMeasures,
            "network_summary": lambda split: {},
        },
        "engine.paths.samplers": {"samplers_of": lambda system, plan, *choice: choice},
        "engine.run.plan": {
            "Plan": types.SimpleNamespace,
            "Hooks": types.SimpleNamespace,
            "initial_state": initial_state,
        },
        "engine.results.replications": {"Replications": Replications},
        "engine.book.build": {
            "build_system": lambda book, parameters, months: (book, parameters, months),
            "NotFinite": type("NotFinite", (ValueError,), {}),
        },
        "engine.book.load": {
            "load_book": lambda path, repair: book,
            "shipped_book": shelf,
            "BookError": type("BookError", (ValueError,), {}),
        },
        "engine.results.write": {"write_results": stand_in.write_results},
        "engine.results.circular_web": {"web_tables": lambda system, book, tally, seed, samplers: {}},
        "engine.report.files": {"write_report": stand_in.write_report},
        "engine.report.terminal": {"print_summary": lambda summary, file: print("summary", file=file)},
    }.items():
        module = types.ModuleType(name)
        vars(module).update(parts)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("experiments.anatomy.dissect", lambda *arguments: {})
    return stand_in


@pytest.fixture
def status():
    """`status(folder)` reads a run's status.json."""
    return lambda folder: json.loads((folder / "status.json").read_text(encoding="utf-8"))


@pytest.fixture
def untouched(tmp_path):
    """A block that must leave nothing behind in the working folder."""

    @contextlib.contextmanager
    def block():
        before = sorted(tmp_path.rglob("*"))
        yield
        assert sorted(tmp_path.rglob("*")) == before

    return block
