"""What is left of a loan or a debt counts by the size of the loan, in a small book as in a large one."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import remnants
from engine.month import collateral, credit, debt_service
from engine.month.contracts import ContractFlows


def test_a_remnant_is_a_twentieth_of_a_small_loan_and_ten_million_of_a_large_one(book, five_years):
    loans = book["loans"].head(4).assign(committed=[0.0, 0.008, 0.05, 7.0])
    np.testing.assert_allclose(remnants(loans), [0.01, 0.0004, 0.0025, 0.01], rtol=1e-12)
    np.testing.assert_array_equal(five_years.loans.remnant, np.float32(0.01))
    owing = np.bincount(five_years.loans.borrower, minlength=len(five_years.names.firms)) > 0
    np.testing.assert_array_equal(five_years.firms.remnant, np.where(owing, np.float32(0.01), 0.0))


@pytest.mark.parametrize(("remnant", "fails"), [(0.01, False), (0.0004, True)])
def test_a_firm_with_a_small_loan_can_be_insolvent(five_years, remnant, fails):
    """It owes 8 m against nothing, and the market is shut."""
    firms = five_years.firms
    count, loans = len(five_years.names.firms), five_years.loans.pledged.shape[0]
    system = eqx.tree_at(lambda s: s.firms.remnant, five_years, jnp.full(count, remnant, jnp.float32))
    none, debt = jnp.zeros(count, jnp.float32), jnp.full(count, 0.008, jnp.float32)
    bare = eqx.tree_at(lambda f: (f.cash, f.ebitda_ttm), debt_service.init(system), (none, none))
    insolvent = credit.insolvency(system, none, bare, none, jnp.zeros(loans, jnp.float32), debt)
    assert (np.asarray(insolvent) == (fails & (np.asarray(firms.asset_multiple) > 0.0))).all()


@pytest.mark.parametrize(("remnant", "tested"), [(0.01, False), (0.0004, True)])
def test_covenants_of_a_small_loan_are_tested(five_years, setting_of, remnant, tested):
    """Every loan against chips has 8 m left, no chips and no contract that pays: a DSCR of nothing."""
    count, gens = five_years.loans.pledged.shape
    system = eqx.tree_at(lambda s: s.loans.remnant, five_years, jnp.full(count, remnant, jnp.float32))
    none = jnp.zeros(count, jnp.float32)
    secured = collateral.Secured(none + 0.008, jnp.zeros((count, gens), jnp.float32), none, none, none)
    sizes = {"contracts": len(system.names.contracts), "firms": len(system.names.firms)}
    flows = ContractFlows(**{
        field.name: jnp.zeros([sizes[name] for name in field.type.dim_str.split()], jnp.float32)
        for field in dataclasses.fields(ContractFlows)
    })  # fmt: skip
    covered = collateral.coverage(system, secured, setting_of(1), flows, none + 0.001)
    assert (np.asarray(covered.dscr) == 0.0).all()
    assert (np.asarray(covered.tested) == tested).all() and (np.asarray(covered.weak) == tested).all()
