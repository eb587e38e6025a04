"""The audit of the reference sees what a careless implementation would do."""

import numpy as np
import pytest

from tests.reference import capex, contracts, example, funding, lenders, paper, plant, vendors
from tests.reference.by_hand import path_of, stressed

PATHS = 50


def test_the_audit_sees_a_vendor_that_gives_what_it_has_not(monkeypatch):
    monkeypatch.setattr(vendors, "share_paid", lambda book, i, funds, called: 1.0)
    with pytest.raises(AssertionError, match="gives more support than it has"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_notes_that_convert_and_stay(monkeypatch):
    def forgetful(book, state, now, new, t, balances=funding.balances):
        balances(book, state, now, new, t)
        now["balance_after_service"] = np.add(now["balance_after_service"], now["converted"]).tolist()

    monkeypatch.setattr(funding, "balances", forgetful)
    with pytest.raises(AssertionError, match="does not follow its payments"):
        for seed in range(PATHS):
            path_of(example.small_system(), seed)


def test_the_audit_sees_a_warrant_that_is_paid_in_cash(monkeypatch):
    def cash(book, state, now, equity=vendors.equity):
        equity(book, state, now)
        given = [book.contracts.warrant[c] * q for c, q in enumerate(now["commitment"])]
        now["support_left"][example.GIANT] -= sum(given)

    monkeypatch.setattr(vendors, "equity", cash)
    with pytest.raises(AssertionError, match="purse of vendor 4 does not follow its payments"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_holdings_that_do_not_add_up():
    system = stressed()
    system.lenders.holdings[2, :] *= 0.5
    with pytest.raises(AssertionError, match="do not add up to one"):
        for seed in range(PATHS):
            path_of(system, seed)


def test_the_audit_sees_a_loss_that_no_lender_bears(monkeypatch):
    system = stressed()

    def leaky(book, now, capital, owed, own, clear=lenders.clear):
        network, vehicles = clear(book, now, capital, owed, own)
        return [0.99 * loss for loss in network], vehicles

    monkeypatch.setattr(lenders, "clear", leaky)
    with pytest.raises(AssertionError, match="bearers do not bear all"):
        for seed in range(PATHS):
            path_of(system, seed)


def test_the_audit_sees_paper_that_nobody_bought(monkeypatch):
    def careless(book, state, now, new, losses=lenders.book_losses):
        losses(book, state, now, new)
        new["booked"][example.PENSION] = state["booked"][example.PENSION]

    monkeypatch.setattr(lenders, "book_losses", careless)
    with pytest.raises(AssertionError, match="lenders do not book the system's loss"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_buyers_that_gain_nothing(monkeypatch):
    def generous(book, state, now, new, trade=paper.trade):
        trade(book, state, now, new)
        new["trading"] = [max(loss, 0.0) for loss in new["trading"]]

    monkeypatch.setattr(paper, "trade", generous)
    with pytest.raises(AssertionError, match="what sellers lose is not what buyers gain"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_sales_that_are_taken_back(monkeypatch):
    def repenting(book, state, lender, past, left, sold=paper.sold):
        return sold(book, state, lender, past, left) if state["sold"][lender] == 0.0 else 0.0

    monkeypatch.setattr(paper, "sold", repenting)
    with pytest.raises(AssertionError, match="share sold of lender . falls"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_a_fund_that_sells_too_little(monkeypatch):
    def lenient(book, lender, lost, left):
        return max(lost - paper.limit(book, lender)[1], 0.0)

    monkeypatch.setattr(paper, "past_limit", lenient)
    with pytest.raises(AssertionError, match="sells less than its asset coverage asks"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_paper_that_is_not_held():
    system = example.small_system()
    system.paper.held[example.BANK, 0] += 1.0
    with pytest.raises(AssertionError, match="paper of lender 2 is not what it holds of it"):
        path_of(system, 0, months=1)


def test_the_audit_sees_tranches_that_leave_a_gap():
    system = stressed()
    system.pools.detachment[0] = 0.2
    system.paper.marketable[12:], system.paper.held[:, 2] = 0.0, 0.0
    with pytest.raises(AssertionError, match="do not lose what the pool loses"):
        for seed in range(PATHS):
            path_of(system, seed)


def test_the_audit_sees_chips_that_vanish(monkeypatch):
    def careless(book, state, now, new, renew=plant.renew):
        renew(book, state, now, new)
        new["owned"] = [[0.99 * units for units in row] for row in new["owned"]]

    monkeypatch.setattr(plant, "renew", careless)
    with pytest.raises(AssertionError, match="units of generation . appear or vanish"):
        path_of(stressed(), 0)


def test_the_audit_sees_capacity_that_is_sold_twice(monkeypatch):
    def generous(book, state, now, new, serve=plant.serve):
        serve(book, state, now, new)
        now["free_share"] = [share + 0.1 for share in now["free_share"]]

    monkeypatch.setattr(plant, "serve", generous)
    with pytest.raises(AssertionError, match="serves more than is online"):
        path_of(stressed(), 0)


def test_the_audit_sees_what_is_installed_at_once_and_more(monkeypatch):
    def hasty(book, state, now, new, serve=plant.serve):
        serve(book, state, now, new)
        new["online"] = [online + 0.1 for online in new["online"]]

    monkeypatch.setattr(plant, "serve", hasty)
    with pytest.raises(AssertionError, match="has more online than installed"):
        path_of(stressed(), 0)


def test_the_audit_sees_a_lab_that_raises_without_a_round(monkeypatch):
    def opened(book, state, draws, now, new, i, opening=contracts.opening):
        opening(book, state, draws, now, new, i)
        return 1.0

    monkeypatch.setattr(contracts, "opening", opened)
    with pytest.raises(AssertionError, match="raises equity without a round"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_fees_for_orders_that_were_paid(monkeypatch):
    def greedy(book, state, now, new, t, month=capex.month):
        month(book, state, now, new, t)
        new["fees"] = [fee + 0.05 * ordered for fee, ordered in zip(new["fees"], now["ordered"], strict=True)]

    monkeypatch.setattr(capex, "month", greedy)
    with pytest.raises(AssertionError, match="fee"):
        for seed in range(PATHS):
            path_of(stressed(), seed)


def test_the_audit_sees_a_maturity_that_is_forgotten(monkeypatch):
    renewed = funding.renewed

    def forgetful(book, state, now, new, m, t):
        renewed(book, state, now, new, m, t)
        new["maturing"][m] *= 0.5

    monkeypatch.setattr(funding, "renewed", forgetful)
    with pytest.raises(AssertionError, match="matures"):
        path_of(stressed(), 0)
