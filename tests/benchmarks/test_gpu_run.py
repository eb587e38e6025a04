"""The script for a GPU survives a phase that fails, hangs or dies, and being killed; phases run on a CPU."""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from benchmarks import gpu_run, table
from benchmarks.gpu import agreement, fused, profile
from benchmarks.gpu.log import LINES, Log, lines_of
from benchmarks.gpu.setting import TINY, Setting, Sizes
from benchmarks.gpu.worker import Worker
from benchmarks.gpu_run import PHASES, Phase, Session, chosen, limit_of
from engine.kernel.gpu import FORM, Gpu

ROOT = pathlib.Path(gpu_run.__file__).parents[1]
HERE = "tests.benchmarks.gpu_phases"


def phase(function, most=20.0, least=0.5, **more):
    """A phase of the file beside this one, named as its function."""
    return Phase(function, f"{HERE}:{function}", most, least, **more)


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A session of a minute with phases that need no JAX."""
    monkeypatch.setattr(gpu_run, "PREPARE", f"{HERE}:prepare")
    session = Session(Log(tmp_path / LINES), TINY, tmp_path / "none.npz", 60.0, on_cpu=True)
    session.log.write(start="now", minutes=1.0)
    yield session
    session.worker.kill()


def ends(session):
    """The end of every phase in the record, and what each found."""
    lines = lines_of(session.log.path)
    facts = {}
    for line in lines:
        facts.setdefault(line.get("phase"), {}).update(line.get("facts", {}))
    return {line["phase"]: line for line in lines if "end" in line}, facts


def test_a_phase_that_raises_dies_or_hangs_costs_that_phase(session):
    phases = (phase("well"), phase("raising"), phase("dying"), phase("hanging", most=2.0), phase("well"))
    begun = time.monotonic()
    assert not session.run(phases)
    assert time.monotonic() - begun < 30.0
    found, facts = ends(session)
    assert [found[each.name]["end"] for each in phases] == [
        "done",
        "failed",
        "died",
        "over its limit",
        "done",
    ]
    assert "ZeroDivisionError: by intention" in found["raising"]["words"]
    assert "code -6" in found["dying"]["words"]
    assert 2.0 <= found["hanging"]["seconds"] < 15.0
    processes = {name: each["process"] for name, each in facts.items() if "process" in each}
    assert len(set(processes.values())) == 4  # a new one after each that did not end well
    assert not any(alive(process) for process in processes.values())


def alive(process):
    """Whether a process runs."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_is_shared_by_phases_that_end_well_unless_one_wants_its_own(session):
    own = phase("well", fresh=True)._replace(name="own")
    session.run((phase("well"), phase("well")._replace(name="again"), own))
    _, facts = ends(session)
    assert facts["well"]["process"] == facts["again"]["process"] != facts["own"]["process"]


def test_a_worker_that_does_not_start_is_a_failed_phase(session, monkeypatch):
    session.worker = Worker(f"{HERE}:never_starting")
    assert not session.run((phase("well"),))
    assert "did not start" in ends(session)[0]["well"]["words"]


def test_a_start_takes_no_longer_than_the_time_left(session):
    session.worker, session.end = Worker(f"{HERE}:starting_late"), time.monotonic() + 3.0
    assert not session.run((phase("well"), phase("well")._replace(name="next")))
    assert time.monotonic() < session.end + 5.0
    found, _ = ends(session)
    assert found["well"]["words"] == "the worker did not start: over its limit killed"
    assert found["next"]["end"] == "left out"


def test_without_a_gpu_nothing_runs_unless_asked(session, capsys):
    session.on_cpu = False
    with pytest.raises(SystemExit) as end:
        session.run((phase("well"),))
    assert end.value.code == 2 and "sees no GPU" in capsys.readouterr().err


def test_phases_are_shortened_and_left_out_as_time_runs_out(session):
    session.end = time.monotonic() + 12.0
    long = phase("hanging", most=100.0, least=1.0)
    session.run((long, phase("well", least=9.0), phase("well", least=11.5)._replace(name="late")))
    found, facts = ends(session)
    assert found["hanging"]["end"] == "over its limit" and found["hanging"]["seconds"] < 9.0
    assert facts["hanging"]["limit shortened, s"][0] == 100.0
    assert found["late"]["end"] == "left out" and found["late"]["words"].startswith("needs 11.5 s, ")


def test_limits_leave_later_phases_their_least():
    first, second = Phase("a", "", 60, 10), Phase("b", "", 300, 20)
    assert limit_of(first, (second,), 100.0) == 60.0
    assert limit_of(first, (second,), 40.0) == 20.0
    assert limit_of(first, (second,), 25.0) == 10.0
    assert limit_of(first, (second,), 9.0) == 0.0


def test_the_usual_phases_fit_the_usual_time():
    """At their least together within nine minutes, with a start for every worker."""
    assert sum(each.least for each in PHASES) < 9 * 60 - 120
    assert [each.name for each in PHASES][0] == "fused"
    with pytest.raises(ValueError, match="got sleep, expected some of fused"):
        chosen(["sleep"])


SCRIPT = """
import pathlib, sys
from benchmarks import gpu_run
from benchmarks.gpu.log import Log
from benchmarks.gpu.setting import TINY
gpu_run.PREPARE = "tests.benchmarks.gpu_phases:prepare"
if __name__ == "__main__":
    log = Log(pathlib.Path(sys.argv[1]))
    log.write(start="now", minutes=1.0)
    session = gpu_run.Session(log, TINY, pathlib.Path("none"), 60.0, on_cpu=True)
    names = "well", "hanging", "late"
    session.run(tuple(gpu_run.Phase(n, f"tests.benchmarks.gpu_phases:{n}", 50.0, 1.0) for n in names))
"""


def test_a_killed_script_leaves_its_findings_and_no_process(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    path = tmp_path / LINES
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    script = subprocess.Popen([sys.executable, tmp_path / "script.py", path], env=environment)
    try:
        worker = wait_for(lambda: process_of(path, "hanging"))
    finally:
        os.kill(script.pid, signal.SIGKILL)
        script.wait()
    lines = lines_of(path)
    assert [line["phase"] for line in lines if "end" in line] == ["well"]
    assert wait_for(lambda: not alive(worker))


def process_of(path, name):
    """The process that a phase of a record runs in, None as long as there is none."""
    texts = path.read_text().splitlines() if path.exists() else []
    own = [json.loads(text) for text in texts if f'"{name}"' in text]
    return next((line["facts"]["process"] for line in own if "facts" in line), None)


def wait_for(condition, seconds=30.0):
    """The condition's value as soon as it is true; fails after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    pytest.fail("waited in vain")


def test_a_line_cut_short_is_left_out_and_the_next_run_begins_on_its_own(tmp_path):
    path = tmp_path / LINES
    path.write_text('{"start": "a", "minutes": 9.0}\n{"phase": "peaks", "fac')
    assert lines_of(path) == [{"start": "a", "minutes": 9.0}]
    Log(path).write(start="b", minutes=9.0)
    assert [line["start"] for line in lines_of(path)] == ["b"]
    path.write_text('{"start": "a"}\nnothing\n{"phase": "b"}\n')
    with pytest.raises(ValueError, match="line 2"):
        lines_of(path)


def test_the_table_shows_rates_ends_and_facts(session, tmp_path, capsys):
    session.run((phase("well"), phase("raising")))
    table.main(str(tmp_path))
    text = capsys.readouterr().out
    assert "| gpu | nothing | 3 (2–4) | calls/s |" in text
    assert "| raising | failed |" in text and "ZeroDivisionError: by intention" in text
    assert "- process: " in text


BLOCKER = """
import importlib.metadata, re, sys
PLAIN = {"jax", "jaxlib", "numpy", "scipy", "pandas", "pyarrow", "equinox", "jaxtyping", "optax"}
needed, found = list(PLAIN), set()
while needed:
    name = re.sub(r"[-_.]+", "-", needed.pop()).lower()
    if name in found:
        continue
    try:
        asked = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        continue
    found.add(name)
    needed += [re.match(r"[\\w.-]+", each)[0] for each in asked if "extra ==" not in each]
tops = importlib.metadata.packages_distributions()
allowed = {top for top, names in tops.items() if {re.sub(r"[-_.]+", "-", n).lower() for n in names} & found}
allowed |= {"engine", "benchmarks", "jax_plugins", *sys.stdlib_module_names}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in tops and top not in allowed:
            raise ImportError(f"{name} is not in a plain image")
sys.meta_path.insert(0, Blocker())
"""


def in_a_plain_image(code, *arguments):
    """The exit code and errors of code in a fresh process with the packages of a plain image alone."""
    places = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
    return subprocess.run(
        [sys.executable, "-c", BLOCKER + code, *arguments], capture_output=True, text=True, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": places},
    )  # fmt: skip


def test_a_plain_image_is_enough():
    """All that the phases import at any time, the shipped book and its arrays."""
    code = """
from benchmarks.gpu import device, setting
device.prepare()
import pandas
import benchmarks.gpu_run, benchmarks.table, benchmarks.roofline, benchmarks.gpu_check
import benchmarks.classic_portfolio
from benchmarks.gpu import agreement, fused, peers, profile, speed
import engine.learn.importance.importance, engine.paths.simulate, engine.portfolio.simulate
import engine.tail.intervals, engine.tail.variance_reduction, engine.results.provenance, engine.paths.ledger
assert len(setting.book()["loans"]) and len(setting.system_of(12).names.loans)
"""
    answer = in_a_plain_image(code)
    assert answer.returncode == 0, answer.stderr[-2000:]


@pytest.mark.parametrize("package", ["hydra", "duckdb", "plotly", "optuna", "jinja2", "rich", "openpyxl"])
def test_a_package_beyond_a_plain_image_is_refused(package):
    answer = in_a_plain_image(f"import {package}")
    assert f"{package} is not in a plain image" in answer.stderr


def test_a_missing_fused_kernel_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    setting = Setting(TINY, tmp_path, 1.0, {})
    assert list(fused.fused(setting)) == [{"fused kernel": fused.ABSENT}]


@pytest.fixture
def on_a_gpu(monkeypatch, tmp_path):
    """The script believes that it has a GPU; what it would time of each form is kept instead."""
    monkeypatch.setattr("engine.paths.fused.machine", lambda: Gpu(tmp_path / "elsewhere"))
    monkeypatch.setattr(fused, "one", lambda setting, name, machine: [{name: machine}])
    return Setting(TINY, tmp_path / "cpu.npz", 100.0, {})


def test_a_gpu_times_each_form_with_kernels_that_travel(on_a_gpu, tmp_path):
    found = {name: machine for each in fused.fused(on_a_gpu) for name, machine in each.items()}
    assert list(found) == list(fused.FORMS) and next(iter(found.values())).form == FORM
    assert found["fused kernel, 32 lanes"].form.lanes == 32
    assert all(machine.folder == tmp_path.resolve() / "kernels" for machine in found.values())


def test_forms_without_time_are_left_out(on_a_gpu):
    setting = dataclasses.replace(on_a_gpu, seconds=10.0)
    assert all("left out: 10 s" in str(each) for each in fused.fused(setting))


def test_kernels_without_a_compiler_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("NVCC", "no-such-compiler")
    assert "no kernels for a GPU: no compiler for NVIDIA's GPUs" in fused.prepare(tmp_path / "cpu.npz", 12)


SLOW = {"importance", "portfolio"}
"""Phases that compile programs of their own for long: `make gpu-try` runs them as well."""
NAMES_OF_PHASES = [phase.name for phase in PHASES if phase.name not in SLOW]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The record of phases at tiny size on this CPU, after the paths of the same CPU; compiled in haste."""
    folder = tmp_path_factory.mktemp("gpu")
    haste = (
        "--xla_backend_optimization_level=0 "
        "--xla_backend_extra_options=xla_cpu_disable_tiled_emitter,xla_cpu_disable_new_fusion_emitters"
    )
    for arguments in (["--prepare"], ["--cpu", "--minutes", "30", "--phases", *NAMES_OF_PHASES]):
        answer = subprocess.run(
            [sys.executable, gpu_run.__file__, "--tiny", "--out", folder, *arguments],
            capture_output=True, text=True, cwd=ROOT, env=os.environ | {"XLA_FLAGS": haste},
        )  # fmt: skip
        assert answer.returncode == 0, (answer.stdout + answer.stderr)[-3000:]
    return folder


def facts_of(folder):
    """What each phase found, and its rates by case."""
    lines = lines_of(folder / LINES)
    facts, rates = {}, {}
    for line in lines:
        facts.setdefault(line.get("phase"), {}).update(line.get("facts", {}))
        if "record" in line:
            rates[line["record"]["case"]] = line["record"]["rate"]
    return facts, rates


def test_phases_run_at_tiny_size(tiny, capsys):
    lines = lines_of(tiny / LINES)
    assert {line["phase"]: line["end"] for line in lines if "end" in line} == dict.fromkeys(
        NAMES_OF_PHASES, "done"
    )
    _, rates = facts_of(tiny)
    if "none" not in fused_kernel(tiny):
        assert rates.pop("fused kernel")["median"] > 0.0
    cases = {f"chunks of {chunk}" for chunk in TINY.chunks} | {f"{paths:,} paths" for paths in TINY.large}
    assert set(rates) == cases | {"normals"}
    assert all(0.0 < rate["low"] <= rate["median"] <= rate["high"] for rate in rates.values())
    table.main(str(tiny))
    text = capsys.readouterr().out
    assert all(f"| {name} | done |" in text for name in NAMES_OF_PHASES) and "| gpu | normals |" in text


def fused_kernel(folder):
    """What the record says of a fused kernel: its name, or why there is none."""
    told = facts_of(folder)[0]["fused"]["fused kernel"]
    return "none" if told == fused.ABSENT else told


def test_a_cpu_agrees_with_itself(tiny):
    """To the bit, on all paths; its tally is NumPy's, in another process too."""
    facts, _ = facts_of(tiny)
    found = facts["agreement"]
    assert found["paths"] == TINY.compared and found["share of paths within 1e-4"] == 1.0
    assert found["paths that differ"] == found["paths with another default month"] == 0
    assert found["system loss, month 12, relative difference"]["1"] == 0.0
    assert found["mean loss here"] == found["mean loss there"] > 0.0 and found["same sources"]
    assert facts["tally"]["tables the same to the last unit"] == facts["tally"]["tables"] > 10
    assert facts["same bits"]["outcomes twice the same"]
    assert facts["same bits"]["tally the same in blocks of another size"]
    assert facts["same bits again"]["tally the same in another process"]
    assert facts["same bits again"]["outcomes the same in another process"]


def test_what_the_phases_measure_is_plausible(tiny):
    facts, _ = facts_of(tiny)
    assert 1e8 < facts["peaks"]["bandwidth, B/s"] < 1e13
    assert 1e7 < facts["peaks"]["multiplications and additions, operations/s"] < 1e14
    assert len(facts["profile"]["dearest"]) == profile.DEAREST
    assert sum(row["share"] for row in facts["profile"]["dearest"]) <= 1.0
    assert abs(facts["normals"]["sum, standard deviations from 0"]) < 5.0
    low, value, high = (facts["1e8 paths"]["ES 99%, USD bn"][at] for at in (1, 0, 2))
    assert 0.0 < facts["1e8 paths"]["expected loss, USD bn"] < low < value < high


def test_other_paths_are_refused(tiny):
    with pytest.raises(ValueError, match="months is 12 there, 60 here; write it again"):
        agreement.carried(tiny / "cpu.npz", Sizes(compared=TINY.compared))
    with pytest.raises(ValueError, match="no such file; write it on a CPU"):
        agreement.carried(tiny / "other.npz", TINY)
