"""What a person types: names of folders as they are, sweeps of a size, flags in a file, two runs at once."""

import datetime
import pathlib
import types

import pytest

from engine.run import host
from experiments.config import overrides
from experiments.session import run_folder

PATHS = (
    "bücher",
    "books (1)",
    "a=b",
    "1e6",
    "p\\x",
    "x,y",
    "it's",
    "all/x[1]",
    "new {a}",
    "end\\",
    'say "so"',
)


@pytest.fixture
def experiments(monkeypatch):
    """What the command would carry out."""
    begun = []

    def carry_out(task, experiment, *rest, **options):
        begun.append(experiment)
        return 0

    monkeypatch.setattr("experiments.flow.carry_out", carry_out)
    return begun


@pytest.mark.parametrize("name", PATHS[:3])
def test_a_folder_is_its_name(name, undertow, experiments, tmp_path):
    (tmp_path / name).mkdir()
    assert undertow("book=own", f"book.path={name}", f"run.dir=out/{name}").code == 0
    assert (experiments[0].book.path, experiments[0].run.dir) == (name, f"out/{name}")


@pytest.mark.parametrize("name", PATHS)
def test_what_is_quoted_is_read_back(name):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    [override] = OverridesParser.create().parse_overrides([overrides.spelled_out(f"run.dir={name}")])
    assert str(override.value()) == name


@pytest.mark.parametrize(
    "argument",
    [
        "run.dir='a b'",
        "run.dir=${oc.env:HOME}",
        "run.dir=null",
        "chips.life=6",
        "scenario=bust",
        "-m",
        "run.dir=",
    ],
)
def test_what_hydra_reads_stays_as_it_is(argument):
    assert overrides.spelled_out(argument) == argument


def test_a_sweep_over_folders_stays_one():
    assert overrides.spelled_out("book.path=bücher,b (1)", several=True) == "book.path='bücher','b (1)'"
    assert overrides.spelled_out("book.path=choice(a,b)", several=True) == "book.path=choice(a,b)"


def test_home(undertow, experiments, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    (tmp_path / "me" / "x").mkdir(parents=True)
    assert undertow("book=own", "book.path=~/x", "run.dir=~/y").code == 0
    assert experiments[0].book.path == str(tmp_path / "me" / "x")
    assert experiments[0].run.dir == str(tmp_path / "me" / "y")


TOO_MUCH = {
    "a letter of another key": (["scenario=bücher"], """scenario: got 'bücher', expected 'ü' in quotes"""),
    "two thousand": ([f"chips.life={i}" for i in range(2000)], "got 2,000 arguments, expected at most 500"),
    "a long key": (["a" * 10_000 + "=1"], "of 10,002 letters, expected at most 200"),
    "a long value": (["run.dir=" + "a" * 10_000], "of 10,008 letters, expected at most 4,096"),
    "no job": (
        ["-m", "run.seed=range(3,1)"],
        "got 'range(3,1)', expected a sweep over 1 to 10,000",
    ),
    "no end of jobs": (["-m", "run.seed=range(1,1e12)"], "this one has more than 10,000"),
    "no step": (["-m", "run.seed=range(1,2,0)"], "this one has 0"),
    "lists in a list": (["economy.growth=[[1],2,3]"], "expected numbers"),
    "hydra's folder": (["hydra.run.dir=/dev/null"], "File exists"),
    "torn": (["--config-dir=cfg", "scenario=torn"], "torn.yaml, line 4, column 4: expected ',' or ']'"),
    "not text": (["--config-dir=cfg", "scenario=bytes"], "expected UTF-8 text"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_one_message(name, undertow, experiments, tmp_path):
    folder = tmp_path / "cfg" / "scenario"
    folder.mkdir(parents=True)
    (folder / "torn.yaml").write_text("# @package _global_\neconomy:\n  revenue: [1\n  b: {\n")
    (folder / "bytes.yaml").write_bytes(b"a: \xff\xfe\n")
    arguments, words = TOO_MUCH[name]
    answer = undertow(*arguments)
    assert answer.code == 2 and words in answer.err and "Traceback" not in answer.err
    assert not experiments


def test_two_runs_of_one_second_have_a_folder_each(tmp_path, monkeypatch):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, zone=None):
            return cls(2031, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_folder, "datetime", types.SimpleNamespace(datetime=Clock, UTC=datetime.UTC))
    experiment = types.SimpleNamespace(hash="0123456789", run=types.SimpleNamespace(dir=None), config={})
    provenance = {"command": ["undertow"]}
    with run_folder.RunFolder(experiment, provenance) as one:
        with run_folder.RunFolder(experiment, provenance) as two:
            assert one.path != two.path and two.provenance["run"] == two.id == two.path.name
            assert [folder.name[-8:] for folder in (one.path, two.path)] == ["01234567"] * 2
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_flags_in_a_file_stay(tmp_path, monkeypatch):
    """XLA takes a text without -- in front for the name of a file."""
    file = tmp_path / "flags.txt"
    file.write_text("--xla_cpu_enable_fast_math=false\n--xla_dump_to=x\n")
    monkeypatch.setenv("XLA_FLAGS", str(file))
    assert host.given_flags() == "--xla_cpu_enable_fast_math=false --xla_dump_to=x"
    monkeypatch.setenv("XLA_FLAGS", "--a=1 --b")
    assert host.given_flags() == "--a=1 --b"
    monkeypatch.setenv("XLA_FLAGS", str(pathlib.Path(file.parent) / "gone.txt"))
    with pytest.raises(host.UnreadableFlags, match="XLA_FLAGS: got .*gone.txt.*or a file of them"):
        host.given_flags()
