"""A replayed path is that of the run to the bit; its log has every loss, and what happened by hand."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.month.step import init
from engine.paths.history import History, histories, lived, nearest_path
from engine.paths.replay import replay_months
from engine.results.replay.event import crossings, episodes, names_of
from engine.results.replay.events import COLUMNS, events_of, events_table
from engine.results.replay.replay import paths_table, replay_paths
from engine.results.replay.trajectories import trajectory_table
from engine.run.plan import Plan
from engine.vocabulary import FORECLOSURE, LIQUIDITY
from tests.small_run import MONTHS, PATHS, SEED

PLAN = Plan(PATHS, 8192, SEED)
COLUMNS_OF = {
    "class_loss": "class", "lender_class_loss": "lenders", "lender_loss": "lender", "bearer_loss": "bearer",
}  # fmt: skip
"""Kind of the run's loss columns that a quantity repeats."""
CHUNKS_APART = [8191, 0, 300]
"""Ids of three chunks, out of order."""


@pytest.fixture(scope="module")
def worst(run):
    """Ids of the three worst paths, worst first, then some of other chunks."""
    return [*np.argsort(-run.outcome.losses[-1, 0], kind="stable")[:3].tolist(), *CHUNKS_APART]


@pytest.fixture(scope="module")
def told(run, worst):
    """Their histories."""
    return histories(run.system, PLAN, worst)


def test_a_chunk_lives_a_year_at_a_time(run):
    """The whole of a large book would fill the memory."""
    [(chunk, years)] = lived(run.system, SEED, [5, 2], PSEUDO_RANDOM)
    assert chunk.tolist()[:4] == [5, 2, 5, 2]
    lengths = [{leaf.shape[0] for leaf in jax.tree.leaves(year)} for year in years]
    assert lengths == [{12}] * (MONTHS // 12)


def test_a_replayed_path_is_that_of_the_run_to_the_bit(run, told, worst):
    """Loss, every monthly series, defaults, causes, failures and instruments: equal numbers, not near ones.

    The run had chunks of 256 ids in order, the replay one of a few ids of several chunks.
    """
    outcome, series = run.outcome, run.system.names.series
    for history, path in zip(told, worst, strict=True):
        state, info = history.state, history.info
        loss = state.legacy_loss + state.new_money_loss
        assert history.path == path
        assert [loss[month - 1] for month in (12, 36)] == outcome.losses[:, 0, path].tolist()
        assert np.array_equal(loss, outcome.trace[:, series.index("loss"), path])
        assert np.array_equal(state.lenders.loss[[11, 35]], outcome.components[..., path])
        for name, values in {
            "revenue": info.economy.revenue, "spread": info.economy.spread, "supply": state.supply,
            "exposure": info.exposure, "utilisation": info.chips.utilisation,
            "price_h100": info.collateral.price[:, history.system.names.generations.index("H100")],
        }.items():  # fmt: skip
            assert np.array_equal(values, outcome.trace[:, series.index(name), path]), name
        assert np.array_equal(state.credit.default_month[-1], outcome.default_month[:, path])
        assert np.array_equal(state.credit.cause[-1], outcome.cause[:, path])
        failed = np.concatenate([state.lenders.failed[-1], state.lenders.failed_alone[-1]])
        assert np.array_equal(failed, outcome.failure_month[:, path])


def test_a_path_does_not_depend_on_its_company(run, told, worst):
    alone = histories(run.system, PLAN, worst[:1])[0]
    among = jax.tree.leaves((told[0].state, told[0].info))
    leaves = jax.tree.leaves((alone.state, alone.info))
    assert all(np.array_equal(one, other) for one, other in zip(leaves, among, strict=True))


def test_the_losses_of_the_events_are_those_of_the_path(run, told):
    """Each instrument's monthly loss is in one event: only the order of float32 sums differs."""
    names = names_of(run.book)
    for history in told:
        events = events_of(history, names)
        loss = float(history.state.legacy_loss[-1] + history.state.new_money_loss[-1])
        assert sum(event.loss for event in events) == pytest.approx(loss, rel=MONTHS * 2.0**-23)
        assert all(event.loss >= 0.0 and 1 <= event.month <= MONTHS for event in events)
        defaults = [event for event in events if event.event == "default"]
        assert len(defaults) == (history.state.credit.default_month[-1] > 0).sum()


def test_trajectories_carry_what_the_run_reports(run, told, worst):
    """The loss columns of the run, by name, at the end of the path."""
    table, columns = trajectory_table(told), run.layout.columns
    end = table[table["month"] == MONTHS]
    for path in worst:
        own = end[end["path"] == path]
        for what, prefix in COLUMNS_OF.items():
            rows = own[own["what"] == what]
            told_of = {f"{prefix}:{who}": loss for who, loss in zip(rows["who"], rows["value"], strict=True)}
            whole = {
                name: float(run.outcome.losses[-1, place, path])
                for place, name in enumerate(columns)
                if name.startswith(f"{prefix}:")
            }
            assert {name for name, loss in whole.items() if loss != 0.0} <= told_of.keys()
            # Sums over instruments in another order.
            assert told_of == pytest.approx({name: whole[name] for name in told_of}, rel=1e-5, abs=1e-5)
    assert set(table["unit"]) >= {"USD bn", "share", "thousand USD", "USD an hour", "ratio"}
    assert not table["value"].isna().any()


def test_the_nearest_path_is_the_nearest(run):
    """By losses by class of all paths of the run, in float64."""
    places = [place for place, name in enumerate(run.layout.columns) if name.startswith("class:")]
    losses = run.outcome.losses[-1, places].astype(np.float64)
    target = losses[:, np.argsort(-run.outcome.losses[-1, 0])[:82]].mean(axis=1)
    distance = np.sqrt(((losses[:, :1024] - target[:, None]) ** 2).sum(axis=0))
    path, apart = nearest_path(run.system, PLAN, target, MONTHS, 1024)
    assert path == int(distance.argmin())
    # Sums of a class over its instruments in another order.
    assert apart == pytest.approx(float(distance.min()), rel=1e-5)


@pytest.mark.parametrize("path", [-1, PATHS, 1.5])
def test_a_path_that_the_run_does_not_have_is_refused(run, path):
    with pytest.raises(ValueError, match="path: got"):
        histories(run.system, PLAN, [path])


def test_a_replay_of_the_library_has_three_tables(run, told, worst):
    replay = replay_paths(run.system, run.book, PLAN, worst[:2])
    assert list(replay.events.columns) == COLUMNS
    assert replay.paths["path"].tolist() == worst[:2]
    assert replay.paths["loss_3y"].tolist() == run.outcome.losses[-1, 0, worst[:2]].tolist()
    recorded = paths_table(told)[["path"]].assign(horizon="3y", loss=replay.paths["loss_3y"]).dropna()
    assert replay.compared(recorded) == {"compared": 2, "different": []}
    recorded["loss"] += 1.0
    assert len(replay.compared(recorded)["different"]) == 2


@pytest.fixture(scope="module")
def book():
    """The worked book of the template."""
    return load_book(shipped_book("worked_small"))


@pytest.fixture(scope="module")
def year(book):
    """Its System over a year, and the shapes of what a path reports."""
    system, path = build_system(book, Parameters(), 12), jax.ShapeDtypeStruct((), jnp.int64)
    return system, jax.eval_shape(replay_months, system, PSEUDO_RANDOM, seed_words(7), path)[1]


@pytest.fixture
def quiet(year):
    """A path of a year on which nothing happens: the state of month 0 in every month."""
    system, shapes = year
    start = jax.tree.map(np.array, init(system))
    state = jax.tree.map(lambda leaf: np.repeat(leaf[None], 12, axis=0), start)
    info = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
    info.economy.regime[:, 0] = 1.0
    info.contracts.quality[:] = 1.0
    info.plants.rent[:] = 1.0
    return History(3, system, start, state, info)


def log(history, book):
    """(month, who, event) of every event."""
    return [(event.month, event.who, event.event) for event in events_of(history, names_of(book))]


def test_nothing_happens_on_a_quiet_path(quiet, book):
    assert log(quiet, book) == []
    assert events_table([quiet], names_of(book)).empty


def test_a_hand_made_path_is_told(quiet, book):
    """Plateau in month 2, a waiver and a call, foreclosure and default in month 6, the fund fails in 7."""
    names, state, info = quiet.system.names, quiet.state, quiet.info
    cloud, gpu = names.firms.index("CLOUD"), names.loans.index("CLOUD_GPU")
    info.economy.regime[1:] = [0.0, 1.0, 0.0]
    info.economy.revenue[1] = 40.0
    info.collateral.ltv[[2, 4, 5], gpu] = [1.2, 1.5, 1.6]
    info.collateral.dscr[:, gpu] = 1.5
    state.collateral.waived_until[2:, gpu] = 4.0
    info.collateral.seized[5, gpu] = 0.8
    own = np.asarray(quiet.system.loans.borrower) == cloud
    info.loss[5, : len(names.loans)] = 0.5 * own
    state.legacy_loss[5:] = 0.5 * own.sum()
    state.credit.default_month[5:, cloud], state.credit.cause[5:, cloud] = 6, FORECLOSURE
    state.lenders.failed[6:, names.lenders.index("FUND")] = 7
    state.lenders.gross[6:, names.lenders.index("FUND")] = 1.25
    state.supply[8:] = 0.4
    assert log(quiet, book) == [
        (2, "revenue", "regime"), (3, "CLOUD", "covenant breach waived"), (5, "CLOUD", "loan called"),
        (6, "CLOUD", "foreclosure"), (6, "chips", "collateral sold"), (6, "CLOUD", "default"),
        (7, "FUND", "lender fails"), (9, "supply", "credit supply falls"),
    ]  # fmt: skip
    table = events_table([quiet], names_of(book)).set_index("event")
    assert table["loss"].sum() == 0.5 * own.sum()
    assert table.loc["foreclosure", "amount"] == pytest.approx(0.8, rel=1e-7)
    assert table.loc["lender fails", "amount"] == 1.25
    assert table.loc["regime", "why"] == "boom turns to plateau; AI revenue is 40.0 bn a year"
    assert "LTV up to 160%" in table.loc["default", "why"]
    assert "waived until month 4" in table.loc["covenant breach waived", "why"]
    assert table.loc["default", "date"][-3:] == "-06"  # the book's year ends in December


def test_support_and_contracts_of_a_hand_made_path(quiet, book):
    """A guarantee over three months is one event of their sum; a contract is cut twice; a round fails."""
    names, state, info = quiet.system.names, quiet.state, quiet.info
    lab, place = names.firms.index("LAB"), names.contracts.index("LAB_CLOUD")
    info.contracts.covered[3:6, place] = [0.2, 0.3, 0.1]
    info.contracts.paid[:, place], info.contracts.quality[3:6, place] = 0.9, 0.75
    state.contracts.size[4:, place], state.contracts.size[7:, place] = 0.8, 0.05
    state.contracts.since_round[9, lab] = 1.0
    events = {(event.month, event.event): event for event in events_of(quiet, names_of(book))}
    assert list(events) == [
        (4, "contract underpaid"), (4, "guarantee called"), (5, "contract cut"), (8, "contract cut"),
        (10, "equity round fails"),
    ]  # fmt: skip
    assert events[4, "guarantee called"].who == "VENDOR"
    assert events[4, "guarantee called"].amount == pytest.approx(0.6, rel=1e-6)
    assert events[4, "contract underpaid"].amount == pytest.approx(0.3, rel=1e-6)
    assert events[4, "guarantee called"].why.startswith("it pays 600 m to ")
    assert "over 3 months" in events[4, "guarantee called"].why
    full = float(np.asarray(quiet.system.calendar.term)[7, place])
    assert events[8, "contract cut"].amount == pytest.approx(0.95 * full, rel=1e-6)


@pytest.mark.parametrize(("debt", "called"), [(100.0, False), (10.1, False), (3.9, True)])
def test_a_small_book_has_small_events(quiet, book, debt, called):
    """A guarantee pays 4 m in a month: 0.1% of 4 bn of debt."""
    place = quiet.system.names.contracts.index("LAB_CLOUD")
    quiet.info.contracts.covered[3, place] = 0.004
    system = dataclasses.replace(quiet.system, exposure_start=jnp.float32(debt))
    expected = [(4, "VENDOR", "guarantee called")] if called else []
    assert log(dataclasses.replace(quiet, system=system), book) == expected


def test_a_maturity_that_is_refused(quiet, book):
    """A loan due in month 4: the lender waits, then extends; another borrower defaults for want of cash."""
    names, state = quiet.system.names, quiet.state
    waits, fails = names.loans.index("SITE_LOAN"), names.loans.index("HOST_NOTES")
    quiet.start.funding.maturity[[waits, fails]] = 4.0
    state.funding.maturity[:, [waits, fails]] = 4.0
    state.funding.balance[:, waits] = 1.0
    quiet.start.funding.balance[waits] = 1.0
    extension = float(np.asarray(quiet.system.numbers.credit.extension_months))
    state.funding.maturity[4:, waits] = 5.0 + extension
    host = names.firms.index("HOST")
    state.funding.balance[3:, fails] = 0.0
    state.credit.default_month[3:, host], state.credit.cause[3:, host] = 4, LIQUIDITY
    quiet.info.loss[3, fails] = 0.25
    events = [event for event in events_of(quiet, names_of(book)) if event.event == "refinancing refused"]
    assert [(event.month, event.who, event.why.rpartition("; ")[2]) for event in events] == [
        (4, "HOST", "it defaults"), (4, "SITE", "the lender waits"), (5, "SITE", "the lender extends it"),
    ]  # fmt: skip


def test_chips_sold_are_a_share_of_the_stock(quiet, book):
    """All of a quarter's share in three months: 1 - (1 - q)^(1/3) of the stock, at the month's price."""
    gens = len(quiet.system.names.generations)
    quiet.start.collateral.held[:] = 1.0 / gens
    quiet.state.collateral.held[:] = 0.0
    quiet.info.collateral.price[:] = 30.0
    share = 1.0 - (1.0 - float(np.asarray(quiet.system.numbers.chips.quarterly_sales))) ** (1.0 / 3.0)
    (event,) = events_of(quiet, names_of(book))
    assert (event.month, event.event) == (1, "collateral sold")
    assert event.amount == pytest.approx(30.0 * share, rel=1e-6)


def test_runs_of_months_and_levels(quiet):
    flow = np.array([[0.0, 1.0], [2.0, 1.0], [2.0, 0.0], [0.0, 1.0]])
    assert sorted(episodes(quiet, flow)) == [(0, 1, 1, 2.0), (1, 2, 0, 4.0), (3, 3, 1, 1.0)]
    share = np.array([[0.8], [0.6], [0.7], [0.2]])
    assert np.argwhere(crossings(np.ones(1), share, (0.75, 0.5, 0.25)))[:, 0].tolist() == [1, 3]
