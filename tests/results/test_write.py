"""Results: what a run folder holds, against the paths themselves."""

import dataclasses
import json
import types

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from engine.results.folder import read_results, write_json, write_text
from engine.results.systemic import losses_if_one_fails, passed_on
from engine.results.write import write_results
from engine.tail.histogram import LOSS
from engine.vocabulary import FLAGS
from tests.small_run import PATHS, SEED
from tests.tail.samples import relative_error

HORIZONS = ["1y", "3y"]
MEASURES = {"el", "el_se", "exposure"} | {
    f"{measure}_{level}{end}"
    for level in ("95", "99", "99_9")
    for measure, ends in (("var", ("", "_lo", "_hi")), ("es", ("", "_se")), ("resolved", ("",)))
    for end in ends
}
TABLES = {
    "boom_breaks", "losses", "distribution", "tail", "contributions", "grades", "firms", "leverage",
    "defaults", "causes", "fans",
    "regimes", "worst_paths", "history", "references", "plausibility_pd", "plausibility_losses",
    "plausibility_bands", "plausibility_declines",
    "plausibility_regimes", "distress", "lender_failures", "es_shares", "clusters", "dispersion",
    "worst_case", "deep_tail", "claims", "conditional_losses", "loss_flows",
}  # fmt: skip


def test_the_summary_has_the_keys_that_scripts_rely_on(results, run):
    summary = results.summary
    assert summary["schema"] == 1 and summary["status"] == "done"
    assert summary["seed"] == SEED and summary["paths"] == PATHS
    assert summary["book_hash"] == run.book.hash and summary["config_hash"] == run.experiment.hash
    assert set(summary["timing"]) == {
        "compile_s",
        "run_s",
        "paths_per_s",
        "peak_rss_mb",
        "sessions",
        "kernel",
    }
    assert list(summary["system"]) == HORIZONS
    assert MEASURES <= set(summary["system"]["3y"])
    assert set(summary["lenders"]) == set(run.system.names.lenders)
    assert all(set(lender) == set(HORIZONS) for lender in summary["lenders"].values())
    assert MEASURES <= set(summary["lenders"]["ATH"]["3y"])
    assert set(summary["bearers"]) == set(run.system.names.bearers)
    assert set(summary["firms"]) == set(run.layout.entities)
    assert {"pd_1y", "pd_3y"} <= set(summary["firms"]["CRWV"])
    assert summary["flagged_paths"] == dict.fromkeys(FLAGS, 0)
    assert {
        "name",
        "ess",
        "ess_tail",
        "max_weight_share",
        "mean_weight",
        "k_hat",
        "variance_reduction",
    } <= set(summary["sampler"])


def test_flags_are_counted(run, tmp_path):
    flags = np.zeros(len(FLAGS), np.int64)
    flags[1] = 3
    tally, *rest = run.arguments
    summary = write_results(tmp_path, dataclasses.replace(tally, flags=flags), *rest)
    assert summary["flagged_paths"] == dict.fromkeys(FLAGS, 0) | {FLAGS[1]: 3}


def test_the_summary_returned_is_the_one_written(run, tmp_path):
    returned = write_results(tmp_path, *run.arguments)
    assert returned == json.loads((tmp_path / "summary.json").read_text())
    assert {path.name for path in tmp_path.iterdir()} == {"results", "summary.json"}


def test_every_table_is_parquet_with_zstd_and_nothing_else_is_left(folder, results):
    assert set(results.tables) == TABLES
    for path in (folder / "results").iterdir():
        columns = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
        assert path.suffix == ".parquet" and columns.column(0).compression == "ZSTD"


def test_numbers_are_those_of_the_paths(results, run):
    losses = np.sort(run.outcome.losses.astype(np.float64), axis=-1)
    table = results.tables["losses"].set_index(["horizon", "column"])
    place = int(0.99 * PATHS)
    for h, horizon in enumerate(HORIZONS):
        for c in (0, 1, 5, len(run.layout.columns) - 1):
            row, column = table.loc[(horizon, run.layout.columns[c])], losses[h, c]
            assert row["el"] == pytest.approx(column.mean(), rel=1e-6)  # fixed-point sums of float32 losses
            assert row["var_99"] == pytest.approx(column[place], rel=4 * relative_error(LOSS))
            assert row["es_99"] == pytest.approx(column[place:].mean(), rel=4 * relative_error(LOSS))
            assert row["var_99_lo"] <= row["var_99"] <= row["var_99_hi"]


def test_parts_of_the_tail_add_up(results):
    for horizon in HORIZONS:
        es = results.system(horizon)["es_99"]
        parts = results.tables["contributions"].query("horizon == @horizon")
        assert parts["es_99"].sum() == pytest.approx(es, rel=1e-6)
        assert parts["share"].sum() == pytest.approx(1.0, rel=1e-6)
        for kind in ("book", "class"):
            assert results.tail(kind, horizon)["tail_mean"].sum() == pytest.approx(es, rel=1e-6)


def test_bearers_bear_what_lenders_lose_and_bankruptcies_cost(results, run):
    """All bearers together lose more than the system: also paper's fall and what bankruptcy costs."""
    bearers = [place for place, name in enumerate(run.layout.columns) if name.startswith("bearer:")]
    for place, horizon in enumerate(HORIZONS):
        losses = run.outcome.losses[place].astype(np.float64)
        worst = np.argsort(-losses[0])[: round(0.01 * PATHS)]
        total = results.tail("bearer", horizon)["tail_mean"].sum()
        assert total == pytest.approx(losses[bearers][:, worst].sum(axis=0).mean(), rel=0.01)
        assert total > results.system(horizon)["es_99"]


def test_distributions_have_mass_one_and_the_mean(results):
    for horizon in HORIZONS:
        bins = results.bins("system", horizon)
        assert bins.probability.sum() == pytest.approx(1.0, abs=1e-12)
        assert bins.loss @ bins.probability == pytest.approx(results.system(horizon)["el"], rel=1e-9)


def test_exposures_count_tranched_pools_once(results, run):
    """Loans behind tranches count as the tranches; what nobody holds is no lender's."""
    tables, drawn = run.book.tables, float(run.system.exposure_start)
    by_class = results.losses("class", "3y").set_index("id")["exposure"]
    assert by_class.sum() == pytest.approx(drawn)
    pools = tables["pools"].set_index("pool")
    tranches = tables["tranches"][tables["tranches"]["class"] == "CMBS"]
    sizes = (tranches["detachment"] - tranches["attachment"]) * tranches["pool"].map(pools["balance"])
    assert by_class["CMBS"] == pytest.approx(sizes.sum())
    assert results.losses("lender", "3y")["exposure"].sum() == pytest.approx(drawn)


def test_defaults_and_causes_are_counted_once(results, run):
    month = run.outcome.default_month
    expected = (month > 0).sum() / PATHS
    assert results.tables["defaults"]["expected"].sum() == pytest.approx(expected)
    assert results.tables["causes"]["expected"].sum() == pytest.approx(expected)
    firms = results.tables["firms"].set_index("firm")
    own = month[run.layout.entities.index("CRWV")]
    share = np.mean((own > 0) & (own <= 12))
    assert firms.loc["CRWV", "pd_1y"] == pytest.approx(share)
    assert firms.loc["CRWV", "pd_1y_se"] == pytest.approx(np.sqrt(share * (1 - share) / PATHS))


def test_regimes_are_shares_of_the_paths(results, run):
    codes = run.outcome.trace[:, run.layout.series.index("regime")]
    table = results.tables["regimes"]
    for code, regime in enumerate(("boom", "plateau", "bust")):
        assert table[regime].to_numpy() == pytest.approx((codes == code).mean(axis=-1))


def test_worst_paths_are_the_worst(results, run):
    losses = run.outcome.losses[-1, 0]
    worst = results.tables["worst_paths"].query("horizon == '3y'")
    assert worst["path"].iloc[0] == int(np.argmax(losses))
    assert worst["loss"].is_monotonic_decreasing


def test_few_paths_beyond_a_level_are_said(results):
    assert any("99.9% level" in warning for warning in results.summary["warnings"])
    assert not results.system("3y")["resolved_99_9"] and results.system("3y")["resolved_99"]


def test_a_tally_of_another_shape_is_refused(run, tmp_path):
    _, *rest = run.arguments
    other = dataclasses.replace(run.layout, columns=run.layout.columns[:-1], distress=())
    with pytest.raises(ValueError, match="does not fit its layout"):
        write_results(tmp_path, other.init(), *rest)
    assert not list(tmp_path.iterdir())


def test_a_run_without_paths_is_refused(run, tmp_path):
    _, *rest = run.arguments
    with pytest.raises(ValueError, match="at least one path"):
        write_results(tmp_path, run.layout.init(), *rest)
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


def test_distress_is_of_every_lender_and_the_band_widens_with_its_radius(results, run):
    lenders = [name.partition(":")[2] for name in run.layout.distress if name.startswith("lender:")]
    distress = results.tables["distress"].query("level == 0.95")
    assert lenders and distress["id"].tolist() == lenders
    calm = results.tables["losses"].query("column == 'system' and horizon == '3y'")["var_95"].item()
    known = distress.dropna(subset=["covar"])
    assert len(known) and (known["covar"] > 0.9 * calm).all() and (known["mes"] > 0.0).all()
    band = results.tables["worst_case"].query("horizon == '3y' and level == 0.99").sort_values("radius")
    assert band["var"].is_monotonic_increasing and band["es"].is_monotonic_increasing
    assert band["es"].iloc[0] == results.system("3y")["es_99"]


def test_parts_of_shortfall_add_up_and_vulnerability_is_over_capital(results, run):
    shares = results.tables["es_shares"].query("level == 0.99")
    classes = shares[shares["kind"] == "class"]
    es = results.system("3y")["es_99"]
    # Columns and their sum are rounded to float32 path by path.
    assert classes["share"].sum() == pytest.approx(1.0, rel=1e-6)
    assert classes["contribution"].sum() == pytest.approx(es, rel=1e-6)
    distress = results.tables["distress"].query("level == 0.99").set_index("id")
    capital = run.book.tables["lenders"].set_index("lender")["capital"].reindex(distress.index)
    known = capital > 0.0
    vulnerability = (distress["vulnerability"] * capital)[known]
    np.testing.assert_allclose(vulnerability, distress["mes"][known], rtol=1e-12)
    assert distress.loc[~known, "vulnerability"].isna().all()
    lossy = distress.dropna(subset=["covar"])
    assert len(lossy) > 0.5 * len(distress)
    assert (lossy[["mes_se", "es_share_se", "delta_covar_se"]] > 0.0).all(axis=None)


def test_only_vehicles_pass_losses_on(results, run):
    """A vehicle that fails alone costs its creditors and owners; nobody holds a claim on another lender."""
    passed = results.tables["distress"].query("level == 0.95").set_index("id")["passed_on"]
    lenders = run.book.tables["lenders"].set_index("lender").reindex(passed.index)
    vehicles = lenders["vehicle"] == 1
    assert passed[~vehicles].isna().all() and (passed[vehicles] >= 0.0).all()
    assert (passed[vehicles] > 0.0).any()


def test_a_fund_passes_on_its_capital_and_what_its_bankruptcy_costs():
    """Two funds that owe as much as their capital, all to lenders that are not funds; 5% is the cost."""
    capital, shares = np.array([9.0, 3.0, 50.0, 20.0]), np.array([[0, 0], [0, 0], [0.7, 0.2], [0.3, 0.8]])
    claims = types.SimpleNamespace(matrix=shares)
    names = ("FUND", "SLEEVE", "INSURER", "BANK")
    lenders = types.SimpleNamespace(
        capital=capital, debt=capital * [1, 1, 0, 0], debt_share=claims, equity_share=claims
    )
    assert passed_on(names, losses_if_one_fails(lenders, 1.0, 0.05)) == pytest.approx(
        {"FUND": 1.05 * 9.0, "SLEEVE": 1.05 * 3.0}, rel=1e-12
    )


def test_clusters_are_those_of_the_paths(results, run):
    month = run.outcome.default_month
    quarters = np.stack([((month + 2) // 3 == q).sum(axis=0) for q in range(1, 13)])
    law = np.bincount(quarters.max(axis=0)) / PATHS
    rows = results.tables["clusters"]
    np.testing.assert_allclose(rows["probability"][: len(law)], law, rtol=1e-12)
    first = results.tables["dispersion"].set_index("quarter").loc["1"]
    each = ((month > 0) & (month <= 3)).mean(axis=1)
    assert first["dispersion"] == pytest.approx(quarters[0].var() / (each * (1 - each)).sum(), rel=1e-9)
    assert first["expected"] == pytest.approx(each.sum(), rel=1e-12)
