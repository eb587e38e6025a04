"""Parts of a focus add up to its loss on every path, and its loss is the run's."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.links import dense, links
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.paths.attribution import losses_of
from engine.paths.focus import focus_of
from engine.paths.path import column_names
from engine.paths.returns import returns
from engine.run.plan import Plan

PLAN = Plan(paths=512, block=256, seed=7)
ROUNDING = 1e-6
"""USD bn of float32 sums of a few hundred losses of up to 4 bn."""


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 24)


@pytest.fixture(scope="module")
def columns(system):
    """Every loss column of the run by name [paths]."""
    return dict(zip(column_names(system), returns(system, PLAN).losses, strict=True))


@pytest.fixture(scope="module", params=["lender:PENSION", "bearer:SAVERS"])
def view(system, request):
    """An owner of a fund and a group of bearers, with their paths."""
    kind, _, name = request.param.partition(":")
    return request.param, losses_of(system, focus_of(system, kind, name), PLAN)


def test_a_focus_is_a_column_of_the_run_and_the_sum_of_its_parts(view, columns):
    """By month and, through the funds that stand between, by instrument; chips are a part of it."""
    column, losses = view
    assert losses.total.max() > 0.1
    np.testing.assert_allclose(losses.total, columns[column], atol=ROUNDING)
    parts = np.asarray(losses.parts, np.float64)
    np.testing.assert_allclose(parts.sum(axis=0), losses.total, atol=10 * ROUNDING)
    assert (np.asarray(losses.chips) >= 0.0).all()
    assert (np.asarray(losses.chips).sum(axis=0) <= np.maximum(losses.total, 0.0) + ROUNDING).all()


def test_holdings_as_entries_are_the_holdings(system, columns):
    """Every loss of a path, and its parts, but for rounding."""
    own = eqx.tree_at(lambda s: s.lenders.holdings, system, links(dense(system.lenders.holdings)))
    losses = losses_of(own, focus_of(own, "lender", "PENSION"), PLAN)
    np.testing.assert_allclose(losses.total, columns["lender:PENSION"], atol=ROUNDING)
    parts = np.asarray(losses.parts, np.float64)
    np.testing.assert_allclose(parts.sum(axis=0), losses.total, atol=10 * ROUNDING)


def test_loans_carry_loss_balance_and_cause_of_one_default(view):
    """What is lost was outstanding before, and nobody loses without a default."""
    _, losses = view
    fallen = np.asarray(losses.default_month) > 0
    assert fallen.any() and ((np.asarray(losses.cause) > 0) == fallen).all()
    assert (np.asarray(losses.loss)[~fallen] == 0.0).all()
    assert (np.asarray(losses.loss) <= np.asarray(losses.at_default) * (1.0 + 1e-5) + ROUNDING).all()


def test_rows_of_a_focus_are_those_whose_losses_reach_it(system):
    """A bank with a claim on the fund looks through it, the fund itself has nothing to look through."""
    names = system.names.lenders
    bank, fund = focus_of(system, "lender", "BANK"), focus_of(system, "lender", "FUND")
    assert [names[row] for row in bank.rows] == ["FUND", "BANK"] and bank.through_funds
    assert [names[row] for row in fund.rows] == ["FUND"] and not fund.through_funds
    cloud = focus_of(system, "borrower", "CLOUD")
    owed = [system.names.loans[loan] for loan in cloud.loans]
    assert sorted(owed) == ["CLOUD_GPU", "CLOUD_NEW", "CLOUD_NOTES"] and cloud.rows == ()
    assert dataclasses.replace(cloud, sheets=()).loans == cloud.loans
    with pytest.raises(ValueError):
        focus_of(system, "lender", "NOBODY")
