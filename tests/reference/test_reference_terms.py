"""The reference against numbers worked by hand: leases that break, notes that convert, late pools."""

import math

from tests.reference import contracts, example, path
from tests.reference.book import plain
from tests.reference.by_hand import calm, near
from tests.reference.example import CLOUD, CONTRACTS, HOST

RENT, COLOCATION = CONTRACTS.index("RENT"), CONTRACTS.index("COLOCATION")


def test_leases_of_project_companies_break_and_others_do_not():
    """Rent of 1.6 a year from month 12 to 180; after a break at month 40 it is renewed at 0.9 in boom.
    A break in or before the month in which it starts, or after its end, or of month 0, is none.
    """
    system = example.small_system()
    system.numbers.contracts.lease_break_month = 40.0
    book = plain(system)
    assert contracts.term(book, RENT, 40) == near(1.6) and contracts.term(book, RENT, 41) == 0.0
    assert contracts.after(book, RENT, 41) == 1.6 and contracts.after(book, RENT, 40) == 0.0
    decay = math.exp(-0.1 / 12.0)
    left = 1.6 / 12.0 * decay * (1.0 - decay**10) / (1.0 - decay)
    assert contracts.present_value(book, RENT, 30) == near(left)
    assert contracts.end_month(book, COLOCATION) == 72.0, "no project company"
    for month, end in ((0.0, 180.0), (12.0, 180.0), (13.0, 13.0), (180.0, 180.0), (200.0, 180.0)):
        book.numbers.contracts.lease_break_month = month
        assert contracts.end_month(book, RENT) == end
    month = calm(system, 41)["months"][40]
    assert month["full_size"][RENT] == near(0.9 * 1.6)


def test_notes_convert_where_the_firm_is_worth_the_agreed_multiple():
    """The host's notes of 3.0 fall due in month 15. Its value is 4 E, with E = e^(15 * -0.00125/12), under 1:
    at a multiple of 0.99 holders take shares, at 1.0 they want their money.
    """
    system = example.small_system()
    system.loans.conversion[3] = 1.0
    paid = calm(system, 15)["months"][14]
    assert paid["converted"][3] == 0.0 and paid["due"][3] == 3.0 and paid["balance"][3] == near(3.0)
    system.loans.conversion[3] = 0.99
    result = calm(system, 16)
    converted, after = result["months"][14:]
    assert converted["equity"] == near(math.exp(-15.0 * 0.00125 / 12.0))
    assert converted["converted"][3] == 3.0 and converted["due"][3] == converted["balance"][3] == 0.0
    assert converted["cash"][HOST] == near(paid["cash"][HOST]) and not converted["loan_loss"].any()
    assert converted["interest"][3] == paid["interest"][3] and after["interest"][3] == 0.0
    assert result["cause"][HOST] == 0


def test_conversion_makes_room_for_what_is_refinanced():
    """6.4 of chips' debt, less 6.4 * 0.2/12 paid, converts in month 1; a revolver of 1.0 falls due beside it.
    The limit of 0.01 * 40 E * 1.15 = 0.46 E is all room: no other debt is left.
    """
    system = example.small_system()
    system.loans.conversion[0], system.loans.maturity_month[[0, 2]] = 0.5, 1.0
    system.loans.drawn[2] = 1.0
    system.firms.debt_multiple[CLOUD], system.firms.value_multiple[CLOUD] = 0.0, 0.01
    month = calm(system, 1)["months"][0]
    assert month["converted"][0] == near(6.4 - 6.4 * 0.2 / 12.0)
    assert month["due"][2] == 1.0 and month["rolled"][2] == near(0.46 * month["equity"])


def test_a_pool_past_its_repayment_date_amortises_where_it_cannot_be_refinanced():
    """Rents are whole, DSCR 1.5 is above the trap of 1.35. Access of 0.9 refinances 0.9 of the value:
    from month 2 on the surplus of half the coupon pays debt, 1 - 0.5 * 0.057/12 = 0.997625.
    With access of 1.15, or a debt of less than 0.9, nothing is paid early.
    """
    system = example.small_system()
    system.pools.repayment_month[1] = 2
    assert calm(system, 3)["final"]["pool_debt"][1] == 1.0
    system.numbers.credit.capacity_scale = 0.9
    first, second = calm(system, 2)["months"]
    assert first["access"] == near(0.9) and first["pool_debt"][1] == 1.0
    assert second["pool_debt"][1] == near(1.0 - 0.5 * 0.057 / 12.0)
    start = calm(system, 1)["final"] | {"pool_debt": [1.0, 0.89]}
    shocks, fate = example.calm_shocks(system, 1), example.calm_fate(system)
    month = path.simulate_path(system, fate, shocks, 1, start=start)["months"][0]
    assert month["pool_debt"][1] == 0.89
    system.pools.repayment_month[1] = 0
    assert calm(system, 3)["final"]["pool_debt"][1] == 1.0, "no date, no early repayment"
