"""A path model of one's own: known laws, any placement alike, replay, the page's cascade against loops."""

import json
import pathlib
import re
import runpy

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import undertow as ut
from scipy import stats

from engine.draws.samplers import PSEUDO_RANDOM
from engine.run import blocks
from engine.run.path_model import PathModel, PathOutcome
from engine.run.plan import Plan

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "path-models.md"
REACH = 4.0
"""Standard errors within which an estimate must lie of the exact number."""


def squares(draws, size):
    """A sum of squares at steps 2 and 4, chi-square with 6 and 12 degrees of freedom times the size."""
    sums = size * jnp.cumsum(jnp.sum(draws.normals**2, axis=1))
    return PathOutcome(sums[jnp.array([1, 3])][:, None])


def straight(draws, scale):
    """The positive part of a normal with this deviation."""
    return scale * jnp.maximum(jnp.sum(draws.normals), 0.0) / np.float32(12**0.5)


SQUARES = PathModel(squares, 2.0, steps=4, factors=3, horizons=[2, 4])
STRAIGHT = PathModel(straight, 1e6, steps=4, factors=3, unit="EUR")


@pytest.mark.parametrize("sampler", ["pseudo_random", "antithetic", "sobol", "importance"])
def test_every_sampler_finds_the_law_of_a_sum_of_squares(sampler):
    run = ut.run_paths(SQUARES, paths=8192, sampler=sampler, level=0.99)
    for step, freedom in ((2, 6), (4, 12)):
        row, law = run.loss.loc[step], stats.chi2(freedom, scale=2.0)
        assert abs(row.el - 2.0 * freedom) < REACH * row.el_se
        assert abs(row.var_95 - law.ppf(0.95)) < REACH / 1.96 * max(
            row.var_95_hi - row.var_95, row.var_95 - row.var_95_lo
        )
        loss = 2.0 * law.ppf(0.9)
        p = run.beyond(loss).loc[step]
        assert abs(p.probability - law.sf(loss)) < REACH * p.probability_se


def test_a_learned_tilt_reaches_a_tail_that_plain_paths_do_not():
    """P(L > 4 deviations) = 3.2e-5 to a few percent from 16,384 paths, of which plainly one at most."""
    run = ut.run_paths(STRAIGHT, paths=16_384, sampler="importance", level=0.9999)
    p, exact = run.beyond(4e6).iloc[0], stats.norm.sf(4.0)
    assert abs(p.probability - exact) < REACH * p.probability_se and p.probability_se < 0.05 * exact
    weights = run.samplers[0].share
    assert float(weights.sum()) == pytest.approx(1.0) and float(weights[0]) == pytest.approx(0.1)
    assert run.loss.el.iloc[0] == pytest.approx(1e6 / (2 * np.pi) ** 0.5, abs=REACH * run.loss.el_se.iloc[0])


def test_a_portfolio_as_a_path_model_has_the_exact_law():
    """100 loans on one factor: the recursion's P(L > 10) and ES."""
    pd_, loading = 0.02, 0.5
    barrier = np.float32(stats.norm.ppf(pd_))

    def book(draws, parameters):
        z = parameters["loading"] * draws.normals[0, 0]
        own = jnp.sqrt(1.0 - parameters["loading"] ** 2) * draws.normals[0, 1:]
        return jnp.sum((z + own < barrier).astype(jnp.float32))

    model = PathModel(book, {"loading": loading}, factors=101)
    run = ut.run_paths(model, paths=16_384, sampler="importance", level=0.99)
    exact = ut.exact_distribution(np.full(100, pd_), 1.0, loading=loading)
    p = run.beyond(10.5).iloc[0]
    assert abs(p.probability - exact.beyond(10.5)) < REACH * p.probability_se
    row = run.loss.iloc[0]
    assert abs(row.es_99 - exact.expected_shortfall(0.99)) < REACH * row.es_99_se + 0.002 * row.es_99


def test_the_tally_is_the_same_however_it_is_placed():
    tallies = [
        blocks.simulate(SQUARES.model(4.0, False), Plan(2048, block, 7), devices=jax.devices()[:count])[0]
        for block, count in ((256, 1), (1024, 2))
    ]
    for one, other in zip(*map(jax.tree.leaves, tallies), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_replay_is_the_path():
    """The worst paths, run again one at a time, lose what the tally says, each drawn by its own sampler."""
    for sampler in ("pseudo_random", "antithetic", "importance"):
        run = ut.run_paths(SQUARES, paths=1024, sampler=sampler)
        worst = run.worst_paths
        for step, place in ((2, 0), (4, 1)):
            row = worst[worst.step == step].iloc[0]
            again = run.outcome(int(row.path)).losses[place, 0]
            assert float(again) == pytest.approx(row.loss, rel=1e-6)


def test_parts_add_up_and_errors_come_with_replications():
    def two(draws, _):
        parts = jnp.square(draws.normals[0])
        return PathOutcome(jnp.sum(parts), components=parts)

    model = PathModel(two, factors=2, components=["a", "b"])
    run = ut.run_paths(model, paths=4096, replications=8)
    parts = run.contributions
    assert parts.es_99.sum() == pytest.approx(run.loss.es_99.iloc[0], rel=1e-6)
    assert (parts.es_99_se > 0).all() and parts["part"].tolist() == ["a", "b"]


def test_parameters_of_new_values_compile_nothing_new():
    traces = []

    def counting(draws, size):
        traces.append(1)
        return size * jnp.sum(draws.normals**2)

    first = ut.run_paths(PathModel(counting, 1.0), paths=512)
    before = len(traces)
    second = ut.run_paths(PathModel(counting, 2.0), paths=512)
    assert len(traces) - before <= 2  # shapes are asked for anew, nothing is compiled
    assert second.loss.el.iloc[0] == pytest.approx(2.0 * first.loss.el.iloc[0], rel=1e-6)


def test_paths_that_are_not_finite_are_counted_or_fatal():
    def rare(draws, threshold):
        return jnp.where(draws.normals[0, 0] > threshold, jnp.nan, 1.0)

    run = ut.run_paths(PathModel(rare, 2.6), paths=4096)
    lost = 4096 - int(run.tally.paths)
    assert 0 < lost < 41 and f"{lost} paths have a loss that is not finite" in run.warnings[0]
    with pytest.raises(ValueError, match="path: got losses that are not finite on .* of 4096 paths"):
        ut.run_paths(PathModel(rare, 1.0), paths=4096)


@pytest.mark.parametrize(
    "options, words",
    [
        (
            {"path": lambda z, p: 1 / 0},
            "path: got ZeroDivisionError: division by zero, expected a function in JAX",
        ),
        ({"steps": 0}, "steps: got 0"),
        ({"factors": 0}, "factors: got 0"),
        ({"horizons": [4, 2]}, r"horizons: got \[4, 2\], expected steps that increase from 1 to 4"),
        ({"horizons": [2, 5]}, "horizons: got 5"),
        ({"horizons": [1, 2, 4]}, r"path: got losses of shape \(2, 1\), expected \(3 horizons, losses\)"),
        ({"columns": ["a", "b"]}, "columns: got .*expected 1 names"),
        ({"entities": ["a"]}, "entities: got .*expected 0 names"),
        ({"parameters": "x"}, "parameters: got 'x', expected numbers"),
        (
            {"path": lambda z, p: PathOutcome(1.0, trace=z.normals[:2]), "horizons": None},
            "path: got trace of shape",
        ),
        (
            {"path": lambda z, p: PathOutcome(1.0, default_step=z.normals[0]), "horizons": None},
            "path: got .*(default_step of float|PathOutcome)",
        ),
    ],
)
def test_a_model_that_cannot_be_is_refused(options, words):
    case = dict(path=squares, parameters=1.0, steps=4, factors=3, horizons=[2, 4])
    with pytest.raises(ValueError, match=words):
        PathModel(**case | options)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"paths": 0}, "paths: got 0"),
        ({"sampler": "halton"}, "sampler: got 'halton', expected one of"),
        (
            {"sampler": "sobol", "paths": 3 * 1024},
            "paths: got 3072, expected 16 replications times a power of two",
        ),
        ({"sampler": "antithetic", "paths": 16 * 33}, "paths: got 528, expected a multiple of 32"),
        ({"replications": 3}, "paths: got 1024, expected a multiple of 3 replications"),
        ({"level": 1.0}, "level: got 1.0"),
        ({"defensive": 0.0}, "defensive: got 0.0"),
        ({"block": 100}, "run.block: got 100"),
    ],
)
def test_a_run_that_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        ut.run_paths(**dict(model=SQUARES, paths=1024) | options)


def test_a_path_that_was_not_run_is_refused():
    with pytest.raises(ValueError, match="path: got 512, expected one from 0 to 511"):
        ut.run_paths(SQUARES, paths=512).replay(512)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What the page's block leaves, with fewer paths."""
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 60
    script = tmp_path_factory.mktemp("page") / "cascade.py"
    script.write_text(code.replace("20_480", "4_096"), encoding="utf-8")
    return runpy.run_path(str(script))


def cascade_by_loops(normals, bank, rounds):
    """Loss by bank, quarter of failure and equity by quarter of one path, by loops over banks."""
    assets, equity = bank["assets"].astype(float), bank["equity"].astype(float)
    since, rows = np.zeros(30, int), []
    for quarter, shock in enumerate(normals.astype(float), 1):
        for i in range(30):
            own = bank["loading"][i] * shock[0] + np.sqrt(1 - bank["loading"][i] ** 2) * shock[1 + i]
            grown = assets[i] * np.exp(bank["volatility"] * own - bank["volatility"] ** 2 / 2)
            equity[i] += 0.0 if since[i] else grown - assets[i]
            assets[i] = grown
        for _ in range(rounds):
            new = [i for i in range(30) if equity[i] < 0 and not since[i]]
            for i in new:
                since[i] = quarter
                equity = equity - bank["severity"] * bank["claims"][:, i]
        rows.append(np.maximum(bank["equity"] - equity, 0.0))
    return np.array(rows), since, equity


def test_the_cascade_against_loops(page):
    """The page's thirty banks on its worst, its first and a middling path: losses, failures, equity."""
    run, bank = page["run"], {name: np.asarray(value) for name, value in page["banks"].items()}
    worst = int(run.worst_paths[run.worst_paths.step == 8].path.iloc[0])
    for path in (0, 1234, worst):
        normals = np.asarray(ut.draw(PSEUDO_RANDOM, 7, path, steps=8, factors=31).normals)
        losses, since, equity = cascade_by_loops(normals, bank, page["ROUNDS"])
        own = run.outcome(path)
        np.testing.assert_allclose(own.components, losses[[3, 7]], atol=2e-6)
        np.testing.assert_array_equal(own.default_step, since)
        assert float(own.trace[-1, 2]) == pytest.approx(equity.mean(), abs=2e-6)
    assert since.any() and float(own.losses[1, 0]) == pytest.approx(losses[7].sum(), rel=1e-5)


def test_the_tilt_of_the_page_agrees_and_narrows(page):
    plain, tilted = page["run"].loss.loc[8], page["tail"].loss.loc[8]
    for measure in ("el", "es_99"):
        spread = np.hypot(plain[f"{measure}_se"], tilted[f"{measure}_se"])
        assert abs(plain[measure] - tilted[measure]) < REACH * spread
    assert tilted.es_99_9_se < 0.5 * plain.es_99_9_se and tilted.resolved_99_9 and not plain.resolved_99_9


def test_files_of_a_run(page, tmp_path):
    folder = page["run"].write(tmp_path / "cascade")
    tables = {path.stem: pd.read_parquet(path) for path in (folder / "results").glob("*.parquet")}
    assert set(tables) == {"losses", "distribution", "contributions", "defaults", "fans", "worst_paths"}
    assert tables["fans"].groupby("series").size().to_dict() == {"loss": 8, "failed": 8, "equity": 8}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["paths"] == 4096 and summary["loss"]["8"]["es_99"] == page["run"].loss.es_99[8]
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert all(words in html for words in ("bank 07", "Along the way", "USD bn", "Who fails"))
    months = page["run"].replay(0)
    assert len(months) == 8 and months.columns.tolist() == ["loss", "failed", "equity", "defaults"]


@pytest.mark.parametrize("sampler", ["pseudo_random", "sobol", "importance"])
def test_an_interrupted_run_goes_on_to_the_bit(tmp_path, sampler):
    """Stopped in its third round: the same call takes the rounds that are left and gives the same tables."""
    options = dict(paths=8192, sampler=sampler, level=0.99, block=256)
    whole = ut.run_paths(SQUARES, **options)
    rounds = []

    def stop(done):
        rounds.append(done)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ut.run_paths(SQUARES, **options, folder=tmp_path, save_every=0.0, progress=stop)
    left = []
    again = ut.run_paths(SQUARES, **options, folder=tmp_path, save_every=0.0, progress=left.append)
    assert left[0] == rounds[2] and left[-1] == 8192  # of the round that was cut off, nothing was saved
    for name, table in whole.tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, check_exact=True)
    assert (again.beyond(20.0).to_numpy() == whole.beyond(20.0).to_numpy()).all()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (dict(paths=2048), "paths: 4096 there, 2048 here"),
        (dict(seed=8), "seed: 7 there, 8 here"),
        (dict(model=PathModel(squares, 3.0, steps=4, factors=3, horizons=[2, 4])), "parameters"),
        (dict(model=PathModel(lambda z, p: 1.5 * squares(z, p).losses, 2.0, 4, 3, [2, 4])), "path"),
    ],
)
def test_another_run_does_not_go_on(tmp_path, change, difference):
    def stop(done):
        if done > 512:
            raise KeyboardInterrupt

    options = dict(model=SQUARES, paths=4096, block=256, folder=tmp_path, save_every=0)
    with pytest.raises(KeyboardInterrupt):
        ut.run_paths(**options, progress=stop)
    with pytest.raises(ValueError, match=f"folder: got the checkpoint of another run .*{difference}"):
        ut.run_paths(**options | change)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="folder: got .*file .*expected a folder"):
        ut.run_paths(SQUARES, paths=256, folder=tmp_path / "file")
