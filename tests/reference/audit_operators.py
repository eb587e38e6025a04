"""What must hold of chips, plants, capex, rounds and maturities in every month of every path."""

from tests.reference import plant
from tests.reference.scalars import ALIVE, EXCHANGE, close


def units(book, state, now, new) -> None:
    """Chips of before and new ones are pledged, owned, held, sold or spoilt after."""
    count = range(len(now["pledged"]))
    failure = book.numbers.chips.failure / 12.0
    for g in range(len(new["held"])):
        pledged = sum(row[g] for row in state["pledged"])
        added = sum(now["pledged"][v][g] - (1.0 - failure) * state["pledged"][v][g] for v in count)
        before = state["held"][g] + pledged + added + sum(row[g] for row in state["owned"])
        before += sum(row[g] for row in now["plant_bought"])
        spoilt = failure * pledged + sum(row[g] for row in now["plant_failed"])
        after = new["held"][g] + sum(row[g] for row in new["pledged"]) + sum(row[g] for row in new["owned"])
        after += now["units_sold"][g] + spoilt
        assert close(before, after), f"units of generation {g} appear or vanish"
        assert new["held"][g] >= -1e-12, f"lenders hold a negative number of generation {g}"
    for v, row in enumerate(now["pledged"]):
        left = [(1.0 - failure) * units for units in state["pledged"][v]]
        bought = sum((row[g] - left[g]) * book.chips.list_price[g] for g in range(len(row)))
        target = book.loans.ltv_target[v]
        own_money = max(1.0, target / now["levers"].cap)
        most = book.numbers.credit.chips_per_draw * now["borrowed"][v] * own_money
        assert bought <= most * (1.0 + 1e-9) + 1e-9, f"loan {v} buys chips for more than it lends"


def plants(book, state, now, new) -> None:
    """Nobody delivers or lets more than is online, or buys chips for more than it spends on them."""
    n = book.numbers.chips
    for i in range(len(book.firms.cash)):
        online, installed = new["online"][i], now["installed"][i]
        assert 0.0 <= online <= installed, f"firm {i} has more online than installed"
        assert 0.0 <= now["delivered"][i] <= 1.0, f"firm {i} delivers a share outside [0, 1]"
        assert 0.0 <= now["rent_ratio"][i] <= 1.0, f"firm {i} renews at more than its contracts pay"
        if book.numbers.mechanisms.plant == 1.0:
            served = now["delivered"][i] * now["need"][i] + now["free_share"][i] * installed
            assert served <= online * (1.0 + 1e-9) or not plant.is_operator(book, i), (
                f"firm {i} serves more than is online"
            )
        assert 0.0 <= now["spot"][i] <= now["earned"][i], f"firm {i} lets more than it has on the spot market"
        cost = sum(now["plant_bought"][i][g] * book.chips.list_price[g] for g in range(len(now["mix"])))
        most = n.plant_chip_share * now["spent"][i]
        assert -1e-12 <= cost <= most * (1.0 + 1e-9), f"firm {i} buys chips for more than it spends on them"
        assert min(now["units"][i]) >= 0.0, f"firm {i} has a negative number of chips"
        if not plant.is_operator(book, i):
            nothing = not any(new["owned"][i]) and now["spot"][i] == 0.0
            assert nothing, f"firm {i} is no operator and has a plant"
            whole = now["delivered"][i] == 1.0 or book.firms.project[i] > 0
            assert whole and new["short_delivery"][i] == 0.0, f"firm {i} is no operator and delivers late"
        if new["cause"][i] not in (ALIVE, EXCHANGE):
            assert not any(new["owned"][i]), f"firm {i} is dead and owns chips"


def capex(book, state, now, new) -> None:
    """No more is spent on capex than is wanted; fees are for orders that are not paid."""
    n = book.numbers
    for i in range(len(book.firms.cash)):
        assert now["spent"][i] <= now["want"][i] * (1.0 + 1e-9), f"firm {i} spends more than it wants to"
        most = n.mechanisms.orders * n.chips.order_fee * now["ordered"][i]
        assert 0.0 <= new["fees"][i] <= most * (1.0 + 1e-12), f"firm {i} owes more than the fee of its orders"
        if now["ordered"][i] <= now["spent"][i]:
            assert new["fees"][i] == 0.0, f"firm {i} owes a fee for orders that it paid"
        if not now["operating"][i]:
            assert now["want"][i] == 0.0 and new["fees"][i] == 0.0, f"firm {i} is dead and orders"


def rounds(book, state, now, new) -> None:
    """Labs raise equity where a round closes; attempts keep their distance."""
    n, firms = book.numbers.contracts, book.firms
    for i in range(len(firms.cash)):
        assert now["tries"][i] or not now["wins"][i], f"firm {i} closes a round that it never opened"
        if now["tries"][i]:
            assert firms.lab[i] > 0, f"firm {i} is no lab and tries a round"
            assert state["since_round"][i] >= n.round_gap, f"lab {i} tries again too soon"
        if firms.lab[i] > 0 and book.numbers.mechanisms.rounds == 1.0 and not now["wins"][i]:
            used = now["equity_capacity"][i] - now["equity_now"][i]
            assert used <= now["sponsor"][i] + 1e-9, f"lab {i} raises equity without a round"
        room = now["accrued"][i] + now["sponsor"][i]
        assert now["equity_capacity"][i] <= room * (1.0 + 1e-12), f"firm {i} raises more than it could"
        assert new["headroom"][i] <= now["accrued"][i] * (1.0 + 1e-12), f"equity headroom of firm {i} appears"


def maturities(book, state, now, new) -> None:
    """What is refinanced ahead is a part of what matures, and what lenders have room for."""
    loans = book.loans
    for m, share in enumerate(new["maturing"]):
        assert 0.0 <= share <= 1.0, f"share of loan {m} that matures is outside [0, 1]"
        ahead, early = now["ahead"][m], now["early"][m]
        assert 0.0 <= ahead <= early * (1.0 + 1e-12), (
            f"more of loan {m} is refinanced ahead than is asked for"
        )
        assert early == 0.0 or not now["bullet"][m], f"loan {m} matures and is refinanced ahead of it"
        if now["bullet"][m] and not (now["still"][m] and now["loan_unpaid"][m] > 1e-6):
            assert share == 1.0, f"loan {m} has been renewed and only a part of it matures"
        elif now["bullet"][m]:
            past_due = share * now["balance_after_service"][m]
            assert past_due >= now["loan_unpaid"][m] - 1e-9, f"less of loan {m} is past due than is unpaid"
        else:
            left = state["balance"][m] - now["amortisation"][m]
            fallen = (state["maturing"][m] - share) * left
            assert close(fallen, ahead), f"loan {m} matures by another amount than was refinanced ahead"
    for i in [i for i in range(len(book.firms.cash)) if book.firms.outside[i] == 0]:
        mine = [m for m in range(len(loans.borrower)) if loans.borrower[m] == i]
        fresh = sum(now["rolled"][m] + now["ahead"][m] for m in mine)
        old = sum(
            state["balance"][m] - now["due"][m] - now["early"][m] - now["amortisation"][m] for m in mine
        )
        old -= sum(now["converted"][m] for m in mine)
        room = max(now["limit"][i] - now["counted"][i] - old, 0.0)
        ahead = sum(now["ahead"][m] for m in mine)
        enough = ahead == 0.0 or fresh <= room * (1.0 + 1e-9) + 1e-9
        assert enough, f"firm {i} refinances ahead beyond its limit"


def month(book, state, now, new) -> None:
    """All checks of one month."""
    units(book, state, now, new)
    plants(book, state, now, new)
    capex(book, state, now, new)
    rounds(book, state, now, new)
    maturities(book, state, now, new)
