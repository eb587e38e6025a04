"""Tables of the band from an ensemble whose laws are known, and the sentence that they make."""

import numpy as np
import pytest

from engine.book.ranges import WHOLE
from engine.report.answers import answer
from engine.report.page import sections
from engine.report.sections.band import SOURCES, sure
from engine.report.terminal import blocks
from engine.results import band
from engine.results.band import BandMeasures, parameter_name
from engine.results.losses import labels_of
from engine.tail.measures import from_losses

SETS, BLOCKS = 48, 4
SDS = {"parameters": 6.0, "network": 2.0}
NAMES = (("chips", "life", WHOLE), ("economy", "growth", 2))
LEVEL, SHIFT = 100.0, 5.0
"""The statistic of the book's own parameters and holdings, and by how much the sets' mean is higher."""


def measures_of(run, rng):
    """(measures, draws) whose statistics are LEVEL + effects of what was drawn, alike for every column."""
    measures = BandMeasures(run.layout, BLOCKS)
    draws = rng.normal(0.0, 1.0, (SETS, 2))
    own = SHIFT + SDS["parameters"] * draws[:, 0]
    network = rng.normal(0.0, SDS["network"], SETS)
    effects = np.concatenate([[0.0], own, network, own + network])
    common = rng.normal(0.0, 3.0, BLOCKS)
    columns = len(measures.keys)
    for name in measures.levels:
        noise = rng.normal(0.0, 0.5, (len(effects), BLOCKS))
        table = LEVEL + effects[:, None] + common - common.mean() + noise
        measures.values[name] = list(np.repeat(table[:, :, None], columns, axis=2))
        measures.within[name] = [np.ones(columns)] * len(effects)
    losses = from_losses(rng.gamma(2.0, 20.0, 2048), self_normalised=False)
    measures.first = [losses] * columns
    return measures, draws


@pytest.fixture(scope="module")
def measured(run):
    """Tables of one such ensemble."""
    measures, draws = measures_of(run, np.random.default_rng(2))
    return measures.tables(labels_of(run.system, run.book), NAMES, draws), draws


@pytest.fixture(scope="module")
def with_band(results, measured):
    """The small run with that band."""
    tables, _ = measured
    asked = {"sets": SETS, "paths": 2048, "blocks": BLOCKS, "method": "fitness", "density": 0.3}
    summary = results.summary | {"band": asked | band.summary(tables)}
    return results._replace(tables=results.tables | tables, summary=summary)


def test_each_source_has_the_sd_of_its_law(measured):
    """Within four stated errors; simulation has the error of the mean of its 2,048 paths."""
    rows = measured[0]["band"].set_index(["measure", "column", "source"])
    truth = SDS | {"together": float(np.hypot(*SDS.values()))}
    for source, sd in truth.items():
        each = rows.loc[("es_99", "system", source)]
        assert abs(each["sd"] - sd) < 4.0 * each["sd_se"], source
    assert rows.loc[("el", "system", "simulation"), "sd"] == pytest.approx(20 * 2**0.5 / 2048**0.5, rel=0.1)
    interaction = rows.loc[("es_99", "system", "together")]
    assert abs(interaction["interaction"]) < 4.0 * interaction["interaction_se"]


def test_ranges_are_those_of_the_law_around_the_book_s_own_value(measured):
    """5% and 95% of a normal law; an order statistic of 48 has an error of 0.3 sd or less."""
    rows = measured[0]["band"].set_index(["measure", "column", "source"])
    own = rows.loc[("es_99", "system", "parameters")]
    assert own["base"] == pytest.approx(LEVEL, abs=4.0 * 0.5 / BLOCKS**0.5)
    assert abs(own["mean"] - SHIFT) < 4.0 * own["mean_se"]
    error = np.hypot(SDS["parameters"] / SETS**0.5, 0.5 / BLOCKS**0.5)
    assert own["mean_se"] == pytest.approx(error, rel=4.0 / (2.0 * (SETS - 1)) ** 0.5)
    for end, side in (("low", -1.645), ("high", 1.645)):
        truth = SHIFT + side * SDS["parameters"]
        assert abs(own[end] - truth) < 4.0 * 0.3 * SDS["parameters"]
        assert own[f"{end}_se"] > 0.0


def test_the_parameter_that_acts_leads_the_drivers(measured):
    tables, draws = measured
    drivers = tables["band_drivers"]
    assert drivers["parameter"].tolist() == ["chips.life", "economy.growth[2]"]
    size = SDS["parameters"] * draws[:, 0].std(ddof=1)
    assert abs(drivers["effect"].iloc[0] - size) < 4.0 * drivers["effect_se"].iloc[0]
    assert abs(drivers["effect"].iloc[1]) < 4.0 * drivers["effect_se"].iloc[1]


def test_too_few_sets_have_no_drivers(run):
    measures, draws = measures_of(run, np.random.default_rng(2))
    names = tuple(("economy", "growth", place) for place in range(SETS // 2))
    tables = measures.tables(labels_of(run.system, run.book), names, np.tile(draws, SETS // 4))
    assert "band_drivers" not in tables and len(tables["band_sets"]) == SETS * len(names)


def test_every_set_has_its_values(measured, run):
    values = measured[0]["band_values"]
    columns = values["column"].nunique()
    assert len(values) == len(band.LEVEL_OF) * columns * (1 + len(band.SOURCES) * SETS)
    assert {"system", "lenders:BANK", "bearer:TAXPAYERS"} <= set(values["column"])
    assert not values.duplicated(["set", "column", "measure", "source"]).any()


def test_the_sentence_says_each_source(with_band):
    text = sure(with_band)
    head = answer(with_band).headline
    assert head.startswith("ES 99% over 3 years is ") and "± " in head and "from 8,192 paths, -" in head
    for words in ("from parameters that history does not identify", "from who holds what", "from both."):
        assert words in head
    assert "chips.life matters most: one standard deviation more of it raises ES 99% by" in text
    assert [name for name, _ in sections(with_band)][0] == "How sure"


def test_the_table_has_a_row_for_each_source(with_band, results):
    """Simulation twice, at the main job's paths and at those of the sets; ± says what it leaves out, once."""
    first, *others = (block for block in blocks(with_band) if not isinstance(block, str))
    assert [cells[0].text for cells in first.rows] == [
        "Simulation, 8,192 paths", "Simulation, 2,048 paths", *list(SOURCES.values())[1:],
    ]  # fmt: skip
    system = results.system(results.last)
    assert first.rows[0][3].value == system["es_99_se"]
    alone = [block for block in blocks(results) if isinstance(block, str) and "task=band" in block]
    assert len(alone) == 1
    assert not [block for block in blocks(with_band) if isinstance(block, str) and "task=band" in block]


def test_a_source_without_effect_is_nothing(with_band):
    rows = with_band.tables["band"]
    still = rows["source"] == "network"
    flat = rows.assign(low=rows["low"].where(~still, 0.0), high=rows["high"].where(~still, 0.0))
    text = sure(with_band._replace(tables=with_band.tables | {"band": flat}))
    assert "nothing from who holds what" in text


def test_parameters_have_the_names_of_their_keys():
    assert [parameter_name(name) for name in NAMES] == ["chips.life", "economy.growth[2]"]
