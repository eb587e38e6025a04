"""Many networks in one run: one of them is the plain run, all share paths, and one function serves them."""

import equinox as eqx
import jax
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.links import dense, links
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.book.ranges import with_values
from engine.paths import ensemble, simulate
from engine.paths.ensemble import alike, simulate_ensemble
from engine.run.plan import Hooks, Plan

PLAN = Plan(2048, 8192, 7)
BLOCKS = (simulate.PSEUDO_RANDOM,) * 2


@pytest.fixture(scope="module")
def turned(year):
    """The same book with every holding moved to the next lender."""
    return eqx.tree_at(
        lambda s: s.lenders.holdings, year, np.roll(np.asarray(year.lenders.holdings), 1, axis=0)
    )


def test_members_with_other_holdings_store_them_whole(year, turned):
    few = [
        eqx.tree_at(lambda s: s.lenders.holdings, system, links(dense(system.lenders.holdings)))
        for system in (year, turned)
    ]
    assert alike([year, turned])[1] is turned and alike(few[:1])[0] is few[0]
    for each, whole in zip(alike(few), (year, turned), strict=True):
        np.testing.assert_array_equal(each.lenders.holdings, whole.lenders.holdings)


@pytest.fixture(scope="module")
def both(year, turned):
    """A run of both networks: its tally, those of the blocks, and how often a path's outcome was traced."""
    traced, each = [], []

    def counted(*arguments):
        traced.append(1)
        return member_outcome(*arguments)

    member_outcome = ensemble.member_outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "member_outcome", counted)
        tally, timing = simulate_ensemble([year, turned], PLAN, BLOCKS, Hooks(replication=each.append))
    return tally, each, len(traced), timing


def same(first, second) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    )


def test_one_network_is_the_plain_run_to_the_bit(year):
    plain, _ = simulate.simulate(year, PLAN)
    for samplers in (BLOCKS[:1], BLOCKS):
        assert same(simulate_ensemble([year], PLAN, samplers)[0], plain)


@pytest.mark.whole
def test_devices_do_not_show(both, year, turned):
    """One device or two: the same bits of every member."""
    alone = simulate_ensemble([year, turned], PLAN, BLOCKS, devices=jax.devices()[:1])[0]
    assert len(jax.devices()) == 2 and same(alone, both[0])


def test_a_set_of_other_parameters_is_the_run_of_its_own_system(year):
    """A member with its own law of the regime and ageing of chips, beside the book's own."""
    book, own = load_book(shipped_book("ai_credit_2025")), Parameters()
    values = {("economy", "leave_boom", 1): 0.12, ("chips", "life", -1): 4.0}
    other = build_system(book, with_values(own, values), 12)
    each = []
    simulate_ensemble([year, other], PLAN, BLOCKS[:1], Hooks(replication=each.append))
    for tally, system in zip(each, (year, other), strict=True):
        plain, _ = simulate.simulate(system, PLAN)
        assert np.array_equal(tally.losses, plain.losses) and np.array_equal(tally.fans, plain.fans)
    assert not np.array_equal(each[0].losses, each[1].losses)


def test_one_function_serves_all_networks(both):
    assert both[2] == 1


def test_every_block_of_every_network_is_told(both):
    tally, each, _, timing = both
    assert [int(block.paths) for block in each] == [1024] * 4
    assert int(tally.paths) == timing.paths == 4096
    assert int(tally.worst_path.max()) < 4096


def test_networks_share_the_economy_of_their_paths(both, year):
    """Rates and regimes are the same; what each lender loses is not, nor what that does to revenue."""
    _, each, _, _ = both
    shared = [year.names.series.index(name) for name in ("rate", "regime")]
    for block in range(2):
        one, two = each[block], each[2 + block]
        assert np.array_equal(one.fans[:, shared], two.fans[:, shared])
        assert not np.array_equal(one.losses, two.losses)


def test_a_second_network_is_the_run_of_its_own_system(both, turned):
    plain, _ = simulate.simulate(turned, PLAN)
    found = both[1][2].weights + both[1][3].weights
    assert np.array_equal(found, plain.weights)


def test_paths_that_cannot_be_cut_evenly_are_refused(year):
    with pytest.raises(ValueError, match="paths: got 2048, expected a multiple of 3 blocks"):
        simulate_ensemble([year], PLAN, (simulate.PSEUDO_RANDOM,) * 3)
