"""Results: what a run folder holds, against the made-up paths themselves."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from engine.results.folder import read_results, write_json, write_text
from engine.results.write import write_results
from engine.tail.histogram import LOSS
from engine.vocabulary import FLAGS
from tests.report.conftest import PROVENANCE

HORIZONS = ["1y", "3y", "5y"]
MEASURES = {"el", "el_se", "exposure"} | {
    f"{measure}_{level}{end}"
    for level in ("95", "99", "99_9")
    for measure, ends in (("var", ("", "_lo", "_hi")), ("es", ("", "_se")), ("resolved", ("",)))
    for end in ends
}
TABLES = {
    "boom_breaks", "losses", "distribution", "tail", "contributions", "grades", "firms", "leverage",
    "defaults", "causes", "fans",
    "regimes", "worst_paths", "history", "plausibility_pd", "plausibility_losses",
    "plausibility_bands", "plausibility_declines",
    "plausibility_regimes", "distress", "es_shares", "clusters", "dispersion", "worst_case", "deep_tail",
}  # fmt: skip


def test_the_summary_has_the_keys_that_scripts_rely_on(results, world):
    summary = results.summary
    assert summary["schema"] == 1 and summary["status"] == "done" and summary["seed"] == 7
    assert summary["paths"] == len(world[2].columns)
    assert summary["book_hash"] == world[0].hash and len(summary["config_hash"]) == 64
    assert set(summary["timing"]) == {"compile_s", "run_s", "paths_per_s", "peak_rss_mb"}
    assert list(summary["system"]) == HORIZONS
    assert MEASURES <= set(summary["system"]["5y"])
    assert set(summary["lenders"]) == set(world[1].names.lenders)
    assert all(set(lender) == set(HORIZONS) for lender in summary["lenders"].values())
    assert MEASURES <= set(summary["lenders"]["ATHENE"]["5y"])
    assert set(summary["firms"]) == set(world[3].entities)
    assert {"pd_1y", "pd_5y"} <= set(summary["firms"]["CRWV"])
    assert summary["flagged_paths"] == dict.fromkeys(FLAGS, 0) | {FLAGS[1]: 3}
    assert {
        "name",
        "ess",
        "ess_tail",
        "max_weight_share",
        "mean_weight",
        "k_hat",
        "variance_reduction",
    } <= set(summary["sampler"])


def test_the_summary_returned_is_the_one_written(world, tally, tmp_path):
    book, system, _, layout = world
    returned = write_results(tmp_path, tally, system, book, PROVENANCE, layout=layout)
    assert returned == json.loads((tmp_path / "summary.json").read_text())


def test_every_table_is_parquet_with_zstd_and_nothing_else_is_left(folder, results):
    assert set(results.tables) == TABLES
    for path in (folder / "results").iterdir():
        columns = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
        assert path.suffix == ".parquet" and columns.column(0).compression == "ZSTD"
    assert {path.name for path in folder.iterdir()} == {"results", "summary.json", "report.html"}


def test_numbers_are_those_of_the_paths(results, world):
    losses = np.sort(world[2].columns.astype(np.float32).astype(np.float64), axis=0)
    table = results.tables["losses"].set_index(["horizon", "column"])
    place = int(0.99 * len(losses))
    for h, horizon in enumerate(HORIZONS):
        for c in (0, 1, 5, len(world[3].columns) - 1):
            row, column = table.loc[(horizon, world[3].columns[c])], losses[:, h, c]
            assert row["el"] == pytest.approx(column.mean(), rel=1e-6)  # fixed-point sums of float32 losses
            assert row["var_99"] == pytest.approx(column[place], rel=4 * LOSS.relative_error)
            assert row["es_99"] == pytest.approx(column[place:].mean(), rel=4 * LOSS.relative_error)
            assert row["var_99_lo"] <= row["var_99"] <= row["var_99_hi"]


def test_parts_of_the_tail_add_up(results):
    for horizon in HORIZONS:
        es = results.system(horizon)["es_99"]
        parts = results.tables["contributions"].query("horizon == @horizon")
        assert parts["es_99"].sum() == pytest.approx(es, rel=1e-6)
        assert parts["share"].sum() == pytest.approx(1.0, rel=1e-6)
        for kind in ("book", "class", "bearer"):
            assert results.tail(kind, horizon)["tail_mean"].sum() == pytest.approx(es, rel=1e-6)


def test_distributions_have_mass_one_and_the_mean(results):
    for horizon in HORIZONS:
        bins = results.bins("system", horizon)
        assert bins.probability.sum() == pytest.approx(1.0, abs=1e-12)
        assert bins.loss @ bins.probability == pytest.approx(results.system(horizon)["el"], rel=1e-9)


def test_exposures_count_tranched_pools_once(results, world):
    book, system = world[:2]
    by_class = results.losses("class", "5y").set_index("id")["exposure"]
    assert by_class.sum() == pytest.approx(float(system.exposure_start))
    assert by_class["CMBS"] == pytest.approx(15.0)
    assert results.losses("lender", "5y")["exposure"].sum() == pytest.approx(float(system.exposure_start))


def test_defaults_and_causes_are_counted_once(results, world):
    paths = world[2]
    expected = (paths.default_month > 0).sum() / len(paths.default_month)
    assert results.tables["defaults"]["expected"].sum() == pytest.approx(expected)
    assert results.tables["causes"]["expected"].sum() == pytest.approx(expected)
    firms = results.tables["firms"].set_index("firm")
    month = paths.default_month[:, world[3].entities.index("CRWV")]
    share = np.mean((month > 0) & (month <= 12))
    assert firms.loc["CRWV", "pd_1y"] == pytest.approx(share)
    assert firms.loc["CRWV", "pd_1y_se"] == pytest.approx(np.sqrt(share * (1 - share) / len(month)))


def test_regimes_are_shares_of_the_paths(results, world):
    codes = world[2].series[:, :, world[3].series.index("regime")]
    table = results.tables["regimes"]
    for code, regime in enumerate(("boom", "plateau", "bust")):
        assert table[regime].to_numpy() == pytest.approx((codes == code).mean(axis=0))


def test_worst_paths_are_the_worst(results, world):
    losses = world[2].columns[:, 2, 0]
    worst = results.tables["worst_paths"].query("horizon == '5y'")
    assert worst["path"].iloc[0] == int(np.argmax(losses.astype(np.float32)))
    assert worst["loss"].is_monotonic_decreasing


def test_few_paths_beyond_a_level_are_said(results):
    assert any("99.9% level" in warning for warning in results.summary["warnings"])
    assert not results.system("5y")["resolved_99_9"] and results.system("5y")["resolved_99"]


def test_a_tally_of_another_shape_is_refused(world, tally, tmp_path):
    book, system, _, layout = world
    other = type(layout)(**{**vars(layout), "columns": layout.columns[:-1], "distress": ()})
    with pytest.raises(ValueError, match="does not fit its layout"):
        write_results(tmp_path, tally, system, book, PROVENANCE, layout=other)
    assert not list(tmp_path.iterdir())


def test_a_run_without_paths_is_refused(world, tmp_path):
    book, system, _, layout = world
    with pytest.raises(ValueError, match="at least one path"):
        write_results(tmp_path, layout.init(), system, book, PROVENANCE, layout=layout)
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_json_has_no_number_that_json_does_not_know(tmp_path):
    write_json(
        tmp_path / "a.json", {"a": np.inf, "b": np.float32(1.5), "c": np.array([1, 2]), "d": np.bool_(True)}
    )
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": None, "b": 1.5, "c": [1, 2], "d": True}


def test_reading_gives_back_what_was_written(folder, results):
    again = read_results(folder)
    for name, table in results.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])


def test_distress_is_of_every_lender_and_the_band_widens_with_its_radius(results, world):
    lenders = [name.partition(":")[2] for name in world[3].distress if name.startswith("lender:")]
    distress = results.tables["distress"].query("level == 0.95")
    assert lenders and distress["id"].tolist() == lenders
    calm = results.tables["losses"].query("column == 'system' and horizon == '5y'")["var_95"].item()
    known = distress.dropna(subset=["covar"])
    assert len(known) and (known["covar"] > 0.9 * calm).all() and (known["mes"] > 0.0).all()
    band = results.tables["worst_case"].query("horizon == '5y' and level == 0.99").sort_values("radius")
    assert band["var"].is_monotonic_increasing and band["es"].is_monotonic_increasing
    assert band["es"].iloc[0] == results.system("5y")["es_99"]


def test_parts_of_shortfall_add_up_and_vulnerability_is_over_capital(results, world):
    shares = results.tables["es_shares"].query("level == 0.99")
    classes = shares[shares["kind"] == "class"]
    es = results.system("5y")["es_99"]
    # Columns and their sum are rounded to float32 path by path.
    assert classes["share"].sum() == pytest.approx(1.0, rel=1e-6)
    assert classes["contribution"].sum() == pytest.approx(es, rel=1e-6)
    distress = results.tables["distress"].query("level == 0.99").set_index("id")
    lenders = world[0].tables["lenders"].set_index("lender")
    np.testing.assert_allclose(distress["vulnerability"] * lenders["capital"], distress["mes"], rtol=1e-12)
    assert (distress[["mes_se", "es_share_se", "vulnerability_se", "delta_covar_se"]] > 0.0).all(axis=None)


def test_a_fund_passes_on_its_capital_and_what_its_bankruptcy_costs_and_others_nothing(results, world):
    """The made-up funds owe as much as their capital, all to lenders that are not funds."""
    passed = results.tables["distress"].query("level == 0.95").set_index("id")["passed_on"]
    lenders = world[0].tables["lenders"].set_index("lender")
    expected = (1.05 * lenders["capital"]).where(lenders["vehicle"] == 1)
    np.testing.assert_allclose(passed, expected, rtol=1e-12)


def test_clusters_are_those_of_the_paths(results, world):
    month = world[2].default_month
    quarters = np.stack([((month + 2) // 3 == q).sum(axis=1) for q in range(1, 21)])
    law = np.bincount(quarters.max(axis=0)) / len(month)
    rows = results.tables["clusters"]
    np.testing.assert_allclose(rows["probability"][: len(law)], law, rtol=1e-12)
    first = results.tables["dispersion"].set_index("quarter").loc["1"]
    each = ((month > 0) & (month <= 3)).mean(axis=0)
    assert first["dispersion"] == pytest.approx(quarters[0].var() / (each * (1 - each)).sum(), rel=1e-9)
    assert first["expected"] == pytest.approx(each.sum(), rel=1e-12)


def test_the_page_says_who_drags_whom_down_and_how_far_the_model_may_be_wrong(folder):
    page = (folder / "report.html").read_text()
    assert "Who drags whom down" in page and "If the model is a little wrong" in page
    assert "correlation, not cause" in page and "Borrowers that default together" in page
