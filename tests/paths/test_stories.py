"""Every story of conf/scenario moves losses the way it should, path by path on the same draws."""

import hydra
import pytest

from benchmarks.stories import CAPEX, NEED, halves
from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.paths.ledger import ledger
from engine.run.plan import Plan
from engine.tail.paired import change
from experiments import tasks
from experiments.config import schema
from experiments.config.read import read

PATHS, MONTHS = 256, 36
K = 3.0
"""Standard errors by which a mean change must differ from none."""

WORSE, BETTER = 1.0, -1.0
DIRECTIONS = {
    "plateau": ("baseline", WORSE),
    "bust": ("baseline", WORSE),
    "chip_glut": ("baseline", WORSE),
    "boom": ("baseline", BETTER),
    "openai_unfunded": ("baseline", WORSE),
    "power_limited_boom": ("baseline", BETTER),
    "dotcom_crash": ("bust", WORSE),
    "freeze_2008": ("baseline", WORSE),
    "backstop": ("freeze_2008", BETTER),
}
"""Direction of the expected loss against another story; docs/scenarios.md has the reasons."""


@pytest.fixture(scope="module")
def ledgers():
    """A ledger of the same paths by story; one compiled program runs them all."""
    book, plan = load_book(shipped_book()), Plan(paths=PATHS, block=PATHS, seed=7)
    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        parameters = {
            story: read(hydra.compose("config", overrides=[f"scenario={story}"]), tasks.every()).parameters
            for story in {"baseline", "refinancing_shut", *DIRECTIONS}
        }
    parameters |= halves(parameters)
    return {story: ledger(build_system(book, numbers, MONTHS), plan) for story, numbers in parameters.items()}


@pytest.mark.parametrize("story", DIRECTIONS)
def test_a_story_moves_the_expected_loss_as_it_should(ledgers, story):
    other, direction = DIRECTIONS[story]
    moved = change(ledgers[other].loss, ledgers[story].loss)
    assert direction * moved.value > K * moved.standard_error


def test_without_refinancing_less_is_owed(ledgers):
    """Losses fall too: what is never lent is never lost (docs/scenarios.md)."""
    debt = change(ledgers["baseline"].debt, ledgers["refinancing_shut"].debt)
    assert debt.value < -K * debt.standard_error


def test_a_market_closed_to_need_costs_lenders_of_todays_debt_and_one_closed_to_capex_spares_them(ledgers):
    for half, direction in ((NEED, WORSE), (CAPEX, BETTER)):
        today = [ledgers[story].loss - ledgers[story].new_money for story in ("baseline", half)]
        moved = change(*today)
        assert direction * moved.value > K * moved.standard_error, half
    less = {s: change(ledgers["baseline"].debt, ledgers[s].debt).value for s in ("refinancing_shut", NEED)}
    assert abs(less[NEED]) < 0.2 * abs(less["refinancing_shut"]), "capex is lent for as before"
