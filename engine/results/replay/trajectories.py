"""What a path's quantities are in every month: the economy, chips, borrowers, loans, lenders and bearers."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd
from jaxtyping import Array, Float, Shaped

from engine.book.system import System
from engine.month.bearers import borne
from engine.paths.history import History
from engine.results.replay.debt import breaches, chips_sold
from engine.vocabulary import LEVERS, MONTH

MONEY, YEARLY, SHARE, RATIO, INDEX = "USD bn", "USD bn a year", "share", "ratio", "index, 1 at the start"
COLUMNS = ["path", "month", "what", "who", "value", "unit"]


class Quantity(NamedTuple):
    """One quantity of some, month by month; NaN in a month that does not have it."""

    what: str
    who: Sequence[str]
    values: Shaped[Array | np.ndarray, "months who"]
    unit: str


def trajectory_table(histories: list[History]) -> pd.DataFrame:
    """path, month, what, who, value, unit: a row for each month in which a quantity is there."""
    parts = [rows(history.path, quantity) for history in histories for quantity in quantities(history)]
    table = pd.concat(parts, ignore_index=True)
    return table.astype({"what": "category", "who": "category", "unit": "category"})


def rows(path: int, quantity: Quantity) -> pd.DataFrame:
    """A quantity in long form, without those for whom it is 0 in every month."""
    values = np.asarray(quantity.values, np.float64)
    some = (np.nan_to_num(values) != 0.0).any(axis=0) | (len(quantity.who) == 1)
    month, who = np.nonzero(~np.isnan(values) & some)
    table = {
        "path": path, "month": month + 1, "what": quantity.what,
        "who": np.asarray(quantity.who, object)[who], "value": values[month, who], "unit": quantity.unit,
    }  # fmt: skip
    return pd.DataFrame(table, columns=COLUMNS)


def quantities(history: History) -> Iterator[Quantity]:
    """Every quantity of a path. Losses are cumulative."""
    yield from economy(history)
    yield from chips(history)
    yield from borrowers(history)
    yield from loans(history)
    yield from lenders(history)


def economy(history: History) -> Iterator[Quantity]:
    """AI revenue, rates, spreads, credit supply, debt outstanding, public money, the system's loss."""
    state, info = history.state, history.info
    conditions = info.economy
    yield single("ai_revenue", conditions.revenue, YEARLY)
    yield single("regime", conditions.regime.argmax(axis=-1), "0 boom, 1 plateau, 2 bust")
    yield single("short_rate", conditions.rate, "share a year")
    yield single("spread", conditions.spread, INDEX)
    yield single("equity", conditions.equity, INDEX)
    yield single("power_cost", conditions.power, INDEX)
    yield single("credit_supply", state.supply, SHARE)
    yield single("debt_outstanding", info.exposure, MONEY)
    yield single("loss", state.legacy_loss + state.new_money_loss, MONEY)
    yield single("loss_new_money", state.new_money_loss, MONEY)
    yield Quantity("policy_cost", LEVERS, info.policy_cost, "USD bn a month")


def chips(history: History) -> Iterator[Quantity]:
    """Utilisation, rents, resale prices with the discount of forced sales, what lenders hold and sell."""
    market, collateral = history.info.chips, history.state.collateral
    names = history.system.names.generations
    yield single("utilisation", market.utilisation, INDEX)
    yield Quantity("chip_rent", names, market.rent, "USD an hour")
    yield Quantity("chip_price", names, history.info.collateral.price, "thousand USD")
    yield Quantity("fire_sale_discount", names, 1.0 - np.exp(-collateral.discount), SHARE)
    yield Quantity("foreclosed_chips", names, collateral.held, "million chips")
    yield single("collateral_sold", chips_sold(history), "USD bn a month")


def borrowers(history: History) -> Iterator[Quantity]:
    """Cash, debt, debt capacity, EBITDA, interest coverage and default of every firm that ever owes anything.

    `debt_service_coverage` is EBITDA over interest and amortisation, both of the month.
    """
    system, state, info = history.system, history.state, history.info
    owner = np.asarray(system.loans.borrower)
    owns = np.zeros((len(owner), len(system.names.firms)), np.float64)
    owns[np.arange(len(owner)), owner] = 1.0
    debt, service = state.funding.balance @ owns, info.funding.debt_service @ owns
    some = (debt > 0.0).any(axis=0) | (np.asarray(system.loans.drawn) @ owns > 0.0)
    names = [name for name, owes in zip(system.names.firms, some, strict=True) if owes]
    fallen = state.credit.default_month > 0
    coverage = np.divide(
        info.contracts.ebitda, service, out=np.full(service.shape, np.nan), where=(service > 1e-6) & ~fallen
    )
    limit = np.where(np.asarray(system.firms.outside) > 0.0, np.nan, info.funding.limit)
    for what, values, unit in (
        ("cash", state.funding.cash, MONEY), ("debt", debt, MONEY), ("debt_capacity", limit, MONEY),
        ("ebitda", info.contracts.ebitda / MONTH, YEARLY),
        ("debt_service_coverage", coverage, RATIO), ("defaulted", fallen, "1 from the default on"),
    ):  # fmt: skip
        yield Quantity(what, names, np.asarray(values, np.float64)[:, some], unit)


def loans(history: History) -> Iterator[Quantity]:
    """Balance, coupon and loss of every loan; LTV, DSCR and breach of those with collateral while tested."""
    system, state, tests = history.system, history.state, history.info.collateral
    names, secured = system.names.loans, system.names.loans[: tests.ltv.shape[1]]
    on = tests.ltv > 0.0
    yield Quantity("balance", names, state.funding.balance, MONEY)
    yield Quantity("ltv", secured, np.where(on, tests.ltv, np.nan), RATIO)
    yield Quantity("dscr", secured, np.where(on, tests.dscr, np.nan), RATIO)
    yield Quantity("covenant_breach", secured, np.where(on, breaches(history), np.nan), "1 where breached")
    yield Quantity("instrument_loss", system.names.instruments, state.lenders.loss, MONEY)


def lenders(history: History) -> Iterator[Quantity]:
    """Losses by class of instrument, lender, class of lender and final bearer; paper sold, lenders that fail.

    The columns are those of a run's losses (`engine.paths.path.column_names`).
    """
    system, state = history.system, history.state.lenders
    names = system.names

    classes, holders, bearers = jax.device_get(sums(system, state.loss, state.gross, state.scale))
    yield Quantity("class_loss", names.instrument_classes, classes, MONEY)
    yield Quantity("lender_class_loss", names.lender_classes, holders, MONEY)
    yield Quantity("lender_loss", names.lenders, state.gross, MONEY)
    yield Quantity("bearer_loss", names.bearers, bearers, MONEY)
    yield Quantity("paper_sold", names.lenders, state.paper.sold, SHARE)
    yield Quantity("withdrawn", names.lenders, state.paper.withdrawn, "share of capital")
    number = np.arange(1, len(state.failed) + 1)[:, None]
    failed = (state.failed > 0) & (state.failed <= number)
    yield Quantity("lender_failed", names.lenders, failed, "1 from the failure on")


@jax.jit
@functools.partial(jax.vmap, in_axes=(None, 0, 0, 0))
def sums(
    system: System,
    loss: Float[Array, "instruments"],
    gross: Float[Array, "lenders"],
    scale: Float[Array, "lenders"],
) -> tuple[Float[Array, "classes"], Float[Array, "groups"], Float[Array, "bearers"]]:
    """Losses by class of instrument, class of lender and final bearer, as `engine.paths.path.snapshot`."""
    table = system.lenders
    return table.instrument_membership @ loss, table.membership @ gross, borne(system, gross, scale)


def single(what: str, values: Shaped[Array | np.ndarray, "months"], unit: str) -> Quantity:
    """A quantity of the whole system."""
    return Quantity(what, ("",), np.asarray(values)[:, None], unit)
