"""What lenders earn and lose on their loans."""

import dataclasses
import types

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.learn.search.knobs import UnknownKnob, book_problems, current_value, knob_of, turn
from engine.paths.ledger import ledger
from engine.paths.returns import returns
from engine.run.plan import Plan

PLAN = Plan(paths=512, block=256, seed=3)
MARGIN = 0.05


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


def priced(book, margin):
    """System of one year in which every loan to a named firm floats at one margin, refinanced or not."""
    parameters = Parameters()
    parameters.credit.look_through_spread = 0.0
    loans = book["loans"].copy()
    loans["floating"], loans["coupon"], loans["refinancing_margin"] = 1, margin, margin
    loans["maturity_month"] = loans["maturity_month"].clip(lower=60)
    tables = dict(book.tables) | {"loans": loans}
    return build_system(dataclasses.replace(book, tables=types.MappingProxyType(tables)), parameters, 12)


def test_a_floating_loan_earns_its_margin_on_what_is_lent(book):
    found = returns(priced(book, MARGIN), PLAN)
    assert found.lent.sum() > 0.0
    np.testing.assert_allclose(found.income, MARGIN * found.lent, rtol=1e-4, atol=1e-6)


def test_losses_on_loans_are_part_of_the_system_s(book):
    system = build_system(book, Parameters(), 12)
    found, whole = returns(system, PLAN), ledger(system, PLAN)
    assert (found.loss >= 0.0).all() and found.loss.sum() > 0.0
    assert (found.loss.sum(axis=0) <= whole.loss * (1.0 + 1e-5) + 1e-5).all()


def test_advance_lends_more_against_the_same_chips(book):
    knob = knob_of("loans.CLOUD_GPU.advance", Parameters(), book)
    now = current_value(knob, Parameters(), book)
    _, more = turn({knob: 1.2 * now}, Parameters(), book)
    before, after = (each["loans"].set_index("loan").loc["CLOUD_GPU"] for each in (book, more))
    assert now == before["ltv_target"]
    for column in ("ltv_target", "drawn", "committed"):
        assert after[column] == pytest.approx(1.2 * before[column], rel=1e-12)
    systems = [build_system(each, Parameters(), 12) for each in (book, more)]
    before, after = (float(each.loans.collateral_scale[0]) for each in systems)
    assert before == pytest.approx(after, rel=1e-5)
    assert book_problems({knob: 1.2 * now}, more) == []


def test_a_number_of_the_model_is_turned_and_the_given_one_stays(book):
    given = Parameters()
    names = {"credit.contract_advance": 0.8, "contracts.renewal[2]": 0.1}
    other, _ = turn({knob_of(name, given, book): value for name, value in names.items()}, given, book)
    assert other.credit.contract_advance == 0.8 and other.contracts.renewal[2] == 0.1
    assert given == Parameters()


def test_a_cell_out_of_range_is_told(book):
    knob = knob_of("loans.CLOUD_GPU.coupon", Parameters(), book)
    _, wrong = turn({knob: 1.5}, Parameters(), book)
    [said] = book_problems({knob: 1.5}, wrong)
    assert said.startswith("loans.CLOUD_GPU.coupon: got 1.5")


@pytest.mark.parametrize(
    "name",
    ["credit.nothing", "contracts.renewal", "contracts.renewal[3]", "economy.start", "loans.NOBODY.coupon",
     "loans.CLOUD_GPU.name", "loans.CLOUD_NOTES.advance", "holdings.FUND.share"],
)  # fmt: skip
def test_unknown_knobs_are_refused(book, name):
    with pytest.raises(UnknownKnob):
        knob_of(name, Parameters(), book)


@pytest.mark.parametrize("floating", [0, 1])
def test_margin_is_over_the_short_rate_now_and_once_refinanced(book, floating):
    loans = book["loans"].assign(floating=floating)
    held = dataclasses.replace(book, tables=types.MappingProxyType(dict(book.tables) | {"loans": loans}))
    knob, parameters = knob_of("loans.CLOUD_GPU.margin", Parameters(), held), Parameters()
    _, other = turn({knob: MARGIN}, parameters, held)
    row = other["loans"].set_index("loan").loc["CLOUD_GPU"]
    base = 0.0 if floating else parameters.economy.rate
    assert row["coupon"] == pytest.approx(MARGIN + base, rel=1e-12)
    assert row["refinancing_margin"] == MARGIN
    assert current_value(knob, parameters, other) == pytest.approx(MARGIN, rel=1e-12)
