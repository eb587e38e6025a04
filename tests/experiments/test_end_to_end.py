"""The real engine behind the door: from a template to a report, and the same numbers again."""

import dataclasses
import json

import jax
import pandas as pd
import pytest

from engine.book.parameters import Mechanisms
from engine.report import words
from engine.vocabulary import FACTORS, LEVERS, REGIMES
from experiments.config.help import options

SMALL = ("run.paths=1024", "run.block=512", "run.months=12", "report.anatomy=false")
NO_PAGE = ("report.html=false", "report.xlsx=false")


@pytest.fixture
def book(undertow, tmp_path):
    """The worked book of the template."""
    answer = undertow("task=template", "template.dir=mine")
    assert answer.code == 0
    assert "undertow book=own book.path=mine/worked_small" in answer.out
    return ("book=own", "book.path=mine/worked_small")


def summary(folder):
    """A run's summary.json."""
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_from_the_template_to_the_report(undertow, book, status, tmp_path):
    answer = undertow(*book, *SMALL, "run.seed=3", "run.dir=out/a")
    folder = tmp_path / "out" / "a"
    assert answer.code == 0
    assert status(folder)["status"] == "done"
    assert "System loss, USD bn" in answer.out
    assert answer.out.rstrip().endswith("out/a/report.html")
    found = summary(folder)
    assert (found["schema"], found["status"], found["paths"], found["seed"]) == (1, "done", 1024, 3)
    assert {"compile_s", "run_s", "paths_per_s", "peak_rss_mb"} <= set(found["timing"])
    assert {"el", "var_99", "var_99_lo", "var_99_hi", "es_99", "es_99_se"} <= set(found["system"]["1y"])
    assert len(found["config_hash"]) == len(found["book_hash"]) == 64
    assert found["sampler"]["name"] == "pseudo_random"
    assert set(found) >= {"lenders", "firms", "flagged_paths", "versions", "device"}
    assert len(list((folder / "results").glob("*.parquet"))) >= 10
    assert not pd.read_parquet(folder / "results" / "losses.parquet").empty
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_run_again_in_one_process_compiles_nothing(undertow, book):
    """What is compiled anew for every run also stays in memory for ever."""
    programs = []

    def note(event, seconds, **about):
        if event.endswith("backend_compile_duration"):
            programs.append(about.get("fun_name"))

    assert undertow(*book, *SMALL, "run.seed=3", "run.dir=out/a").code == 0
    jax.monitoring.register_event_duration_secs_listener(note)
    assert undertow(*book, *SMALL, "run.seed=4", "run.dir=out/b").code == 0
    assert programs == []


def test_an_ensemble_of_networks(undertow, book, status, tmp_path):
    small = ("network.networks=3", "network.paths=1024", "network.blocks=2", "run.months=12")
    answer = undertow("task=network_ensemble", *book, *small, "run.seed=3", "run.dir=out/n")
    folder = tmp_path / "out" / "n"
    assert answer.code == 0 and status(folder)["status"] == "done"
    assert "ES 99% over 3 networks, 1 year, USD bn" in answer.out
    found = summary(folder)
    assert (found["paths"], found["network"]["networks"], found["network"]["method"]) == (3072, 3, "fitness")
    assert set(found["network"]["lenders"]) == set(found["lenders"])
    split = pd.read_parquet(folder / "results" / "network_split.parquet").set_index(["measure", "column"])
    assert not split.index.duplicated().any()
    # Blocks of paths under all networks give the pooled mean and its error.
    pooled = found["system"]["1y"]
    assert split.loc[("el", "system"), "value"] == pytest.approx(pooled["el"], rel=1e-6)
    assert split.loc[("el", "system"), "value_se"] >= pooled["el_se"] > 0.0
    each = pd.read_parquet(folder / "results" / "network_values.parquet")
    mean = each.groupby(["measure", "column"])["value"].mean()
    assert mean.to_numpy() == pytest.approx(split.loc[mean.index, "value"].to_numpy(), rel=1e-9, abs=1e-12)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "How much depends on who holds what" in page and "Who holds what is an assumption" not in page


def test_a_template_is_not_written_over(undertow, book, untouched):
    with untouched():
        answer = undertow("task=template", "template.dir=mine")
    assert answer.code == 2
    assert "template.dir: got mine/README.md, which exists" in answer.err


# A search needs the real engine: test_search.py runs it.
@pytest.mark.parametrize("name", sorted({*options()["experiment"]} - {"best_terms"}))
def test_every_experiment_runs(name, undertow, engine):
    answer = undertow(f"experiment={name}", "run.dir=a")
    assert answer.code == 0
    assert engine.runs


def test_levers_of_policy_from_the_worked_book(undertow, book, status, tmp_path):
    """The base is the main job; every lever is told on the terminal, on the page and in files."""
    dates = ("policy.backstop_month=3", "policy.bailout_month=3", "policy.capital_rule_month=3",
             "policy.disclosure_month=3", "policy.savers_month=3", "policy.advance_cap_month=3")  # fmt: skip
    answer = undertow(*book, *SMALL, "task=policy", *dates, "run.dir=out/p")
    folder = tmp_path / "out" / "p"
    assert answer.code == 0
    assert status(folder)["status"] == "done"
    assert "Policy levers on the same paths" in answer.out and "Advance-rate cap" in answer.out
    found = summary(folder)
    assert list(found["policy"]) == ["base", *LEVERS, "all"]
    base = found["policy"]["base"]
    assert base["es_99_change"] == base["public"] == base["forgone"] == 0.0
    assert base["el"] == pytest.approx(found["system"]["1y"]["el"], rel=1e-4)
    assert found["policy"]["savers"]["forgone"] > 0.0 == found["policy"]["savers"]["public"]
    table = pd.read_parquet(folder / "results" / "policy.parquet")
    assert table["variant"].tolist() == list(found["policy"])
    assert not pd.read_parquet(folder / "results" / "policy_bearers.parquet").empty
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="policy"' in page and 'href="#policy"' in page and "What policy would do" in page


def test_one_lever_is_compared_alone(undertow, book, tmp_path):
    answer = undertow(*book, *SMALL, "task=policy", "policy=none", "policy.savers_month=1", "run.dir=out/q",
                      *NO_PAGE)  # fmt: skip
    assert answer.code == 0
    assert list(summary(tmp_path / "out" / "q")["policy"]) == ["base", "savers"]


def test_what_the_tail_of_the_worked_book_hangs_on(undertow, book, tmp_path):
    """One group of numbers, the greatest checked alone; told on the terminal, the page and in files."""
    small = ("run.paths=8192", "run.block=512", "run.months=12", "report.anatomy=false", "greeks.level=0.9")
    few = ("greeks.bumps=1", "greeks.checked=3", "greeks.drawn=1", "greeks.ranges=2")
    chosen = ("task=greeks", "greeks.groups=[economy]")
    answer = undertow(*book, *small, *few, *chosen, "run.dir=out/g")
    assert answer.code == 0
    assert "What drives the tail" in answer.out and "checks, p =" in answer.out
    folder = tmp_path / "out" / "g"
    found, table = summary(folder)["greeks"], pd.read_parquet(folder / "results" / "greeks.parquet")
    assert list(found["numbers"]) == table["number"].tolist() and found["rows"] == 64
    assert table["number"].str.startswith("economy.").all()
    assert table["es"].abs().is_monotonic_decreasing and (table["es_se"] > 0.0).all()
    assert (table["bump"].notna().sum(), table["ratio"].notna().sum(), found["checked"]) == (4, 6, 10)
    crossed = table[table["range"].notna()]
    assert len(crossed) == 2 and (crossed["low"] < crossed["high"]).all()
    system = summary(folder)["system"]["1y"]
    assert system["el"] < found["es"] < system["es_95"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="greeks"' in page and 'href="#greeks"' in page and "moved alone" in page


def test_what_each_mechanism_adds_to_the_worked_book(undertow, book, tmp_path):
    """Only what is on is switched off; a run without any mechanism is the main job with none."""
    off = ("mechanisms.fire_sale=0", "mechanisms.paper_sales=0")
    assert undertow(*book, *SMALL, "task=attribution", *off, "run.dir=out/a").code == 0
    folder = tmp_path / "out" / "a"
    found = summary(folder)["attribution"]
    names = [field.name for field in dataclasses.fields(Mechanisms)]
    on = [name for name in names if name not in ("fire_sale", "paper_sales")]
    assert list(found) == ["base", *on, "conduct", "all"]
    assert found["base"]["el"] == pytest.approx(summary(folder)["system"]["1y"]["el"], rel=1e-4)
    assert found["base"]["el_added"] == 0.0 and found["base"]["el_ratio"] == 1.0
    assert found["all"]["el_added"] == pytest.approx(found["base"]["el"] - found["all"]["el"], rel=1e-5)
    assert undertow(*book, *SMALL, *NO_PAGE, "mechanisms=none", "run.dir=out/b").code == 0
    alone = summary(tmp_path / "out" / "b")["system"]["1y"]["el"]
    assert found["all"]["el"] == pytest.approx(alone, rel=1e-4)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="attribution"' in page and 'href="#attribution"' in page and 'href="#policy"' not in page


def test_every_mechanism_and_lever_has_a_name_for_readers():
    names = {field.name for field in dataclasses.fields(Mechanisms)}
    assert set(words.MECHANISM_NAMES) == names | {"conduct", "all"}
    assert set(words.VARIANT_NAMES) == {*LEVERS, "base", "all"}


def test_the_likeliest_road_to_a_loss_of_the_worked_book(undertow, book, status, tmp_path):
    """Told on the terminal, on the page and in files; a loss beyond reach ends with code 4 and says so."""
    small = (*book, *SMALL, "task=reverse_stress", "reverse_stress.scenarios=1")
    answer = undertow(*small, "target=0.3", "run.dir=out/r")
    folder = tmp_path / "out" / "r"
    assert answer.code == 0 and status(folder)["status"] == "done"
    assert "Likeliest scenarios for a loss of 0.30 bn (system)" in answer.out and "Q1 2026: " in answer.out
    found = summary(folder)["reverse_stress"]
    scenarios = pd.read_parquet(folder / "results" / "reverse_stress.parquet")
    assert scenarios["log_likelihood"].is_monotonic_decreasing and len(scenarios) == len(found["scenarios"])
    # Placed and checked on paths of their own: two errors, unless no shock is needed at all.
    reached = abs(scenarios["mean"] - 0.3) < 4.0 * 2.0**0.5 * scenarios["mean_se"]
    assert (reached | (scenarios["beta"] == 0.0) & (scenarios["mean"] > 0.3)).all()
    draws = pd.read_parquet(folder / "results" / "reverse_stress_draws.parquet")
    length = (draws[list(FACTORS)] ** 2).sum(axis=1).groupby(draws["scenario"]).sum() ** 0.5
    assert length.to_numpy() == pytest.approx(scenarios["beta"].to_numpy())
    assert {"reverse_stress_quarters", "reverse_stress_firms", "reverse_stress_months"} <= {
        file.stem for file in (folder / "results").glob("*.parquet")
    }
    months = pd.read_parquet(folder / "results" / "reverse_stress_months.parquet")
    regimes = months[months["series"] == "regime"]
    assert (regimes["p05"] == regimes["p95"]).all()  # every path follows the scenario
    assert [REGIMES[int(code)] for code in regimes["p50"]] == draws["regime"].tolist()
    chance = found["probability"]
    error = (chance["importance_se"] ** 2 + chance["plain_se"] ** 2) ** 0.5
    assert 0.0 < chance["importance"] and abs(chance["importance"] - chance["plain"]) < 4.0 * error
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="reverse_stress"' in page and "The likeliest way to lose 0.30 bn" in page
    answer = undertow(*small, "target=1e4", "run.dir=out/far")
    assert answer.code == 4
    doubt = "no scenario brings the target of the reverse stress"
    assert doubt in answer.err and status(tmp_path / "out" / "far")["reason"] == doubt
    said = "within 8 standard deviations of the middle has an expected loss of 10,000 bn; the most is "
    page = (tmp_path / "out" / "far" / "report.html").read_text(encoding="utf-8")
    assert said in page and said in " ".join(answer.out.split())


def test_a_law_is_learned_used_again_and_refused_elsewhere(undertow, book, tmp_path):
    weighted = (*book, "sampler=importance", "run.months=12", "run.paths=4096", "run.block=512",
                "report.anatomy=false")  # fmt: skip
    answer = undertow(*weighted, "sampler.learning_paths=8192", "run.dir=out/i")
    assert answer.code == 0 and "learned from 8,192 paths" in answer.out
    found = summary(tmp_path / "out" / "i")
    sampler = found["sampler"]
    assert sampler["name"] == "importance" and sampler["learning"]["r_squared"] < 1.0
    assert set(sampler["variance_reduction"]) == {"p_99_9", "es_99_9", "p_99_97", "es_99_97"}
    assert abs(sampler["mean_weight"] - 1.0) < 4 * sampler["mean_weight_se"]
    assert "The far tail" in (tmp_path / "out" / "i" / "report.html").read_text(encoding="utf-8")
    again = undertow(
        *weighted,
        "sampler.proposal=out/i/proposal.npz",
        "run.dir=out/j",
        *NO_PAGE,
    )
    assert again.code == 0
    same = summary(tmp_path / "out" / "j")
    assert same["system"]["1y"]["es_99_9"] == found["system"]["1y"]["es_99_9"]
    assert same["sampler"]["learning"]["from"] == "out/i/proposal.npz"
    other = undertow(*weighted, "sampler.proposal=out/i/proposal.npz", "chips.life=4", "run.dir=out/k")
    assert other.code == 2 and not (tmp_path / "out" / "k").exists()
    assert "was learned for something else, config.chips.life: 6.0 there, 4.0 here" in other.err
    near = undertow(*weighted, "sampler.proposal=out/i/proposal.npz", "chips.life=4", "sampler.nearby=true",
                    "run.dir=out/k", "report.xlsx=false")  # fmt: skip
    assert near.code in (0, 4)
    moved = summary(tmp_path / "out" / "k")
    assert moved["sampler"]["learning"]["differences"] == ["config.chips.life: 6.0 there, 4.0 here"]
    assert abs(moved["sampler"]["mean_weight"] - 1.0) < 4 * moved["sampler"]["mean_weight_se"]
    page = (tmp_path / "out" / "k" / "report.html").read_text(encoding="utf-8")
    assert "config.chips.life: 6.0 there, 4.0 here" in page
