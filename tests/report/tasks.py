"""What other tasks than the main job find, made for the small run by the functions that the tasks call."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pandas as pd

from engine.learn.calibration.hazards import COLUMNS as HAZARDS
from engine.learn.calibration.identification import Fit
from engine.learn.calibration.prediction import PREDICTIONS, RECOVERED
from engine.learn.reverse_stress.probability import Probabilities
from engine.learn.reverse_stress.regimes import regimes_of
from engine.learn.reverse_stress.reverse_stress import Answer, Unreachable
from engine.learn.reverse_stress.story import Story, firms_table, months_table, quarters_table, shown
from engine.learn.reverse_stress.trials import SHAPES, Scenario, Trials
from engine.learn.search.search import Aim
from engine.paths.ledger import Ledger
from engine.results import attribution, band, calibration, network_ensemble, policy, reverse_stress, search
from engine.results import backtest as backtests
from engine.results.losses import labels_of
from engine.tail.measures import Estimate
from engine.vocabulary import FACTORS, LEVERS
from tests.results.test_band import NAMES, measures_of
from tests.results.test_greeks import entry, table_of

BUST = 19
"""Month in which the boom of the scenario breaks."""


def ledger(run, scale):
    """The ledger of 2,000 paths, every amount times a scale."""
    rng = np.random.default_rng(1)
    loss = rng.gamma(2.0, 5.0, 2000)
    bearers = rng.dirichlet(np.ones(len(run.system.names.bearers)))[:, None] * loss
    cost = rng.uniform(0.0, 2.0, (len(LEVERS), len(loss)))
    parts = (loss, 0.4 * loss, bearers, 30.0 + loss, cost, 0.1 * cost)
    return Ledger(*(jnp.asarray(scale * part, jnp.float32) for part in parts))


def of_policy(run):
    """Two levers, alone and together."""
    names, titles = run.system.names.bearers, run.book.tables["bearers"]["name"].tolist()
    levers = {"base": (), "backstop": ("backstop",), "savers": ("savers",), "all": ("backstop", "savers")}
    rows, bearers, base = [], [], ledger(run, 1.0)
    for scale, (name, own) in zip((1.0, 0.8, 0.9, 0.7), levers.items(), strict=True):
        rows.append(policy.row(name, own, base, ledger(run, scale)))
        bearers += policy.bearer_rows(name, names, titles, base, ledger(run, scale))
    tables = policy.tables(rows, bearers)
    return tables, policy.summary(tables)


def of_attribution(run):
    """Two mechanisms, and all."""
    shares = {"base": 1.0, "fire_sale": 0.5, "orders": 0.9, "all": 0.4}
    rows = [attribution.row(name, ledger(run, 1.0), ledger(run, share)) for name, share in shares.items()]
    tables = attribution.tables(rows)
    return tables, attribution.summary(tables)


def of_greeks(run):
    """Three parameters, two of them checked, one moved over its range."""
    return {"greeks": table_of()[0].rows}, entry()


def of_band(run):
    """Sets whose laws are known."""
    measures, draws = measures_of(run, np.random.default_rng(2))
    tables = measures.tables(labels_of(run.system, run.book), NAMES, draws)
    return tables, {"sets": 48, "paths": 2048, "method": "fitness"} | band.summary(tables)


def of_network(run):
    """Eight networks of four blocks."""
    rng, columns = np.random.default_rng(3), len(run.layout.columns)
    measures = network_ensemble.NetworkMeasures(4)
    for name in measures.levels:
        measures.values[name] = list(rng.gamma(2.0, 5.0, columns) * rng.uniform(0.8, 1.2, (8, 4, columns)))
        measures.within[name] = list(rng.uniform(1.0, 9.0, (8, columns)))
    tables = measures.tables(run.layout, labels_of(run.system, run.book))
    asked = {"networks": 8, "paths_each": 4096, "method": "fitness"}
    return tables, asked | network_ensemble.network_summary(tables["network_split"])


class Still(Trials):
    """The months of a run without its paths."""

    def __init__(self, months):
        self.start, self.months, self.factors = 0, months, len(FACTORS)
        self.shapes = np.eye(months)[:, :SHAPES]


def of_reverse_stress(run):
    """Two scenarios, each told from four paths."""
    rng, months, names = np.random.default_rng(4), run.layout.months, run.system.names
    trials, answers, stories = Still(months), [], []
    series = {name: rng.uniform(1.0, 9.0, (months, 4)) for name in names.series}
    series["loss"] = np.cumsum(series["loss"], axis=0)
    defaults = np.zeros((len(names.firms), 4), int)
    defaults[:2] = BUST + 3
    seen = {
        "default_month": defaults,
        "cause": (defaults > 0) * 2,
        "breached": np.zeros((months // 3, 1, 4), bool),
    }
    for switches in (((BUST, 2),), ()):
        scenario = Scenario(regimes_of(0, switches, months), rng.standard_normal(trials.dims))
        answers.append(Answer(scenario, -3.0 - len(answers), 80.5, 1.2, 30.4, 0.45, 0.40))
        firms = firms_table(names.firms, np.array([0]), seen)
        quarters = quarters_table(scenario.regimes, firms, series, shown(names.benchmarks[0]))
        stories.append(Story(quarters, firms, months_table(series)))
    tables = reverse_stress.tables(trials, answers, stories)
    odds = Probabilities(Estimate(0.02, 0.002), Estimate(0.03, 0.003), np.array([0.1, 0.2, 0.7]))
    return tables, reverse_stress.summary(80.0, "system", "boom", tables, odds, Estimate(0.025, 0.001))


def out_of_reach(run):
    """A target that no scenario reaches."""
    error = Unreachable(1204.0, most=310.5, furthest=8.0)
    return {}, reverse_stress.out_of_reach(1204.0, "system", error, Estimate(0.0, 0.0))


NET, RATE, LOSS, KNOB = "returns:FUND.net", "returns:FUND.rate", "system.es_99", "loans.CLOUD_GPU.margin"


def of_search(run, minimise=()):
    """Six trials of one knob, the best again on fresh paths."""
    rng, aim = np.random.default_rng(6), Aim((NET,), minimise, {LOSS: (None, 60.0), RATE: (0.01, None)})
    table = pd.DataFrame({"trial": range(1, 7), f"knob {KNOB}": rng.uniform(0.02, 0.06, 6)})
    for name, size in ((NET, 2.0), (LOSS, 50.0), (RATE, 0.02)):
        table[name], table[f"{name}_se"] = size * rng.uniform(0.9, 1.1, 6), 0.01 * size
    table["feasible"] = table["trial"] > 1
    table["best"] = table["trial"].isin((3, 4))
    best = search.best_of(table, aim)
    fresh = {name: Estimate(float(table[name].mean()), 0.1) for name in aim.results}
    now, ranges = {KNOB: 0.03}, {KNOB: (0.02, 0.06)}
    entry = search.summary(table, aim, ranges, 1024, best, [fresh], now, fresh)["search"]
    return {"search": search.with_fresh_results(table, best, [fresh])}, entry


def of_two_aims(run):
    """The same of two aims."""
    return of_search(run, (LOSS,))


def of_calibration(run):
    """A history of two series, one quote, and what both change in the losses."""
    fits = [
        Fit(f"economy.growth[{place}]", 0.3, 0.4, 0.1, 0.2, 0.6, place == 0, "a fit", 9) for place in (0, 1)
    ]
    series = pd.DataFrame({
        "part": ["revenue", "revenue", "rents", "rents"], "entity": ["AI", "AI", "H100", "H100"],
        "label": ["AI 2024", "AI 2025", "H100 2024", "H100 2025"], "middle": [-1.5, -0.5, -1.5, -0.5],
        "value": [40.0, 60.0, 3.0, 2.0], "used": True, "trend": [41.0, 59.0, 3.1, 2.1],
    })  # fmt: skip
    ahead = series.iloc[[1, 3]][["part", "entity", "label"]].to_dict("records")
    foreseen = dict.fromkeys(PREDICTIONS, 50.0) | {"inside": True}
    effects = {"base": 1.0, "economy": 1.1, "chips": 0.9, "both": 1.05, "all": 1.2}
    quote = {"firm": "CRWV", "basis": "CDS", "verdict": "met", "used": True, "years": 3.0}
    tables = {
        "calibration": pd.DataFrame(map(dataclasses.asdict, fits)),
        "calibration_series": series,
        "calibration_predictions": pd.DataFrame([foreseen | row for row in ahead]),
        "calibration_recovery": pd.DataFrame(columns=RECOVERED),
        "calibration_rebounds": pd.DataFrame({"rise": [True, False], "probability": [0.5, 0.4]}),
        "calibration_hazards": pd.DataFrame([dict.fromkeys(HAZARDS, 0.02) | quote]),
        "calibration_effect": pd.DataFrame([
            calibration.effect_row(name, ledger(run, 1.0), ledger(run, scale))
            for name, scale in effects.items()
        ]),
    }  # fmt: skip
    return tables, calibration.summary(tables, [])


def of_backtest(run):
    """Twelve forecasts of AI revenue, which are the sector's."""
    value = np.random.default_rng(7).uniform(50.0, 90.0, 12)
    rows = pd.DataFrame({
        "kind": "revenue", "quantity": "revenue", "level": "AI_REVENUE", "series": "AI_REVENUE",
        "known": "AI_REVENUE 2024", "target": "AI_REVENUE 2025", "quarter": -3, "months": 6.0,
        "value": value, "observed": 1.1 * value, "low": 0.8 * value, "median": value, "high": 1.3 * value,
        "width": 0.5, "pit": 0.6, "hit": True, "origins": [(-9,)] * 12,
    })  # fmt: skip
    return backtests.tables(rows, {"capex": "none"}, run.book.about, 7), {"target": list(backtests.TARGET)}


TASKS = {
    "policy": of_policy,
    "attribution": of_attribution,
    "greeks": of_greeks,
    "band": of_band,
    "network": of_network,
    "reverse_stress": of_reverse_stress,
    "reverse_stress, out of reach": out_of_reach,
    "search": of_search,
    "search, two aims": of_two_aims,
    "calibration": of_calibration,
    "backtest": of_backtest,
}
"""Tables and the entry of the summary by the entry's name, and what is particular."""


def with_task(results, run, name):
    """The small run with the tables and the entry of a task, and the entry's name."""
    tables, own = TASKS[name](run)
    key = name.partition(",")[0]
    return results._replace(tables=results.tables | tables, summary=results.summary | {key: own}), key
