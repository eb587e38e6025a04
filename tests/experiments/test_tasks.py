"""One shape for every task; a new one needs its module and its configuration, nothing else."""

import json
import pathlib
import re
import sys

import pytest

from experiments import tasks

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The toy of CONTRIBUTING.md in a folder of its own; the arguments that run it."""
    block = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S).group(1)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "toy.py").write_text(re.sub(r"^   ", "", block, flags=re.M))
    (tmp_path / "conf" / "task").mkdir(parents=True)
    (tmp_path / "conf" / "task" / "toy.yaml").write_text("name: toy\n")
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path / "more")])
    yield (f"hydra.searchpath=[file://{tmp_path / 'conf'}]", "task=toy")
    sys.modules.pop("experiments.tasks.toy", None)
    vars(tasks).pop("toy", None)


def test_a_task_in_the_folder_is_a_task_of_the_command(toy, undertow, engine, tmp_path):
    assert "  toy               A toy: the main job, and its ES 99% times a factor." in undertow("--help").out
    answer = undertow(*toy, "toy.factor=3", "run.dir=a")
    assert answer.code == 0, answer.err
    assert answer.out.strip() == "toy: 30.0 USD bn"
    assert json.loads((tmp_path / "a" / "summary.json").read_text())["toy"] == {"es": 30.0}
    refused = undertow(*toy, "toy.factor=-1")
    assert refused.code == 2 and "toy.factor: got -1.0, expected a number above 0" in refused.err
    assert "toy.facto: unknown key; did you mean toy.factor?" in undertow(*toy, "toy.facto=1").err


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_is_of_the_shape(name):
    module = tasks.every()[name]
    assert module.__doc__ and all(callable(getattr(module, each)) for each in tasks.FUNCTIONS)
    assert tasks.one_liners()[name].endswith(".")


def test_a_task_without_a_function_is_refused(tmp_path, monkeypatch):
    (tmp_path / "half.py").write_text('"""Half."""\n\n\ndef problems(config, options):\n    return []\n')
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path)])
    with pytest.raises(TypeError, match="half: a task defines .* missing model"):
        tasks.every()


def test_the_version_is_undertow_s(undertow):
    answer = undertow("--version")
    assert answer.code == 0 and re.fullmatch(r"undertow \d+\.\d+\.\d+\S*\n", answer.out)


def test_a_machine_without_runs_has_none(undertow):
    answer = undertow("task=runs")
    assert (answer.code, answer.out.strip(), answer.err) == (0, "no runs below out", "")


def test_page_and_exit_code_speak_from_one_list(undertow, engine, tmp_path, monkeypatch):
    """The doubts are in summary.json before the page is made of it."""
    engine.summary = {"paths": 1000, "flagged_paths": {"lender_clearing": 5}, "warnings": []}
    files = sys.modules["engine.report.files"]

    def write_report(folder, formats, program):
        doubts = json.loads((folder / "summary.json").read_text())["doubts"]
        (folder / "report.html").write_text("".join(doubts))

    monkeypatch.setattr(files, "write_report", write_report)
    answer = undertow("run.dir=a")
    doubt = "0.50% of paths are flagged lender_clearing, at most 0.10% are accepted (report.most_flagged)"
    assert answer.code == 4 and doubt in answer.err
    assert doubt in (tmp_path / "a" / "report.html").read_text()
    assert undertow("run.dir=b", "report.most_flagged=0.01").code == 0
    assert (tmp_path / "b" / "report.html").read_text() == ""
