"""Events of contracts: what buyers stop paying, what is not renewed, rounds, guarantees and backstops."""

from collections.abc import Iterator

import numpy as np

from engine.paths.history import History
from engine.results.replay.event import (
    Event,
    Names,
    before,
    crossings,
    episodes,
    money,
    onsets,
    places,
    span,
)
from engine.vocabulary import REGIMES

CUTS = (0.9, 0.5, 0.1)
"""Sizes of a contract, in shares of what was signed, whose passing is an event."""
PAID = 0.9
"""A buyer that pays less than this share of what is due falls behind."""
NOTHING = 0.005
"""A share that rounds to none."""
RENEWED = 0.99
"""A contract renewed at less than this share counts as renewed in part."""


def contract_events(history: History, names: Names) -> Iterator[Event]:
    """Events of contracts in no order of months."""
    yield from renewals(history, names)
    yield from arrears(history, names)
    yield from cuts(history, names)
    yield from rounds(history, names)
    yield from guarantees(history, names)
    yield from backstops(history, names)


def parties(history: History, names: Names, contract: int) -> tuple[str, str, str]:
    """Id and name of a contract's buyer, and the name of its seller."""
    table, firms = history.system.contracts, history.system.names.firms
    buyer, seller = firms[int(table.buyer[contract])], firms[int(table.seller[contract])]
    return buyer, names.firm[buyer], names.firm[seller]


def renewals(history: History, names: Names) -> Iterator[Event]:
    """Contracts whose term ends and that are renewed in part or not at all; the amount is lost a year.

    The share renewed is that of `engine.month.contracts.renewed`.
    """
    system, info = history.system, history.info
    table, calendar = system.contracts, system.calendar
    by_regime = info.economy.regime @ np.asarray(system.numbers.contracts.renewal)
    rent = info.plants.rent[:, np.asarray(table.seller)]
    share = by_regime[:, None] * np.where(np.asarray(table.compute) > 0.0, rent, 1.0)
    after = np.asarray(calendar.after)
    operating = np.asarray(table.operating) > 0.0
    standing = standing_before(history)[:, np.asarray(table.buyer)]
    begins = (after > 0.0) & (before(after[0], after) == 0.0)
    for month, contract in places(begins & operating & (share < RENEWED) & standing):
        buyer, name, seller = parties(history, names, contract)
        renewed = float(share[month, contract])
        lost = float((1.0 - renewed) * after[month, contract] * info.contracts.size[month, contract])
        regime = REGIMES[int(info.economy.regime[month].argmax())]
        how = "is not renewed" if renewed < NOTHING else f"is renewed at {renewed:.0%}"
        why = f"its contract with {seller} {how} in a {regime}; {money(lost)} a year less"
        yield Event(month + 1, buyer, name, "contract not renewed", lost, 0.0, why)


def standing_before(history: History) -> np.ndarray:
    """Whether a firm has not defaulted before the month [months firms]."""
    month = history.state.credit.default_month[-1]
    number = np.arange(1, len(history.state.supply) + 1)[:, None]
    return np.asarray((month == 0) | (number <= month))


def arrears(history: History, names: Names) -> Iterator[Event]:
    """Buyers that begin to pay less than they owe; the amount is what is missing in the month."""
    flows = history.info.contracts
    live = np.asarray(history.system.contracts.operating)[None, :] * flows.paid > 0.0
    for month, contract in onsets((flows.quality < PAID) & live):
        buyer, name, seller = parties(history, names, contract)
        share = float(flows.quality[month, contract])
        missing = float(flows.paid[month, contract]) * (1.0 / max(share, NOTHING) - 1.0)
        why = f"it pays {share:.0%} of what it owes {seller} in this month"
        yield Event(month + 1, buyer, name, "contract underpaid", missing, 0.0, why)


def cuts(history: History, names: Names) -> Iterator[Event]:
    """Contracts that shrink below nine tenths, half, one tenth; the amount is what is lost a year so far."""
    size, calendar = history.state.contracts.size, history.system.calendar
    full = np.asarray(calendar.term) + np.asarray(calendar.after)
    fallen = crossings(history.start.contracts.size, size, CUTS)
    for month, contract in places(fallen & (full > 0.0)):
        buyer, name, seller = parties(history, names, contract)
        left = float(size[month, contract])
        lost = float(full[month, contract]) * (1.0 - left)
        why = f"its contract with {seller} stands at {left:.0%} of its size; {money(lost)} a year less"
        yield Event(month + 1, buyer, name, "contract cut", lost, 0.0, why)


def rounds(history: History, names: Names) -> Iterator[Event]:
    """Rounds of equity that labs try, closed or not; the amount is what is raised in the month."""
    system, flows = history.system, history.info.contracts
    if not float(system.numbers.mechanisms.rounds) > 0.0:
        return
    alive = standing_before(history)
    tried = (history.state.contracts.since_round == 1.0) & (np.asarray(system.firms.lab) > 0.0) & alive
    for month, firm in places(tried):
        key, raised = system.names.firms[firm], float(flows.raised[month, firm])
        cash = float(history.state.funding.cash[month, firm])
        closed = raised > 0.0
        event = "equity round" if closed else "equity round fails"
        why = f"it raises {money(raised)}" if closed else f"no investor comes; its cash is {money(cash)}"
        yield Event(month + 1, key, names.firm[key], event, raised, 0.0, why)


def guarantees(history: History, names: Names) -> Iterator[Event]:
    """Guarantees of contracts, from the first month to the last in which the guarantor pays."""
    system = history.system
    for first, last, contract, total in episodes(history, history.info.contracts.covered):
        guarantor = system.names.firms[int(system.contracts.guarantor[contract])]
        _, buyer, seller = parties(history, names, contract)
        why = f"it pays {money(total)} to {seller} in place of {buyer} {span(first, last)}"
        yield Event(first + 1, guarantor, names.firm[guarantor], "guarantee called", total, 0.0, why)


def backstops(history: History, names: Names) -> Iterator[Event]:
    """Backstops of unsold capacity, from the first month to the last in which they pay."""
    backstop = np.asarray(history.system.contracts.backstop)
    for first, last, contract, total in episodes(history, history.info.contracts.paid * backstop[None, :]):
        buyer, name, seller = parties(history, names, contract)
        why = f"it buys {money(total)} of capacity that {seller} cannot sell {span(first, last)}"
        yield Event(first + 1, buyer, name, "backstop used", total, 0.0, why)
