"""One run shared by two nodes says what one process says, and one of them writes."""

import json
import pathlib

from tests.cluster.conftest import RUN, undertow
from tests.experiments.kills import results_of
from tests.loopback import free_address


def lines_of(text: str) -> list[dict]:
    """Lines of a log that are JSON objects."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def tables_and_numbers(folder: pathlib.Path) -> dict[str, object]:
    """What a run says, but for who carried it out."""
    found = results_of(folder)
    summary = {key: value for key, value in found["summary"].items() if key not in ("device", "processes")}
    return found | {"summary": summary}


def test_a_run_of_two_nodes_says_what_one_process_says(slurm, book, tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERTOW_TOKEN", "a secret that srun hands to its tasks")
    undertow(*book, *RUN, f"run.dir={tmp_path / 'home'}")
    # The names of these nodes lead nowhere, hence the address; each task names a folder of its own.
    shared = (*book, *RUN, "run.processes=slurm", f"run.coordinator={free_address()}")
    task = f"undertow {' '.join(shared)} run.dir={tmp_path}/rank-$SLURM_PROCID"
    said = tmp_path / "said-%t.log"
    slurm.ask("srun", "-N2", "--ntasks-per-node=1", "--mem=3G", f"--error={said}", "bash", "-c", task)
    assert tables_and_numbers(tmp_path / "rank-0") == tables_and_numbers(tmp_path / "home")
    assert json.loads((tmp_path / "rank-0" / "summary.json").read_text())["processes"] == 2
    assert not (tmp_path / "rank-1").exists()
    first = lines_of((tmp_path / "rank-0" / "log.jsonl").read_text())
    other = lines_of((tmp_path / "said-1.log").read_text())
    assert {line["rank"] for line in first} == {0} and {line["rank"] for line in other} == {1}
    assert {line["run"] for line in first} == {line["run"] for line in other}
