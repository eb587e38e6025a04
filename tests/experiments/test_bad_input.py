"""Bad input: one message with every problem, exit code 2, nothing written, nothing run."""

import subprocess
import sys

import pytest

from experiments.config import bad_input

ENSEMBLE = ("task=network_ensemble",)

TABLE = {
    "unknown key": (["chips.lif=6"], ["chips.lif: unknown key; did you mean chips.life?"]),
    "unknown key elsewhere": (["run.life=6"], ["run.life: unknown key; did you mean chips.life?"]),
    "added key": (["+chips.vvol=3"], ["chips.vvol: unknown key"]),
    "forced key": (["++economy.vvol=3"], ["economy.vvol: unknown key"]),
    "added group": (["+model.vvol=3"], ["model: unknown key"]),
    "wrong type": (["chips.life=long"], ["chips.life: got 'long', expected a number"]),
    "no number": (["chips.life=null"], ["chips.life: got 'null', expected a number"]),
    "list for a number": (["chips.life=[1,2]"], ["chips.life: got '[1,2]', expected a number"]),
    "not a number": (["chips.life=nan"], ["chips.life: got nan, expected a number above 0"]),
    "infinite": (["economy.volatility=inf"], ["economy.volatility: got inf, expected a number at least 0"]),
    "negative": (["economy.revenue=-1"], ["economy.revenue: got -1.0, expected a number above 0"]),
    "probability": (["credit.waiver=1.7"], ["credit.waiver: got 1.7", "at most 1 (probability)"]),
    "too short a list": (["economy.growth=[1,2]"], ["economy.growth: got [1.0, 2.0], expected a list of 3"]),
    "one bad entry": (["economy.growth=[1,nan,0]"], ["economy.growth[1]: got nan"]),
    "out of order": (
        ["credit.ltv_cure=0.9"],
        ["credit.ltv_cure: got 0.9, expected at most credit.ltv_covenant"],
    ),
    "impossible correlations": (
        ["economy.correlation_demand_equity=0.9", "economy.correlation_demand_credit=0.9"],
        ["economy.correlation_*: got [0.9, 0.9, -0.5]", "possible together"],
    ),
    "sobol of odd size": (
        ["sampler=sobol", "run.paths=200000"],
        ["run.paths: got 200000, expected 16 replications times a power of two, such as 262144"],
    ),
    "half a pair": (
        ["sampler=antithetic", "run.paths=30"],
        ["run.paths: got 30, expected a multiple of 40"],
    ),
    "uneven replications": (["sampler.replications=3"], ["run.paths: got 200000, expected a multiple of 3"]),
    "no replication": (["sampler.replications=0"], ["sampler.replications: got 0, expected a whole number"]),
    "too many components": (
        ["sampler=sobol", "run.paths=131072", "sampler.components=61"],
        ["sampler.components: got 61, expected at most the run's 60 months"],
    ),
    "unknown sampler": (["sampler.name=halton"], ["expected one of pseudo_random, antithetic, sobol"]),
    "unknown regime": (["economy.start=euphoria"], ["economy.start: got 'euphoria', expected one of boom"]),
    "unknown option": (["scenario=nope"], ["scenario: got 'nope', expected one of backstop, baseline, boom"]),
    "unknown launcher": (["hydra/launcher=nope"], ["hydra/launcher: got 'nope', expected one of basic"]),
    "group emptied": (["chips=null"], ["chips: got 'null', expected the name of an option"]),
    "group added twice": (
        ["+experiment=quick"],
        ["experiment: already in the defaults, write experiment=quick"],
    ),
    "deleted key": (["~chips.life"], ["chips.life: "]),
    "no equals sign": (["life"], ["command line: got 'life', expected key=value"]),
    "unfinished list": (["economy.growth=[1,2"], ["command line: got 'economy.growth=[1,2'"]),
    "sweep without -m": (
        ["scenario=baseline,bust"],
        ["scenario: got 'baseline,bust', expected one value; -m"],
    ),
    "fraction of a path": (["run.paths=1.5"], ["run.paths: got 1.5, expected a whole number from 1"]),
    "no paths": (["run.paths=0"], ["run.paths: got 0, expected a whole number from 1"]),
    "words for paths": (["run.paths=many"], ["run.paths: got 'many', expected a whole number"]),
    "odd block": (["run.block=1000"], ["run.block: got 1000, expected a multiple of 256"]),
    "half a year": (["run.months=18"], ["run.months: got 18, expected a multiple of 12 from 12 to 120"]),
    "negative seed": (["run.seed=-1"], ["run.seed: got -1, expected a whole number from 0"]),
    "no device": (["run.devices=0"], ["run.devices: got 0, expected auto or"]),
    "no such kernel": (["run.kernel=cuda"], ["run.kernel: got 'cuda', expected one of xla, fused, auto"]),
    "a kernel for many networks": (
        [*ENSEMBLE, "run.kernel=fused"],
        ["run.kernel: got 'fused', expected xla or auto: a kernel belongs to one network"],
    ),
    "missing interpolation": (
        ["book=own", "book.path=${nope}"],
        ["book.path: Interpolation key 'nope' not found"],
    ),
    "no path": (["book=own"], ["book.path: got None, expected a folder"]),
    "missing book": (["book=own", "book.path=gone/"], ["book.path: got 'gone/'", "that exists"]),
    "unknown book": (["book.name=nope"], ["book.name: got book 'nope'"]),
    "folder under a file": (
        ["run.dir=file/out"],
        ["run.dir: got 'file/out', expected a folder; file is a file"],
    ),
    "foreign folder": (["run.dir=."], ["run.dir: got '.', expected a new or empty folder"]),
    "no lever": (
        ["task=policy", "policy=none"],
        ["policy.*_month: got 0.0, expected at least one above 0"],
    ),
    "a lever after the run": (
        ["task=policy", "policy=bailout", "run.months=24"],
        ["at most run.months = 24, as in policy=all"],
    ),
    "levers without independent paths": (
        ["task=policy", "sampler=antithetic", "run.paths=200000"],
        ["sampler.name: got 'antithetic', expected pseudo_random where task=policy"],
    ),
    "nothing to switch off": (
        ["task=attribution", "mechanisms=none"],
        ["mechanisms: got 'none', expected at least one that is on"],
    ),
    "mechanisms without independent paths": (
        ["task=attribution", "sampler=antithetic", "run.paths=200000"],
        ["sampler.name: got 'antithetic', expected pseudo_random where task=attribution"],
    ),
    "greeks of too few paths": (
        ["task=greeks", "run.paths=200"],
        ["run.paths: got 200, expected at least 256: a tail to measure"],
    ),
    "greeks that leave what numbers may be": (
        ["task=greeks", "greeks.step=0.1"],
        ["greeks.step: got 0.1, expected less: credit.ltv_cure"],
    ),
    "greeks of what is no number": (
        ["task=greeks", "greeks.groups=[mechanisms]", "greeks.paths=500", "greeks.step=0"],
        ["greeks.paths: got 500", "greeks.groups: got ['mechanisms'], expected some of", "greeks.step: got"],
    ),
    "more checks than sections": (
        ["task=greeks", "greeks.checked=20", "greeks.drawn=6"],
        ["greeks.checked + greeks.drawn: got 26, expected at most 25"],
    ),
    "a cap of nothing": (
        ["policy.advance_cap=0"],
        ["policy.advance_cap: got 0.0, expected a number above 0"],
    ),
    "more than all": (["policy.capital_rule=1.5"], ["policy.capital_rule: got 1.5", "at most 1"]),
    "unknown lever": (["policy=prayer"], ["policy: got 'prayer', expected one of advance_cap, all"]),
    "template nowhere": (["task=template"], ["template.dir: got None, expected a folder to write to"]),
    "one network": (
        [*ENSEMBLE, "network.networks=1"],
        ["network.networks: got 1, expected a whole number from 2 to 100,000"],
    ),
    "networks of uneven blocks": (
        [*ENSEMBLE, "network.paths=1000", "network.blocks=7"],
        ["network.paths: got 1000, expected a multiple of 7 blocks"],
    ),
    "too many paths of networks": (
        [*ENSEMBLE, "network.networks=1000", "network.paths=1e6"],
        ["network.paths: got 1000000, expected at most 67,108 with 1000 networks"],
    ),
    "no such network": (
        [*ENSEMBLE, "network.method=cosine", "network.density=2"],
        ["network.method: got 'cosine', expected one of maximum_entropy", "network.density: got 2.0"],
    ),
    "networks on other paths": (
        [*ENSEMBLE, "sampler=antithetic"],
        ["sampler.name: got 'antithetic', expected pseudo_random"],
    ),
    "a law nearby that nobody names": (
        ["sampler=importance", "sampler.nearby=true"],
        ["sampler.nearby: got True, expected false without sampler.proposal"],
    ),
    "no target": (
        ["task=reverse_stress"],
        ["reverse_stress.target: got None, expected USD bn above 0, as in target=300"],
    ),
    "a loss below nothing": (["task=reverse_stress", "target=-3"], ["reverse_stress.target: got -3"]),
    "too many scenarios": (
        ["task=reverse_stress", "target=300", "reverse_stress.scenarios=12"],
        ["reverse_stress.scenarios: got 12, expected a whole number from 1 to 11"],
    ),
    "a stranger's loss": (
        ["task=reverse_stress", "target=3", "reverse_stress.of=lender:NOBODY"],
        ["reverse_stress.of: got 'lender:NOBODY', expected system or one of lender:APO_SLEEVE"],
    ),
    "stress on other paths": (
        ["task=reverse_stress", "target=3", "sampler=antithetic", "run.paths=200000"],
        ["sampler.name: got 'antithetic', expected pseudo_random where task=reverse_stress"],
    ),
    "several at once": (
        ["chips.lif=6", "chips.life=x", "scenario=nope", "foo=1"],
        ["4 problems", "chips.lif: ", "chips.life: ", "scenario: ", "foo: "],
    ),
    "several values at once": (
        ["chips.life=-1", "run.paths=x", "credit.waiver=2", "task.name=dance"],
        ["4 problems", "chips.life: ", "run.paths: ", "credit.waiver: ", "task.name: "],
    ),
}


@pytest.fixture(autouse=True)
def no_run(monkeypatch):
    """Whatever slips through the door stops here, before it runs for minutes."""
    for task in ("tail_risk", "network_ensemble"):
        monkeypatch.setattr(f"experiments.tasks.{task}.results", lambda *_: pytest.fail("a run was started"))


@pytest.mark.parametrize("case", TABLE)
def test_a_clear_message_and_nothing_written(case, undertow, untouched, tmp_path):
    arguments, wanted = TABLE[case]
    (tmp_path / "file").write_text("")
    with untouched():
        answer = undertow(*arguments)
    assert answer.code == 2
    assert "Traceback" not in answer.err
    assert answer.out == ""
    for words in wanted:
        assert words in answer.err


@pytest.mark.parametrize("case", ["missing interpolation", "no path", "several at once"])
def test_a_debugger_changes_no_message(case, undertow, monkeypatch):
    arguments, wanted = TABLE[case]
    monkeypatch.setenv("OC_CAUSE", "1")
    answer = undertow(*arguments)
    assert answer.code == 2 and all(words in answer.err for words in wanted)


@pytest.mark.parametrize("arguments", [["chips.lif=6"], ["--nonsense"], ["-m", "chips.life=3,nan"]])
def test_the_process_ends_with_two(arguments, tmp_path):
    ask = [sys.executable, "-m", "experiments.main", *arguments]
    answer = subprocess.run(ask, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_holdings_that_leave_no_network_are_told(undertow, tmp_path):
    """One fund cannot carry nine tenths of all private credit beside what it is known to hold."""
    undertow("task=template", "template.dir=mine")
    priors = tmp_path / "mine" / "worked_small" / "priors.csv"
    rows = ("UNNAMED_PC,BANK,0.1,0,0.2", "UNNAMED_PC,PRIVATE_CREDIT,0.9,0.9,1")
    priors.write_text("class,holder_class,mean,low,high,source,grade\n" + "".join(f"{r},t,C\n" for r in rows))
    book = ("book=own", "book.path=mine/worked_small")
    answer = undertow(*ENSEMBLE, *book, "run.dir=a", "network.networks=2")
    assert answer.code == 2 and not (tmp_path / "a").exists()
    assert "mine/worked_small: holdings: got holder classes whose lenders' assets" in answer.err
    assert "lacks USD bn: PRIVATE_CREDIT" in answer.err and "Traceback" not in answer.err


def test_a_bad_book_is_told_row_by_row(undertow, untouched, tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "firms.csv").write_text("firm,name\nA-B,Firm\n")
    with untouched():
        answer = undertow("book=own", "book.path=book")
    assert answer.code == 2
    assert "firms.csv, row 2, column firm: got 'A-B'" in answer.err
    assert "table loans, which is missing" in answer.err
    assert "Traceback" not in answer.err


def test_the_first_arguments_are_looked_at_however_slow_the_machine(undertow, monkeypatch):
    monkeypatch.setattr("experiments.config.bad_input.PATIENCE", 0.0)
    said = undertow(*(f"chips.lif{letter}=1" for letter in "abcdfghijklmn")).err
    assert said.count("unknown key; did you mean chips.life?") == bad_input.FEW
    assert "... and 3 more arguments, at which this command did not look" in said
