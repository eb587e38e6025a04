"""Every estimate is computed once and handed on."""

import collections
import sys

import pytest

from engine.results import far_tail
from engine.results.estimates import DEEP, LEVELS, Estimates
from engine.results.far_tail import RADII
from engine.results.systemic import BANDS
from engine.results.write import write_results
from engine.tail import intervals, measures


def replaced(monkeypatch, original, replacement) -> None:
    """The replacement wherever the engine has imported the original."""
    for module in [module for name, module in sys.modules.items() if name.startswith("engine.")]:
        for name, value in list(vars(module).items()):
            if value is original:
                monkeypatch.setattr(module, name, replacement)


@pytest.fixture
def counted(monkeypatch):
    """How often a column's losses and its tail at a level are read off the tally."""
    read, entered, columns = collections.Counter(), collections.Counter(), {}
    column_losses, tail = measures.column_losses, measures.tail

    def losses_of(tally, horizon, column=0, **options):
        losses = column_losses(tally, horizon, column, **options)
        columns[id(losses)] = (losses, horizon % tally.weights.shape[0], column)
        read[horizon % tally.weights.shape[0], column] += 1
        return losses

    def tail_of(losses, level):
        if id(losses) in columns:  # others are those of a group of paths
            entered[*columns[id(losses)][1:], level] += 1
        return tail(losses, level)

    replaced(monkeypatch, column_losses, losses_of)
    replaced(monkeypatch, tail, tail_of)
    return read, entered


def test_a_tail_is_entered_once_for_each_horizon_column_and_level(run, counted, tmp_path):
    read, entered = counted
    write_results(tmp_path, *run.arguments)
    horizons, columns = range(len(run.layout.horizons)), range(len(run.layout.columns))
    own = {(h, c, level) for h in horizons for c in columns for level in LEVELS.values()}
    deep = {(h, 0, level) for h in horizons for level in DEEP.values()}
    bands = {(horizons[-1], 0, level) for level in BANDS}  # of the system's loss, at the last horizon
    assert own | deep | bands <= set(entered) and set(entered.values()) == {1}
    worst = set(entered) - own - deep - bands  # the worst VaR in a ball is the VaR at another level
    assert {column for _, column, _ in worst} == {0} and len(worst) <= len(horizons) * 2 * len(RADII)
    assert {(h, c) for h in horizons for c in columns} == set(read)
    assert all(count == 1 for (_, column), count in read.items() if column)


def test_an_estimate_is_what_the_functions_of_the_tail_say(run):
    estimates = Estimates(run.tally)
    place = run.layout.columns.index("lender:ATH")
    losses, tail = measures.column_losses(run.tally, 1, place), estimates.columns[1][place].tails[0.99]
    assert tail.es.value == measures.expected_shortfall(losses, 0.99)
    assert tail.es.standard_error == intervals.es_error(losses, 0.99)
    assert tail.var == intervals.var_interval(losses, 0.99)
    assert tail.effective_paths == intervals.effective_beyond(losses, 0.99)
    assert tail.unresolved == intervals.resolved(losses, 0.99)


def test_importance_sampling_that_hardly_pays_is_a_warning():
    sampler = {"column": "system", "variance_reduction": {"es_99_9": 1.42}, "learning": {"paths": 8192}}
    [sentence] = far_tail.poor(sampler)
    assert sentence == "One path of importance sampling is worth 1.4 plain ones for ES 99.9%."
    elsewhere = {"learning": {"differences": ["config.chips.life: 6 there, 4 here"]}}
    [sentence] = far_tail.poor(sampler | elsewhere)
    assert sentence.endswith("It was learned for other numbers.")
    much, none = {"variance_reduction": {"es_99_9": 2.0}}, {"variance_reduction": {}}
    for fine in ({"column": "lender:ATH"}, much, none):
        assert far_tail.poor(sampler | fine) == []
    assert far_tail.poor({"name": "pseudo_random"} | none) == []
