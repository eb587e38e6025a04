"""The reference against numbers worked by hand: age of the fleet and vendors' support."""

import math
from types import SimpleNamespace as Table

import numpy as np
import pytest

from tests.reference import chips, example, path, vendors
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, CONTRACTS, GIANT, HOST, LAB, SOFTWARE

LAB_CLOUD, GIANT_CLOUD, RENT = (CONTRACTS.index(name) for name in ("LAB_CLOUD", "GIANT_CLOUD", "RENT"))
COLOCATION, STAGED, BACKSTOP = (CONTRACTS.index(name) for name in ("COLOCATION", "STAGED", "BACKSTOP"))
WARRANT = CONTRACTS.index("WARRANT")


def dead(i: int) -> dict:
    """Thresholds with which firm i falls to its hazard in month 1 and no other firm ever does."""
    thresholds = np.full(6, 1e9)
    thresholds[i] = 0.0
    return example.calm_fate(example.small_system()) | {"threshold_firms": thresholds}


def test_accounts_of_month_zero_are_written_down_by_the_mean_age():
    """3.0 m at 25 cost 75; 20 of 72 months are gone: 75 * 52/72 = 54.1667."""
    assert chips.start_accounts(plain(example.small_system()))[0] == near(75.0 * 52.0 / 72.0)


def poor_vendor(cash: float):
    """The hyperscaler has little cash and puts 2% of its sales of chips aside for support."""
    system = example.small_system()
    system.firms.cash[GIANT], system.firms.support_share[GIANT] = cash, 0.02
    return system


def test_a_vendor_puts_into_labs_what_its_purse_and_its_sales_allow():
    """Sales of chips are 0.1 * 0.5 * 710/12 = 2.958333 in month 1; 2% of them, 0.059167, join a purse of 1.
    The vendor pays 3/12 for compute: 0.809167 is left for the 12/12 times E that the lab wants.
    In month 2 the purse is empty and sales bring less than 0.25: the lab gets nothing.
    """
    first, second = calm(poor_vendor(1.0), 2)["months"]
    left = 1.0 + 0.02 * 0.1 * 0.5 * 710.0 / 12.0 - 0.25
    assert left == pytest.approx(0.809167, abs=1e-6) and left < first["equity"] < 1.0
    assert first["support_share_equity"][GIANT] == near(left / first["equity"])
    assert first["commitment"][STAGED] == near(left) and first["purse"][GIANT] == near(0.0)
    assert second["commitment"][STAGED] == second["support_share_equity"][GIANT] == 0.0
    assert first["support_share_equity"][[LAB, CLOUD, HOST, SOFTWARE]].tolist() == [1.0] * 4
    assert calm(poor_vendor(1.0), 1)["final"]["purse"][LAB] == 0.0


def test_half_a_purse_mechanism_halves_what_is_withheld():
    system = poor_vendor(1.0)
    system.numbers.mechanisms.vendor_purse = 0.5
    month = calm(system, 1)["months"][0]
    left = 1.0 + 0.02 * 0.1 * 0.5 * 710.0 / 12.0 - 0.25
    assert month["commitment"][STAGED] == near(0.5 * month["equity"] + 0.5 * left)
    assert month["purse"][GIANT] == 0.0
    system.numbers.mechanisms.vendor_purse = 0.0
    assert calm(system, 1)["months"][0]["commitment"][STAGED] == near(month["equity"])


def test_a_purse_holds_what_was_not_called_and_at_most_the_cash_of_month_zero():
    """2.0 and 0.059167 of sales less 0.25 for compute and E for the lab; with 10% and no lab, 2 again."""
    month = calm(poor_vendor(2.0), 1)["months"][0]
    kept = 2.0 + 0.02 * 0.1 * 0.5 * 710.0 / 12.0 - 0.25 - month["equity"]
    assert month["purse"][GIANT] == near(kept) and month["support_share_equity"][GIANT] == 1.0
    system = poor_vendor(2.0)
    system.firms.support_share[GIANT], system.contracts.equity[STAGED] = 0.1, 0.0
    assert 0.1 * 0.1 * 0.5 * 710.0 / 12.0 > 0.25
    assert calm(system, 1)["months"][0]["purse"][GIANT] == 2.0


def test_firms_that_sell_no_chips_support_without_limit():
    system = poor_vendor(0.0)
    system.firms.chip_sales_share[GIANT] = 0.0
    for month in calm(system, 12, fate=dead(LAB))["months"]:
        assert month["support_share_equity"][GIANT] == month["support_paid"][GIANT] == 1.0
        assert month["purse"][GIANT] == 0.0
    assert month["paid"][BACKSTOP] > 0.0


def test_guarantees_are_paid_after_equity_from_what_is_left():
    """The neocloud is dead in month 2; rent of (0.5 + 0.2 * 8/12)/12 is called at 0.9. The vendor of its
    purse of 0.22 buys nothing from the dead neocloud and has 0.02 + 2% of sales for it, less than is called.
    """
    system = poor_vendor(0.22)
    system.contracts.equity[STAGED], system.contracts.annual[GIANT_CLOUD] = 0.0, 2.4
    system.contracts.start_annual[GIANT_CLOUD] = 2.4
    first, second = calm(system, 2, fate=dead(CLOUD))["months"]
    purse = 0.22 + 0.02 * 0.1 * 0.5 * 710.0 / 12.0 - 0.2
    assert first["purse"][GIANT] == near(purse) and second["obligation"][GIANT_CLOUD] == 0.0
    rent = (0.5 + 0.2 * 8.0 / 12.0) / 12.0
    left = purse + 0.02 * 0.1 * 0.5 * second["capex"] / 12.0
    assert left > 0.9 * rent and second["support_paid"][GIANT] == 1.0, "not yet short"
    assert second["purse"][GIANT] == near(left - 0.9 * rent)

    system.firms.support_share[GIANT] = 0.0
    second = calm(system, 2, fate=dead(CLOUD))["months"][1]
    paid = 0.02 / (0.9 * rent)
    assert second["support_paid"][GIANT] == near(paid) and paid < 0.5
    assert second["guarantee"][COLOCATION] == near(0.02) and second["purse"][GIANT] == near(0.0)
    stress = math.exp(-max(second["stress"], 0.0))
    assert second["relet"][COLOCATION] == near(0.5 * (rent - 0.02) * stress)
    assert second["quality"][COLOCATION] == near(paid * 0.9)


def backed_seller(switch: float):
    """Firm 1 sells two contracts and two backstops; vendor 0 guarantees one, backs, and buys equity."""
    book = Table(
        firms=Table(chip_sales_share=[0.5, 0.0, 0.0, 0.0], cash=[4.0, 0.0, 0.0, 0.0]),
        contracts=Table(
            buyer=[2, 2, 0, 3],
            seller=[1, 1, 1, 1],
            guarantor=[0, 0, 0, 0],
            cover=[0.5, 0.0, 0.0, 0.0],
            operating=[1.0, 1.0, 0.0, 0.0],
            backstop=[0.0, 0.0, 1.0, 1.0],
            annual=[24.0, 12.0, 12.0, 6.0],
        ),
        numbers=Table(mechanisms=Table(vendor_purse=switch)),
    )
    now = {
        "full_size": [24.0, 12.0, 12.0, 6.0],
        "served": [2.0, 1.0, 0.0, 0.0],
        "obligation": [1.5, 0.9, 0.0, 0.0],
        "paid": [1.0, 0.75, 0.0, 0.0],
        "operating": [1.0] * 4,
        "support_left": [0.25 + 11.0 / 24.0, 0.0, 0.0, 0.0],
        "equity_bought": [0.25, 0.0, 0.0, 0.0],
    }
    return book, now


def test_backstops_share_what_is_unsold_and_a_vendor_pays_what_it_has():
    """Full size 2 and 1 a month, paid 1 and 0.75; half of the 0.5 that the first buyer leaves open is called.
    Unsold: (2 - 1 - 0.25) + (1 - 0.75) = 1. Backstops of 1 and 0.5 a month share it: 2/3 and 1/3.
    The vendor is called for 0.25 + 2/3 = 11/12 and has 11/24 after equity: it pays half, 1/8 and 1/3.
    Then (2 - 1 - 1/8) + (1 - 0.75) = 9/8 is unsold and 1/3 + 1/3 backed: 1 - (2/3)/(9/8) = 11/27 to re-let.
    """
    book, now = backed_seller(1.0)
    new = {}
    vendors.support(book, now, new)
    assert now["support_paid"] == near([0.5, 1.0, 1.0, 1.0])
    assert now["guarantee"] == near([0.125, 0.0, 0.0, 0.0])
    assert now["backstop"] == near([0.0, 0.0, 1.0 / 3.0, 1.0 / 3.0])
    assert new["purse"] == near([0.0] * 4) and now["to_relet"] == near([1.0, 11.0 / 27.0, 1.0, 1.0])

    book, now = backed_seller(0.5)
    vendors.support(book, now, new)
    assert now["support_paid"][0] == near(0.75) and new["purse"][0] == 0.0
    assert now["backstop"] == near([0.0, 0.0, 0.5, 1.0 / 3.0])


def test_a_backstop_pays_at_most_its_size_and_nothing_to_or_from_the_dead():
    """Backstops of 0.1 and 0.05 a month are far below the 1 that is unsold."""
    book, now = backed_seller(1.0)
    now["full_size"][2:] = 1.2, 0.6
    now["support_left"][0] = 10.0
    new = {}
    vendors.support(book, now, new)
    assert now["backstop"] == near([0.0, 0.0, 0.1, 0.05])
    assert new["purse"][0] == 4.0, "9.4 is left; what exceeds the cash of month 0 is given to shareholders"
    now["operating"] = [0.0, 1.0, 1.0, 1.0]
    vendors.support(book, now, new)
    assert now["backstop"] == near([0.0, 0.0, 0.0, 0.05]) and now["guarantee"][0] == 0.0
    now["operating"], now["paid"][:2] = [1.0, 0.0, 1.0, 1.0], (0.0, 0.0)
    now["served"][:2] = 0.0, 0.0
    vendors.support(book, now, new)
    assert now["backstop"] == near([0.0] * 4) and now["to_relet"][1] == 1.0


def backed_neocloud():
    """The neocloud sells its backstop from month 0, 1.5 a year with a margin of 0.8."""
    system = example.small_system()
    system.contracts.start_month[BACKSTOP] = 0.0
    return system


def test_a_backstop_is_earned_by_the_seller_paid_by_the_buyer_and_expected():
    """The lab is dead in month 2. Its contract of 1.2 + 4.8 * 2/24 = 1.6 a year is unsold: 0.133333 a month,
    more than the backstop's 0.125. Re-letting finds 1 - 0.125/0.133333 = 1/16 of it, times 0.4.
    In a year it is 1.2 + 4.8 * 14/24 = 4.0 unsold: the whole 1.5 is expected, times 0.8.
    """
    month = calm(backed_neocloud(), 2, fate=dead(LAB))["months"][1]
    assert month["paid"][BACKSTOP] == month["received"][BACKSTOP] == near(0.125)
    assert month["to_relet"][CLOUD] == near(1.0 / 16.0)
    relet = 0.4 * math.exp(-max(month["stress"], 0.0)) * 1.6 / 12.0 / 16.0
    assert month["received"][LAB_CLOUD] == near(relet)
    growth = 2.0 / 12.0
    core = 0.2 * 1.02**growth * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15**growth
    rent = 0.5 + 0.2 * 8.0 / 12.0
    assert month["ebitda"][CLOUD] == near((core + 0.7 * 3.0 - rent) / 12.0 + 0.75 * relet + 0.8 * 0.125)
    assert month["forward"][CLOUD] == near(core + 0.7 * 3.0 - 0.7 + 0.8 * 1.5)
    giant = 300.0 * 1.08**growth * math.exp(-0.1 * month["stress"])
    assert month["ebitda"][GIANT] == near((giant - 3.0) / 12.0 - 0.125)
    assert month["forward"][GIANT] == near(giant - 3.0)


def test_a_backstop_is_expected_to_pay_no_more_than_will_be_unsold():
    """As above with a backstop of 6 a year: 4.0 of it is expected."""
    system = backed_neocloud()
    system.contracts.annual[BACKSTOP] = system.contracts.start_annual[BACKSTOP] = 6.0
    month = calm(system, 2, fate=dead(LAB))["months"][1]
    without = calm(example.small_system(), 2, fate=dead(LAB))["months"][1]
    assert month["paid"][BACKSTOP] == near(1.6 / 12.0) and month["relet"][LAB_CLOUD] == 0.0
    assert without["paid"][BACKSTOP] == 0.0
    # Without it the backstop that starts in month 6 is expected at its 1.5.
    assert month["forward"][CLOUD] - without["forward"][CLOUD] == near(0.8 * (4.0 - 1.5))


def test_what_backstops_are_expected_to_pay_goes_by_size_quality_and_what_the_vendor_paid():
    """In a year 8 and 4 are sold: at 0.75 of the size and quality 0.8, and in full at 0.5.
    8 * (1 - 0.6) + 4 * 0.5 = 5.2 is unsold; backstops of 12 and 6 share it, 52/15 and 26/15.
    The vendor pays half of what it is called for: 0.8 * 0.5 * 52/15 + 0.5 * 26/15 = 33.8/15 (margins first).
    """
    book, now = backed_seller(1.0)
    book.contracts.margin, book.numbers.mechanisms.circular_contracts = [1.0, 1.0, 0.8, 0.5], 1.0
    now["support_paid"], now["quality"] = [0.5, 1.0, 1.0, 1.0], [0.8, 0.5, 0.0, 0.0]
    new, ahead = {"size": [0.75, 1.0, 1.0, 1.0]}, [8.0, 4.0, 6.0, 2.0]
    assert vendors.expected_backstops(book, now, new, ahead, 1) == near(33.8 / 15.0)
    assert vendors.expected_backstops(book, now, new, ahead, 2) == 0.0
    book.numbers.mechanisms.circular_contracts = 0.5
    assert vendors.expected_backstops(book, now, new, ahead, 1) == near(16.9 / 15.0)
    book.numbers.mechanisms.circular_contracts = 1.0
    now["operating"][3] = 0.0
    assert vendors.expected_backstops(book, now, new, ahead, 1) == near(20.8 / 15.0)


def test_without_circular_contracts_backstops_bring_nothing():
    system = backed_neocloud()
    system.numbers.mechanisms.circular_contracts = 0.0
    month = calm(system, 2, fate=dead(LAB))["months"][1]
    assert month["received"][BACKSTOP] == 0.0 and month["quality"][LAB_CLOUD] == 1.0
    growth = 2.0 / 12.0
    core = 0.2 * 1.02**growth * math.exp(-0.3 * month["stress"]) - 0.9 * 1.15**growth
    assert month["forward"][CLOUD] == near(core + 0.75 * 4.0 + 0.7 * 3.0 - 0.7)


def test_a_warrant_is_worth_what_the_shares_are_and_vests_with_its_contract():
    """0.6 a year, at E = 1.5 and 0.8 of the contract left: 0.05 * 1.5 * 0.8 = 0.06, no cash of the vendor's.
    Equity at E = 1.5 is wanted at its agreed 12/12.
    """
    system = example.small_system()
    system.contracts.start_month[WARRANT] = 0.0
    begin = calm(system, 1)["final"] | {"size": [0.8] + [1.0] * 9, "log_equity": math.log(1.5)}
    begin["purse"][GIANT] = 40.0
    system.numbers.economy.equity_drift = (0.25**2 + 0.1**2 + 2.0 * 0.1 * 0.25 * 0.6) / 2.0
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    month = path.simulate_path(system, fate, shocks, 1, start=begin)["months"][0]
    assert month["commitment"][WARRANT] == near(0.06) and month["commitment"][STAGED] == near(1.0)
    sales = 0.1 * 0.1 * 0.5 * month["capex"] / 12.0
    assert month["purse"][GIANT] == near(40.0 + sales - 0.25 - 1.0)
    system.contracts.vests[WARRANT] = 0.0
    month = path.simulate_path(system, fate, shocks, 1, start=begin)["months"][0]
    assert month["commitment"][WARRANT] == near(0.075)
    cash = month["cash"][LAB]
    system.contracts.warrant[WARRANT] = 0.0
    month = path.simulate_path(system, fate, shocks, 1, start=begin)["months"][0]
    assert month["raised"][LAB] == 0.0 and cash - month["cash"][LAB] == near(0.075)
    assert month["paid"][WARRANT] == month["received"][WARRANT] == 0.0
