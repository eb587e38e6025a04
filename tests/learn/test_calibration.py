"""Calibration: known parameters come back from simulated histories; the shipped groups are what is found."""

import dataclasses
import math
import pathlib
import types

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from engine.book.load import load_book, shipped_book
from engine.book.parameters import Chips, Economy, Parameters
from engine.learn.calibration import observations as observed
from engine.learn.calibration import panel as panels
from engine.learn.calibration import rents, revenue
from engine.learn.calibration.calibration import Inputs, apply_fits, calibrate, doubts
from engine.learn.calibration.groups import group_text
from engine.learn.calibration.identification import freedom, width
from engine.learn.calibration.observations import Observations
from engine.learn.calibration.prediction import predictions, refit
from experiments.tasks.calibrate import Options as Calibrate

CONF = pathlib.Path(__file__).resolve().parents[2] / "conf"
HISTORIES = 200
MADE = "Made by `undertow task=calibrate` from the book ai_credit_2025."
GROWTH, SIGMA, TAU, ERROR = 1.0, 0.3, 0.5, 0.05


YEARS = 8


def true_histories(seed=3):
    """Flows of a sector and run-rates of two labs, eight years of days [histories rows]."""
    rng, step = np.random.default_rng(seed), 1.0 / 360.0
    shape = (HISTORIES, YEARS * 360)
    sector = np.cumsum((GROWTH - 0.5 * SIGMA**2) * step + SIGMA * step**0.5 * rng.normal(size=shape), axis=1)
    rows, values = [], []
    for name in ("S", "A", "B"):
        own = 0.0 if name == "S" else np.cumsum(TAU * step**0.5 * rng.normal(size=shape), axis=1)
        by_year = np.exp(sector + own).reshape(HISTORIES, YEARS, 360)
        for year in range(YEARS):
            rows.append(
                (year + 1.0, float(year) if name == "S" else year + 1.0 - step, name, f"{name} {year}")
            )
            values.append(by_year[:, year].mean(axis=1) if name == "S" else by_year[:, year, -1])
    noise = np.exp(ERROR * rng.normal(size=(HISTORIES, len(rows))))
    end, start, entity, label = zip(*rows, strict=True)
    return Observations(entity, label, np.array(start), np.array(end), np.ones(len(rows))), np.array(
        values
    ).T * noise


def covered(data, estimate, error, truth):
    """Share of 95% bands, as `identify` makes them, that hold the truth."""
    half = width(freedom(data.design), free_scale=True)
    return float(np.mean(np.abs(np.asarray(estimate) - truth) <= half * np.asarray(error)))


ENOUGH = 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / HISTORIES)
"""Coverage four of its standard errors below 95%."""


def test_growth_and_volatilities_come_back_from_simulated_histories():
    seen, values = true_histories()
    slope = GROWTH - 0.5 * SIGMA**2
    data = revenue.revenue_panel(seen, "S", ERROR, slope)
    logs = np.log(values) - revenue.averaging(seen, slope)
    truth = jnp.array([SIGMA, TAU])
    found = refit(data, logs, truth)
    b, error = found.coefficients[:, -1], np.sqrt(found.covariance[:, -1, -1])
    assert b.mean() == pytest.approx(slope, abs=4.0 * b.std() / HISTORIES**0.5)
    assert np.mean(error**2) == pytest.approx(b.var(), rel=4.0 * (2.0 / HISTORIES) ** 0.5)
    assert covered(data, b, error, slope) > ENOUGH
    for place, scale in enumerate((SIGMA, TAU)):
        estimates = found.scales[:, place]
        assert np.median(estimates) == pytest.approx(scale, abs=5.0 * estimates.std() / HISTORIES**0.5)
    # The joint 95% likelihood region of both scales: chi-square with two degrees of freedom.
    assert np.mean(found.drop <= 0.5 * 5.991) > ENOUGH
    assert np.max(found.slope) < 1e-2


def test_ageing_and_release_effect_come_back_from_simulated_rents():
    """Four generations quoted once a year over eight years, three releases between them."""
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {"generation": ["G1", "G2", "G3", "G4"], "release_month": [-96.0, -75.0, -48.0, -20.0]}
    )
    gains = {"G2": 2.0, "G3": 1.5, "G4": 2.5}
    rows = [
        (end, end - 0.25, name, f"{name} {end}")
        for name, release in zip(table["generation"], table["release_month"], strict=True)
        for end in np.arange(math.ceil(release / 3.0) / 4.0 + 0.25, 0.01, 1.0)
    ]
    end, start, entity, label = zip(*sorted(rows), strict=True)
    seen = Observations(entity, label, np.array(start), np.array(end), np.ones(len(end)))
    pace, gained = rents.pace_of(seen, table, gains), rents.newer_gain(seen, table, gains)
    data = rents.rent_panel(seen, gained, pace, 0.03)
    ageing, effect, scales = 0.15, 0.3, jnp.array([0.04, 0.06])
    root = np.linalg.cholesky(np.asarray(panels.covariance_of(data, scales)))
    level = rng.normal(size=len(end))[np.array([entity.index(name) for name in entity])]
    logs = level - ageing * seen.middle - effect * gained + rng.normal(size=(HISTORIES, len(end))) @ root.T
    found = refit(data, logs, scales)
    for column, truth in ((-2, ageing + pace * effect), (-1, effect)):
        b, error = found.coefficients[:, column], np.sqrt(found.covariance[:, column, column])
        assert b.mean() == pytest.approx(truth, abs=4.0 * b.std() / HISTORIES**0.5)
        assert covered(data, b, error, truth) > ENOUGH
    assert np.mean(found.drop <= 0.5 * 5.991) > ENOUGH


def inputs(histories=0):
    """Those of the configuration as shipped."""
    wanted = Calibrate()
    return Inputs(
        wanted.sector, tuple(wanted.labs), wanted.boom_since, wanted.revenue_error, wanted.rent_error,
        wanted.gains, histories, 7,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shipped():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.fixture(scope="module")
def found(shipped):
    """The calibration to the shipped book."""
    return calibrate(shipped, Parameters(), inputs())


@pytest.mark.parametrize("group", ["economy", "chips"])
def test_the_shipped_groups_are_what_the_shipped_book_gives(found, group):
    kept = (CONF / group / "calibrated_2025q4.yaml").read_text(encoding="utf-8")
    assert kept == group_text(group, Parameters(), found.fits, MADE)


def test_what_the_shipped_history_tells_and_what_it_does_not(found):
    fits = {fit.parameter: fit for fit in found.fits}
    known = {name for name, fit in fits.items() if fit.identified}
    assert {"economy.growth[0]", "chips.ageing"} <= known
    assert not known & {"economy.volatility", "economy.growth[2]", "economy.ceiling", "chips.impact"}
    years = 37.0 / 12.0
    assert fits["economy.leave_boom (sum)"].high == pytest.approx(-math.log(0.05) / years, rel=1e-9)
    moved = apply_fits(Parameters(), found.fits)
    assert moved.economy.growth[1:] == Economy().growth[1:]
    assert moved.chips.release_effect == Chips().release_effect
    assert doubts(found) == []


def test_predictions_use_the_past_only(found):
    """A later value changes no earlier prediction."""
    part = found.rents
    last = int(np.argmax(part.sample.end))
    y = part.identification.data.y.at[last].add(5.0)
    changed = dataclasses.replace(part.identification, data=panels.with_values(part.identification.data, y))
    before, after = predictions(part.sample, part.identification), predictions(part.sample, changed)
    earlier = before["end"] < part.sample.end[last]
    assert earlier.any()
    assert before["p50"][earlier].to_numpy() == pytest.approx(after["p50"][earlier].to_numpy(), rel=1e-9)


def test_rows_that_were_interpolated_or_judged_are_not_observations(shipped):
    kept = observed.informative(shipped["history"])
    assert not kept["source"].str.contains("interpolated|judgement|mid of").any()
    assert {"RENT_H100", "OPENAI_RUN_RATE", "AI_REVENUE"} <= set(kept["series"])
    assert 20 not in set(kept.loc[kept["series"] == "AI_REVENUE", "value"])


def test_a_run_rate_is_that_of_its_last_day_and_a_flow_that_of_its_span(shipped):
    about = shipped.about
    assert observed.span(about, "2025-12", instant=True)[1] == pytest.approx(0.0)
    start, end = observed.span(about, "2025-12", instant=True)
    assert end - start == pytest.approx(1.0 / 365.0)
    assert observed.span(about, "2024") == (-2.0, -1.0)


def test_a_history_without_observations_is_said_to_be_of_no_use(shipped):
    tables = types.MappingProxyType({**shipped.tables, "history": shipped["history"].iloc[:0]})
    empty = calibrate(dataclasses.replace(shipped, tables=tables), Parameters(), inputs(histories=5))
    assert not any(fit.identified for fit in empty.fits)
    assert apply_fits(Parameters(), empty.fits) == Parameters()
    assert doubts(empty) == ["calibration: the book's history identifies no parameter"]
    assert "{}" in group_text("economy", Parameters(), empty.fits, MADE)


def test_a_break_that_no_band_held_makes_the_fit_doubtful(found):
    rows = pd.DataFrame({"part": ["rents"] * 9, "inside": [True] * 5 + [False] * 4})
    worse = dataclasses.replace(found, predictions=rows)
    assert doubts(worse) == [
        "calibration: bad fit of rents: 5 of 9 observations lie inside the 95% bands predicted from earlier "
        "ones"
    ]
