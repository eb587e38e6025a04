"""`undertow task=replay`: what cannot be replayed is refused; worst paths are told, exactly."""

import json

import pandas as pd
import pytest

SMALL = ("book.name=worked_small", "run.paths=512", "run.block=512", "run.months=12", "run.seed=3")
NO_PAGE = ("report.html=false", "report.xlsx=false")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay.paths=worst:0",), "replay.paths: got 'worst:0', expected worst:N with N from 1 to 64"),
        (("replay.paths=worst:65",), "expected worst:N with N from 1 to 64"),
        (("replay.paths=worst:many",), "expected worst:N with N from 1 to 64"),
        (("replay.paths=best:3",), "replay.paths: got 'best:3', expected worst:N, nearest, or ids"),
        (("replay.paths=[]",), "replay.paths: got [], expected worst:N, nearest, or ids"),
        (("replay.paths=[1,1]",), "expected every path once"),
        (("replay.paths=[1,2.5]",), "expected worst:N, nearest, or ids"),
        (("replay.paths=[511,512]",), "replay.paths: got 512, expected a path of the run, from 0 to 511"),
        (("replay.paths=-1",), "replay.paths: got -1, expected a path of the run, from 0 to 511"),
        (("run.paths=8", "replay.paths=worst:9"), "expected at most run.paths = 8 of them"),
        (("sampler=importance",), "sampler.name: got 'importance', expected pseudo_random"),
        (("run.kernel=fused",), "run.kernel: got 'fused', expected xla or auto where task=replay"),
    ],
)
def test_what_cannot_be_replayed_is_refused(undertow, untouched, arguments, said):
    with untouched():
        answer = undertow(*SMALL, "task=replay", *arguments)
    assert answer.code == 2
    assert said in answer.err and "1 problem in the input" in answer.err


def test_the_worst_paths_from_end_to_end(undertow, tmp_path):
    answer = undertow(*SMALL, "task=replay", "replay.paths=worst:3", "run.dir=out/a")
    assert answer.code == 0, answer.err
    results = tmp_path / "out" / "a" / "results"
    entry = json.loads((tmp_path / "out" / "a" / "summary.json").read_text())["replay"]
    worst = pd.read_parquet(results / "worst_paths.parquet").head(3)
    assert entry["paths"] == worst["path"].tolist() and (entry["compared"], entry["different"]) == (3, [])
    paths = pd.read_csv(results / "replay_paths.csv")
    assert paths["loss_1y"].astype("float32").tolist() == worst["loss"].astype("float32").tolist()
    events = pd.read_csv(results / "replay_events.csv")
    losses = events.groupby("path")["loss"].sum()
    for path, loss in zip(paths["path"], paths["loss_1y"], strict=True):
        months = pd.read_csv(results / f"replay_path_{path}.csv")
        own = months[months["what"] == "loss"]
        assert own["month"].tolist() == list(range(1, 13))
        assert own["value"].iloc[-1] == pytest.approx(loss, rel=1e-6)
        assert losses.get(path, 0.0) == pytest.approx(loss, rel=12 * 2.0**-23)
    assert "Replayed paths" in answer.out and f"Path {entry['paths'][0]:,} loses" in answer.out
    page = (tmp_path / "out" / "a" / "report.html").read_text(encoding="utf-8")
    assert 'id="replay"' in page and 'id="chart-replay-timeline"' in page
    assert "nearest" not in page.partition('id="replay"')[2].partition("</section>")[0]


def test_the_path_nearest_to_the_mean_of_the_tail(undertow, tmp_path):
    answer = undertow(*SMALL, "task=replay", "replay.paths=nearest", "run.dir=out/b")
    assert answer.code == 0, answer.err
    folder = tmp_path / "out" / "b"
    entry = json.loads((folder / "summary.json").read_text())["replay"]
    assert entry["searched"] == 512 and entry["distance"] >= 0.0 and len(entry["paths"]) == 1
    tail = pd.read_parquet(folder / "results" / "tail.parquet").query("kind == 'class'").set_index("id")
    months = pd.read_parquet(folder / "results" / "replay_months.parquet")
    end = months[(months["what"] == "class_loss") & (months["month"] == 12)].set_index("who")["value"]
    apart = tail["tail_mean"].sub(end.reindex(tail.index).fillna(0.0))
    # Sums of a class over its instruments in another order.
    assert entry["distance"] == pytest.approx(float((apart**2).sum() ** 0.5), rel=1e-5)
    assert "nearest to the mean of the worst 1%" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_main_job_tells_one_bad_path(undertow, tmp_path):
    """The path that the task would find, below what all runs say; none where it is not wanted."""
    assert (answer := undertow(*SMALL, "run.dir=out/c")).code == 0, answer.err
    assert "Replayed paths" not in answer.out
    folder = tmp_path / "out" / "c"
    entry = json.loads((folder / "summary.json").read_text())["anatomy"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="replay"' not in page
    assert 0 < page.find('id="how-much"') < page.find('id="anatomy"') < page.find('id="trust"')
    again = undertow(*SMALL, *NO_PAGE, "task=replay", "replay.paths=nearest", "run.dir=out/d")
    assert again.code == 0, again.err
    told = json.loads((tmp_path / "out" / "d" / "summary.json").read_text())
    assert "anatomy" not in told and told["replay"]["paths"] == entry["paths"]
    assert undertow(*SMALL, *NO_PAGE, "report.anatomy=false", "run.dir=out/e").code == 0
    assert "anatomy" not in json.loads((tmp_path / "out" / "e" / "summary.json").read_text())
    assert not list((tmp_path / "out" / "e" / "results").glob("replay_*"))
