"""The tally is exact: any order, any blocks, any merging, the same bits."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.tail import tally as tallies
from engine.tail.histogram import BINS
from engine.tail.measures import worst_paths
from engine.tail.tally import (
    HEADROOM,
    LOSS_CAP,
    LOSS_ONE,
    MOST_PATHS,
    NO_PATH,
    SQUARE_ONE,
    SQUARED_LOSS_ONE,
    WEIGHT_CAP,
    WEIGHT_ONE,
    WORST,
    Layout,
    init,
    merge,
    update,
)
from engine.vocabulary import NOT_FINITE
from tests.tail.samples import SIZES, by_hand, identical, join, of_losses, outcome, take, tally_of

INT64_MAX = 2**63 - 1


@pytest.fixture(scope="module")
def paths():
    return outcome(seed=1, paths=300)


@pytest.fixture(scope="module")
def whole(paths):
    return tally_of(paths)


def test_every_sum_matches_loops_over_integers(paths, whole):
    for name, expected in vars(by_hand(paths)).items():
        np.testing.assert_array_equal(np.asarray(getattr(whole, name)), expected, err_msg=name)


def test_squared_losses_span_the_smallest_and_the_largest(paths, whole):
    weighted = np.asarray(paths.weight) * np.asarray(paths.losses)
    expected = np.sum(weighted.astype(np.float64) ** 2, axis=-1)
    coarse, fine = np.asarray(whole.squared_losses)
    got = coarse / SQUARED_LOSS_ONE[0] + fine / SQUARED_LOSS_ONE[1]
    # What is cut off is below one fine unit a path; the rest is float64 rounding of the sum of squares.
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=300 / SQUARED_LOSS_ONE[1])
    tiny = tally_of(of_losses(np.full((1, 10), 1e-4)))
    assert np.asarray(tiny.squared_losses)[1, 0, 0] / SQUARED_LOSS_ONE[1] == pytest.approx(1e-7, rel=1e-3)


@pytest.mark.parametrize("block", [1, 7, 100, 299])
def test_any_block_size_gives_the_same_bits(paths, whole, block):
    tally = init(**SIZES)
    for start in range(0, 3 * block if block < 100 else 300, block):
        tally = update(tally, take(paths, slice(start, start + block)))
    covered = 3 * block if block < 100 else 300
    assert identical(tally, whole if covered == 300 else tally_of(take(paths, slice(0, covered))))


def test_the_order_of_paths_does_not_show(paths, whole):
    assert identical(tally_of(take(paths, np.random.default_rng(2).permutation(300))), whole)


def test_merging_is_tallying_the_union_commutative_and_associative():
    batches = [outcome(seed, 80, first=1000 * seed) for seed in range(3)]
    a, b, c = map(tally_of, batches)
    assert identical(merge(a, b), tally_of(join(*batches[:2])))
    assert identical(merge(a, b), merge(b, a))
    assert identical(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert identical(merge(merge(a, b), c), tally_of(join(*batches)))
    assert identical(merge(a, init(**SIZES)), a)


def test_padding_counts_nowhere_whatever_it_holds(paths, whole):
    padding = outcome(seed=3, paths=50, first=10**6, weighted=False)
    zero, nan = jnp.zeros(50, jnp.float32), jnp.full_like(padding.losses, jnp.nan)
    padding = type(padding)(**{**vars(padding), "weight": zero, "losses": nan})
    assert identical(tally_of(join(padding, paths)), whole)


def test_worst_paths_come_by_loss_and_ties_by_id():
    loss = np.repeat([3.0, 9.0, 1.0, 9.0, 0.0], 40)
    ids = np.random.default_rng(4).permutation(200)
    paths = take(of_losses(loss[None]), ids)
    order = sorted(range(200), key=lambda j: (-loss[j], j))[:WORST]
    one = tally_of(paths)
    blocks = init(1, 1, 0, 0, 1, 0)
    for start in range(0, 200, 20):
        blocks = update(blocks, take(paths, slice(start, start + 20)))
    for tally in (one, blocks, merge(*(tally_of(take(paths, half)) for half in (slice(90), slice(90, 200))))):
        assert worst_paths(tally, 0)[0].tolist() == order
        assert worst_paths(tally, 0)[1].tolist() == loss[order].tolist()


def test_fewer_paths_than_the_list_holds_leave_it_short():
    tally = tally_of(of_losses(np.asarray([[1.0, 5.0, 0.0]]), np.asarray([1.0, 1.0, 0.0])))
    assert worst_paths(tally, 0)[0].tolist() == [1, 0]
    assert (np.asarray(tally.worst_path)[0, 2:] == NO_PATH).all()


def test_what_is_not_a_number_counts_as_the_largest_loss():
    tally = tally_of(of_losses(np.asarray([[np.nan, -np.nan, np.inf, 1e9, -np.inf, 1.0]])))
    weight, loss = np.asarray(tally.weights)[0, 0], np.asarray(tally.losses)[0, 0]
    assert weight[BINS - 1] == 4 * WEIGHT_ONE and loss[BINS - 1] == 4 * LOSS_CAP * LOSS_ONE
    assert weight[0] == WEIGHT_ONE and loss[0] == -LOSS_CAP * LOSS_ONE
    assert worst_paths(tally, 0)[0].tolist() == [0, 1, 2, 3, 5, 4]


def test_a_weight_that_is_not_a_number_is_loud():
    tally = tally_of(of_losses(np.asarray([[1.0, 1.0]]), np.asarray([np.inf, 1e5])))
    assert int(tally.max_weight) == WEIGHT_CAP * WEIGHT_ONE and int(tally.paths) == 2


def test_a_month_or_cause_outside_its_range_cannot_spill_into_another_entity(paths):
    far = jnp.full_like(paths.default_month, 99)
    tally = tally_of(type(paths)(**{**vars(paths), "default_month": far, "cause": -far}))
    assert (np.asarray(tally.defaults)[:, -1] == int(tally.weight)).all()
    assert (np.asarray(tally.causes)[:, 0] == int(tally.weight)).all()


def test_no_sum_can_overflow_within_the_stated_headroom():
    largest = int(LOSS_CAP)
    assert MOST_PATHS * SQUARE_ONE <= INT64_MAX and MOST_PATHS * 512 * LOSS_ONE <= INT64_MAX + 1
    assert HEADROOM * WEIGHT_ONE <= INT64_MAX
    assert HEADROOM * SQUARE_ONE <= INT64_MAX
    assert HEADROOM * largest * LOSS_ONE <= INT64_MAX + 1
    assert (HEADROOM - 1) * largest * LOSS_ONE <= INT64_MAX
    assert HEADROOM * largest**2 * SQUARED_LOSS_ONE[0] <= INT64_MAX
    assert HEADROOM * (SQUARED_LOSS_ONE[1] // SQUARED_LOSS_ONE[0]) <= INT64_MAX


def test_one_path_at_every_cap_still_fits():
    tally = tally_of(of_losses(np.asarray([[np.inf]]), np.asarray([np.inf])))
    weight, loss = int(WEIGHT_CAP), int(LOSS_CAP)
    assert np.asarray(tally.weights).max() == weight * WEIGHT_ONE
    assert np.asarray(tally.squares).max() == weight**2 * SQUARE_ONE
    assert np.asarray(tally.losses).max() == np.asarray(tally.conditional).max() == weight * loss * LOSS_ONE
    assert np.asarray(tally.squared_losses)[0].max() == (weight * loss) ** 2 * SQUARED_LOSS_ONE[0]


def test_updating_reuses_memory_and_compiles_once(paths):
    tally = update(jax.device_put(init(**SIZES)), paths)
    compiled, size = update._cache_size(), sum(x.nbytes for x in jax.tree.leaves(tally))
    for _ in range(3):
        before = tally
        address = before.conditional.unsafe_buffer_pointer()
        tally = update(before, paths)
        assert before.conditional.is_deleted()
        assert tally.conditional.unsafe_buffer_pointer() == address
    assert update._cache_size() == compiled
    assert sum(x.nbytes for x in jax.tree.leaves(tally)) == size
    assert int(tally.paths) == 4 * int(np.count_nonzero(paths.weight))


def test_a_scan_over_blocks_gives_the_same_bits(paths, whole):
    blocks = jax.tree.map(lambda x: jnp.moveaxis(x.reshape(*x.shape[:-1], 3, 100), -2, 0), paths)
    scanned, _ = jax.lax.scan(lambda tally, block: (update(tally, block), None), init(**SIZES), blocks)
    assert identical(scanned, whole)


def test_layout_names_the_axes_and_refuses_nonsense():
    names = dict(columns=("system", "bank"), components=(), entities=("a",), series=("revenue",))
    layout = Layout(horizons=(12, 36), months=60, **names)
    assert identical(layout.init(), init(2, 2, 0, 1, 60, 1))
    with pytest.raises(ValueError, match=r"increase within 1\.\.60 months, got \(36, 12\)"):
        Layout(horizons=(36, 12), months=60, **names)
    with pytest.raises(ValueError, match=r"columns must be distinct, got \['bank'\]"):
        Layout(horizons=(12,), months=60, **{**names, "columns": ("system", "bank", "bank")})
    with pytest.raises(ValueError, match="at least the system loss"):
        Layout(horizons=(12,), months=60, **{**names, "columns": ()})
    with pytest.raises(ValueError, match="at most 2147483647 cells"):
        tallies.init(3, 200_000, 0, 0, 1, 1)


def test_a_path_that_is_not_finite_is_counted_and_enters_no_sum():
    """With NaN for its losses the tally is that of the other paths, but for the flags."""
    paths = outcome(seed=5, paths=40, weighted=False)
    sound = np.arange(40) != 7
    flags = paths.flags.at[:].set(0).at[7].set(1 << NOT_FINITE)
    spoilt = dataclasses.replace(
        paths,
        flags=flags,
        losses=paths.losses.at[:, :, 7].set(np.nan),
        trace=paths.trace.at[:, :, 7].set(np.nan),
    )
    whole, rest = tally_of(spoilt), tally_of(take(dataclasses.replace(paths, flags=flags), sound))
    assert int(whole.flags[NOT_FINITE]) == int(whole.flagged) == 1 and int(rest.flagged) == 0
    same = dataclasses.replace(whole, flags=rest.flags, flagged=rest.flagged)
    assert identical(same, rest) and int(whole.paths) == 39
