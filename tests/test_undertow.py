"""`import undertow`: what it exports, that it is instant, and that it leaves the user's JAX as it was."""

import ast
import inspect
import json
import os
import pathlib
import pickle
import pydoc
import re
import subprocess
import sys
import types

import hydra
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import undertow as ut

from engine.batch.barriers import stored
from engine.paths.simulate import simulate
from engine.results.folder import read_results
from engine.results.units import unit_of
from engine.undertow.progress import progress_of, watched
from engine.undertow.settings import settings_of
from experiments.config.bad_input import BadInput as Refusal
from tests.small_run import composed, written

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXPORTS = {
    # a book, a run, a path
    "BadInput", "Book", "BookError", "Parameters", "Plan", "Run", "System", "build_system", "layout_of",
    "load_book", "prepare", "replay", "run", "simulate", "write_template",
    # contagion
    "EisenbergNoe", "LinearDebtRank", "RogersVeraart", "Threshold", "clear", "clear_dates",
    "clear_holdings", "debtrank", "default_rounds", "deleverage", "fail_each", "fire_sale",
    "maximum_entropy", "minimum_density", "sample_fitness", "sample_gibbs", "tranche_loss",
    # portfolios
    "Basket", "CreditRiskPlus", "DoubleT", "GaussianCopula", "LossDistribution", "Portfolio",
    "StudentCopula", "basel_capital", "basel_correlation", "basel_risk_weight", "basket", "bond_value",
    "creditrisk_plus", "euler_contributions", "euler_var_contributions", "exact_distribution",
    "granularity_adjustment", "joint_migration", "migration_default_probabilities", "migration_generator",
    "migration_transition", "portfolio", "portfolio_tail", "read_portfolio", "shortfall_contributions",
    "tranche_cliff", "tranche_loss_law", "var_contributions", "vasicek_cdf", "vasicek_default_count",
    "vasicek_expected_shortfall", "vasicek_quantile",
    # waterfalls in time
    "Call", "Deal", "DealCash", "Note", "PoolCash", "Reserve", "Trigger", "pool_cash", "pool_paths", "psa",
    "sda", "waterfall",
    # path models of one's own
    "PathModel", "PathOutcome", "PathRun", "run_paths",
    # samples and samplers
    "Antithetic", "PSEUDO_RANDOM", "draw", "from_losses", "sample_tail", "sobol", "worst_case",
    "worst_probability",
}  # fmt: skip


def fresh(code: str, **settings: str) -> str:
    """What a new Python process prints; of JAX's and XLA's settings it has these alone."""
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    own |= settings
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_exports():
    assert set(ut.__all__) == EXPORTS == set(dir(ut))


def test_every_export_has_a_line_in_the_api():
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)", text, flags=re.M)
    assert sorted(listed) == sorted(EXPORTS)


def test_type_checkers_see_what_is_exported():
    tree = ast.parse((ROOT / "engine/undertow/__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    seen = {
        alias.asname: f"{node.module.removeprefix('engine.')}.{alias.name}"
        for node in imports
        for alias in node.names
        if node.module.startswith("engine.") and alias.asname
    }
    assert seen == ut.ON_HOST | ut.ON_DEVICE


@pytest.mark.parametrize("name", sorted(EXPORTS - {"PSEUDO_RANDOM"}))
def test_every_export_says_what_it_is(name):
    assert len(getattr(ut, name).__doc__) > 40


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"no attribute 'VaR'; dir\(undertow\) lists"):
        ut.VaR  # noqa: B018


def test_import_is_instant():
    code = (
        "import sys, time; begun = time.perf_counter(); import undertow; print(time.perf_counter() - begun);"
        "assert not {'jax', 'numpy', 'pandas', 'scipy'} & set(sys.modules)"
    )
    assert min(float(fresh(code)) for _ in range(3)) < 0.05


def test_names_that_need_no_jax_import_none():
    assert (
        fresh(
            "import sys, undertow\n"
            "for name in undertow.ON_HOST: getattr(undertow, name)\n"
            "print(undertow.load_book('worked_small').name, 'jax' in sys.modules)"
        )
        == "worked_small False\n"
    )


SESSION = """
import jax, jax.numpy as jnp, numpy as np
before = dict(jax.config.values)
import undertow as ut
assert dict(jax.config.values) == before
ut.prepare()
asked = {name for name, value in jax.config.values.items() if value != before[name]}
assert asked == {"jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"}, asked
before = dict(jax.config.values)
for name in dir(ut):
    getattr(ut, name)
payments = ut.clear([[0, 4], [0, 0]], [2, 0], valuation=ut.RogersVeraart(0.3, 1.0)).payments
assert type(payments) is np.ndarray and payments.dtype == np.float64 and payments[0] == 0.6
run = ut.run("worked_small", paths=512, months=12)
run.tables, run.summary, run.replay(3)
changed = {name for name, value in jax.config.values.items() if value != before[name]}
print(changed, jnp.asarray([0.1]).dtype, jnp.arange(3).dtype, len(jax.devices()) > 0)
"""


def test_the_settings_of_jax_stay_the_users():
    quick = os.environ["XLA_FLAGS"]  # the user's, with which programs compile in half the time
    assert fresh(SESSION, XLA_FLAGS=quick) == "set() float32 int32 True\n"


def test_flags_are_set_by_the_first_name_that_needs_jax():
    code = (
        "import os, undertow; os.environ.pop('XLA_FLAGS', None); undertow.clear;"
        "import jax; print('cse_barrier_expander' in os.environ['XLA_FLAGS'], jax.config.jax_enable_x64)"
    )
    assert fresh(code) == "True False\n"


def test_flags_are_left_alone_where_jax_is_at_work():
    code = (
        "import os, jax, undertow; os.environ.pop('XLA_FLAGS', None); undertow.clear;"
        "print('XLA_FLAGS' in os.environ)"
    )
    assert fresh(code) == "False\n"


def test_a_run_without_flags_says_what_to_do(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    with pytest.warns(UserWarning, match=r"many times slower; call undertow.prepare\(\) before JAX"):
        stored(lambda x: x + 1.0, jnp.ones(2, jnp.float32))


@pytest.fixture(scope="module")
def run():
    return ut.run("worked_small", paths=1024, seed=7, months=12)


def test_a_run_is_the_engines_to_the_bit(run):
    system = ut.build_system(ut.load_book("worked_small"), ut.Parameters(), 12)
    tally, _ = simulate(system, ut.Plan(paths=1024, block=512, seed=7, kernel="auto"))
    same = jax.tree.map(lambda a, b: bool(np.array_equal(a, b)), run.tally, jax.device_get(tally))
    assert all(jax.tree.leaves(same)) and int(run.tally.paths) == 1024


def test_results_are_tables_with_units(run):
    assert run.losses.attrs["units"]["var_99_lo"] == "USD bn"
    assert run.borrowers.attrs["units"]["pd_1y"] == "share" and run.bearers.attrs["units"]["el"] == "USD bn"
    assert set(run.lenders["id"]) == set(run.book["lenders"]["lender"])
    parts, whole = run.contributions["es_99"].sum(), run.loss.es_99["1y"]
    assert parts == pytest.approx(whole, rel=1e-6)  # paths add their instruments in float32
    assert run.summary["system"]["1y"]["es_99"] == whole and "ES 99%" in repr(run)


def test_rows_go_by_the_names_of_the_book(run):
    names = {kind: set(run.book[kind]["name"]) for kind in ("lenders", "bearers", "firms")}
    assert set(run.lenders.loc["1y"].index) == names["lenders"]
    assert set(run.bearers.loc["1y"].index) == names["bearers"]
    assert {"GPU cloud", "Hall owner"} <= set(run.borrowers.index) <= names["firms"]
    assert run.borrowers["pd_1y"].is_monotonic_decreasing
    assert run.loss.index.tolist() == ["1y"]


def test_a_table_of_the_report_is_shown_as_on_the_page_with_its_numbers_behind_it(run):
    table = run.table("system")
    assert "VaR 99%" in repr(table) and f"<td>{run.loss.es_99['1y']:.1f}" in table._repr_html_()
    assert table.frame.loc["1 year", "ES 99%"] == run.loss.es_99["1y"]
    assert table.frame.loc["1 year", "VaR 99%, low"] == run.loss.var_99_lo["1y"]
    assert table.frame.attrs["units"]["ES 99% / debt today"] == "share"
    assert "bn" in run._repr_html_() and table._repr_html_().count("<tr") == 2
    with pytest.raises(ValueError, match="table: got 'x', expected one of system, loss_parts, lenders"):
        run.table("x")


def test_charts_of_the_report_are_figures_with_titles(run):
    loss = run.plot.loss()
    assert loss.layout.title.text == "<b>How likely is a larger loss?</b>" and loss.layout.width is None
    marks = {trace.name: trace.x[0] for trace in loss.data if trace.mode == "markers"}
    assert marks == {"VaR 99%, 1y": run.loss.var_99["1y"], "ES 99%, 1y": run.loss.es_99["1y"]}
    for chart in ("histogram", "lenders", "bearers", "timing", "defaults", "fan"):
        assert len(getattr(run.plot, chart)().data) > 0
    with pytest.raises(ValueError, match="plot: got 'x', expected one of .*regimes"):
        run.plot("x")


def test_progress_is_for_whoever_asks_and_silent_elsewhere(capfd, monkeypatch):
    calls = []
    with progress_of(2048, calls.append) as given, progress_of(2048, True) as alone:
        given(1024), alone(1024)
    assert calls == [1024] and capfd.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("engine.undertow.progress.watched", lambda: "terminal")
    with progress_of(2048, True) as update:
        update(1024)
    assert "1,024 of 2,048 paths" in capfd.readouterr().err


def test_progress_in_a_notebook_is_one_output_written_over(monkeypatch):
    shown = []
    handle = types.SimpleNamespace(update=lambda content: shown.append(str(content)))
    stand_in = types.ModuleType("IPython.display")
    stand_in.HTML, stand_in.display = str, lambda content, display_id: handle
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", stand_in)
    sys.modules["IPython"].get_ipython = lambda: types.SimpleNamespace(kernel="a kernel")
    assert watched() == "notebook"
    with progress_of(2048, True) as update:
        update(1024)
    assert len(shown) == 2 and shown[-1] == ""


def test_every_number_of_a_run_has_a_unit_or_is_said_to_have_none(run):
    tables = read_results(written()).tables | {"replay": run.replay(17)}
    gaps = [
        f"{name}.{column}"
        for name, table in tables.items()
        for column in table.select_dtypes("number").columns
        if unit_of(name, column) is None
    ]
    assert not gaps and len(tables) > 25


def test_a_run_says_how_likely_a_loss_is(run):
    """VaR 99% is exceeded with 1%, to the paths in its bin, with the error of 1,024 independent paths."""
    p = run.beyond(run.loss.var_99["1y"])
    assert p.probability["1y"] == pytest.approx(0.01, abs=2e-3)
    assert p.probability_se["1y"] == pytest.approx(np.sqrt(0.01 * 0.99 / 1024), rel=0.15)
    assert p.attrs["units"] == {"probability": "share", "probability_se": "share"}


def test_a_run_of_pairs_takes_its_error_from_replications():
    """Eight replications of 128 paths: the spread of their shares, of the size for independent paths."""
    run = ut.run("worked_small", paths=1024, months=12, sampler="antithetic", replications=8, progress=False)
    p = run.beyond(run.loss.var_95["1y"]).loc["1y"]
    each = [laws[0].beyond(run.loss.var_95["1y"]).value for laws in run.laws]
    assert np.mean(each) == pytest.approx(p.probability) and len(each) == 8
    assert p.probability_se == pytest.approx(np.std(each, ddof=1) / np.sqrt(8))
    # The spread of eight is known to a quarter.
    assert 0.25 < p.probability_se / np.sqrt(0.05 * 0.95 / 1024) < 2.0


def test_a_name_of_two_meanings_has_the_unit_of_its_table():
    assert unit_of("distress", "es_share") == "share" and unit_of("distress", "mes_se") == "USD bn"
    assert unit_of("leverage", "effective") == "ratio" and unit_of("deep_tail", "effective") == "paths"
    assert unit_of("losses", "unheard_of") is None and unit_of("worst_paths", "path") == ""


def test_lenders_are_ranked_within_each_horizon():
    run = ut.run("worked_small", paths=512, months=36)
    assert run.horizons == run.lenders.index.unique("horizon").tolist() == ["1y", "3y"]
    by_horizon = run.lenders.groupby("horizon", sort=False)["es_99"]
    assert by_horizon.apply(lambda es: es.is_monotonic_decreasing).all() and by_horizon.size().min() > 1


def test_a_path_of_the_run_again(run):
    worst = run.worst_paths.iloc[0]
    months = run.replay(int(worst["path"]))
    assert len(months) == 12 and months["loss"].iloc[-1] == pytest.approx(worst["loss"], rel=1e-4)
    assert any(months["defaults"])
    with pytest.raises(ValueError, match="path: got 1024, expected one from 0 to 1023"):
        run.replay(1024)


def test_a_written_run_is_a_run_folder(run, tmp_path):
    folder = run.write(tmp_path / "mine")
    found = read_results(folder)
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (folder / "report.xlsx").read_bytes().startswith(b"PK")
    pd.testing.assert_frame_equal(found.tables["losses"], run.losses, check_like=True)
    assert found.summary["paths"] == 1024 and "payments" in found.tables


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"book": "ai_credit_2052"}, "book: got book 'ai_credit_2052', expected one of ai_credit_2025"),
        ({"paths": 0}, "paths: got 0, expected 1 to"),
        ({"months": 30}, "months: got 30, expected a multiple of 12 from 12 to 120"),
        ({"sampler": "halton"}, "sampler.name: got 'halton', expected one of pseudo_random"),
        ({"paths": 100, "sampler": "sobol"}, "expected"),
        ({"seed": -1}, "seed: got -1"),
    ],
)
def test_bad_arguments_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ut.run(**({"book": "worked_small", "paths": 1024, "months": 12} | wrong))


def test_parameters_are_held_to_their_limits():
    parameters = ut.Parameters()
    parameters.economy.rate = 2.0
    with pytest.raises(ValueError, match="economy.rate: got 2.0, expected a number at least -0.1"):
        ut.run("worked_small", paths=1024, months=12, parameters=parameters)


def test_a_setting_is_the_commands():
    """The scenario and a number by its key are the parameters that the command would compose."""
    wanted = composed("scenario=bust", "chips.life=3", "policy=backstop")
    chosen = settings_of("bust", {"chips.life": 3, "policy": "backstop"}, None)
    assert chosen == (wanted.parameters, wanted.scenario.name, wanted.scenario.story)
    assert settings_of("bust", {"chips.life": np.float32(3)}, None).parameters.chips.life == 3.0


def test_settings_leave_a_users_own_configuration_alone():
    with hydra.initialize_config_module("conf", version_base="1.3"):
        settings_of("bust", None, None)
        assert hydra.compose("config", overrides=["chips.life=3"]).chips.life == 3.0


@pytest.mark.parametrize(
    "wrong, problems",
    [
        (
            {"paths": 0, "seed": -1, "months": 30, "book": "nope", "settings": {"run.dir": "x"}},
            [
                "seed: got -1",
                "run.paths: got 0",
                "months: got 30",
                "run.dir: not a setting",
                "book: got book",
            ],
        ),
        (
            {"settings": {"chips.lif": 3, "economy.rate": "x", "book.path": "x"}},
            ["book.path: got 'x', expected the argument book="],
        ),
        (
            {"settings": {"chips.lif": 3, "economy.rate": "x"}},
            ["chips.lif: unknown key; did you mean chips.life?", "economy.rate: got 'x', expected a number"],
        ),
        (
            {"settings": {"credit.waiver": 7, "chips.life": [1, 2]}},
            ["chips.life: got '[1,2]', expected a number"],
        ),
        ({"scenario": "bst"}, ["scenario: got 'bst', expected one of backstop, baseline, boom"]),
        (
            {"scenario": "bust", "parameters": ut.Parameters()},
            ["parameters: got 'Parameters', expected None"],
        ),
        ({"settings": {"chips.life": {}}}, ["chips.life: got {}, expected a number, a text"]),
    ],
)
def test_all_that_is_wrong_is_said_as_the_command_says_it(wrong, problems):
    with pytest.raises(ut.BadInput) as caught:
        ut.run(**({"book": "worked_small", "paths": 1024, "months": 12} | wrong))
    error = caught.value
    assert [line[: len(start)] for line, start in zip(error.problems, problems, strict=True)] == problems
    assert str(error) == str(Refusal(error.problems)) and error._render_traceback_() == str(error).split("\n")
    inside = {frame.name for frame in caught.traceback}
    assert not inside & {"__call__", "raised", "settings_of", "load_book"} and error.__suppress_context__
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_rows_of_a_book_that_are_wrong_are_said_the_same_way(tmp_path):
    ut.write_template(tmp_path / "books")
    loans = tmp_path / "books" / "worked_small" / "loans.csv"
    loans.write_text(loans.read_text(encoding="utf-8").replace("CLOUD", "CLOWD", 1), encoding="utf-8")
    with pytest.raises(ut.BadInput, match=r"5 problems in the input.*\n  holdings.csv, rows 2 to 4, column"):
        ut.run(loans.parent, paths=1024, months=12)


def test_forms_of_a_report_are_checked_before_anything_is_written(run, tmp_path):
    with pytest.raises(ut.BadInput, match="formats: got 'docx', expected one of html, xlsx, pdf, svg, png"):
        run.write(tmp_path / "a", formats=["docx"])
    with pytest.raises(ut.BadInput, match="there is no program nowhere; install one"):
        run.write(tmp_path / "a", formats=["pdf"], browser="nowhere")
    assert not (tmp_path / "a").exists()


NOTEBOOK = ROOT / "docs/notebooks/first_run.ipynb"


def test_the_notebook_runs(tmp_path, monkeypatch, capsys):
    """Every cell in order, on the small book; a value that ends a cell can be shown."""
    monkeypatch.chdir(tmp_path)
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names = {}
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert sum('"ai_credit_2025", paths=20_000' in source for source in sources) == 3
    for source in sources:
        small = source.replace('"ai_credit_2025", paths=20_000', '"worked_small", paths=1024, months=12')
        *body, last = ast.parse(small).body
        value = None
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(body, []), str(NOTEBOOK), "exec"), names)
            value = eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)
        else:
            exec(compile(small, str(NOTEBOOK), "exec"), names)
        assert value is None or repr(value)
    assert capsys.readouterr().out.startswith(
        "undertow: 2 problems in the input, nothing was run\n  chips.life"
    )
    run, bust = names["run"], names["bust"]
    assert bust.parameters.chips.life == 4.0 and bust.summary["scenario"] == "bust" and bust.summary["story"]
    assert bust.loss.el["1y"] > run.loss.el["1y"]
    assert (tmp_path / "first_run" / "report.html").exists()


def test_the_notebook_is_kept_without_outputs():
    """Numbers in it would be those of an earlier model."""
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 10 and all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_the_package_has_the_face():
    code = (
        "from setuptools import Distribution; package = Distribution(); package.parse_config_files();"
        "print(package.package_dir['undertow'], 'undertow' in package.packages)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == [str(pathlib.Path("engine/undertow")), "True"]


def test_help_shows_every_function_by_its_own_name_and_types_by_name():
    for name in ut.__all__:
        value = getattr(ut, name)
        if inspect.isroutine(value):
            head = pydoc.plain(pydoc.render_doc(value)).split("\n")[2]
            assert head.startswith(f"{name}("), name
            assert not re.search(r"_array_like|jaxlib|(?<!<)engine\.|\bUnion\[numpy", head), name
