"""What must hold inside every month of every path, whatever the book; each failure is a sentence."""

import math

from tests.reference import audit_lenders as lenders
from tests.reference import audit_operators as operators
from tests.reference.scalars import ALIVE, EXCHANGE, close


def money(book, state, now) -> None:
    """What buyers, guarantors, backers and re-letting pay, sellers receive; nobody pays more than is owed."""
    k = book.contracts
    switch = book.numbers.mechanisms.circular_contracts
    contracts, firms = range(len(k.buyer)), range(len(book.firms.cash))
    operating = [c for c in contracts if k.operating[c] > 0]
    backstops = [c for c in contracts if k.backstop[c] > 0]
    paid_by_firm = [sum(now["paid"][c] for c in operating if k.buyer[c] == i) for i in firms]
    got_by_firm = [sum(now["received"][c] for c in operating if k.seller[c] == i) for i in firms]
    backed_by_firm = [sum(now["received"][c] for c in backstops if k.seller[c] == i) for i in firms]
    backed = sum(now["paid"][c] for c in backstops)
    found = sum(paid_by_firm) + sum(now["guarantee"]) + sum(now["relet"])
    full = sum(now["served"][c] for c in operating)
    expected = switch * found + (1.0 - switch) * full
    assert close(expected, sum(got_by_firm)), "what contracts' sellers received was not paid by anybody"
    assert close(switch * backed, sum(backed_by_firm)), "what backstops' sellers received was not paid"
    for c in contracts:
        if c not in operating and c not in backstops:
            nothing = now["paid"][c] == now["received"][c] == now["guarantee"][c] == now["relet"][c] == 0.0
            assert nothing, f"contract {c} moves cash although it pays for nothing"
    for c in backstops:
        most = now["full_size"][c] / 12.0 * (1.0 + 1e-12)
        assert 0.0 <= now["paid"][c] <= most, f"backstop {c} pays more than its size"
    for c in operating:
        most = now["obligation"][c] * (1.0 + 1e-12)
        assert 0.0 <= now["paid"][c] <= most, f"contract {c} paid more than it owed"
        assert now["guarantee"][c] >= 0.0 and now["relet"][c] >= 0.0, f"contract {c} has a negative guarantee"
    for i, theta in enumerate(now["theta"]):
        for rank in (1, 2):
            assert 0.0 <= theta[rank] <= 1.0, f"theta of firm {i} at rank {rank} is outside [0, 1]"
        if not now["operating"][i]:
            assert theta[1] == 0.0 and theta[2] == 0.0, f"firm {i} pays although it is dead"


def support(book, state, now, new) -> None:
    """Vendors pay support from their purse, which rolls forward by it; warrants cost them no cash."""
    k, firms = book.contracts, book.firms
    contracts = range(len(k.buyer))
    for i in range(len(firms.cash)):
        if firms.chip_sales_share[i] == 0.0:
            assert new["purse"][i] == 0.0, f"firm {i} sells no chips and has a purse"
            continue
        spend = book.numbers.chips.capex_chip_share * now["capex"] / 12.0
        funds = state["purse"][i] + firms.support_share[i] * firms.chip_sales_share[i] * spend
        funds = max(funds - sum(now["obligation"][c] for c in contracts if k.buyer[c] == i), 0.0)
        spent = sum(now["commitment"][c] for c in contracts if k.equity[c] > 0 and k.buyer[c] == i)
        spent += sum(now["guarantee"][c] for c in contracts if k.guarantor[c] == i)
        spent += sum(now["paid"][c] for c in contracts if k.backstop[c] > 0 and k.buyer[c] == i)
        if book.numbers.mechanisms.vendor_purse == 1.0:
            assert spent <= funds * (1.0 + 1e-9) + 1e-12, f"vendor {i} gives more support than it has"
        kept = min(max(funds - spent, 0.0), firms.cash[i])
        assert new["purse"][i] >= 0.0, f"purse of vendor {i} is negative"
        assert close(new["purse"][i], kept), f"purse of vendor {i} does not follow its payments"
    for i in range(len(firms.cash)):
        sold = [c for c in contracts if k.operating[c] > 0 and k.seller[c] == i]
        got = sum(now["paid"][c] + now["guarantee"][c] + now["relet"][c] for c in sold)
        got += sum(now["paid"][c] for c in contracts if k.backstop[c] > 0 and k.seller[c] == i)
        full = sum(now["served"][c] for c in sold)
        assert got <= full * (1.0 + 1e-9) + 1e-12, f"firm {i} is paid for more than it can sell"
    for name in ("support_share_equity", "support_paid", "to_relet"):
        for i, share in enumerate(now[name]):
            assert 0.0 <= share <= 1.0, f"{name} of firm {i} is outside [0, 1]"


def debt_service(book, state, now, new) -> None:
    """Debt falls by what was paid or converted and rises by what was drawn; cash moves by the payments."""
    loans = book.loans
    for i in range(len(book.firms.cash)):
        mine = [m for m in range(len(loans.borrower)) if loans.borrower[m] == i]
        repaid = now["left"][i] - now["unpaid"][i]
        change = sum(now["balance_after_service"][m] - state["balance"][m] for m in mine)
        drawn = sum(now["draw"][m] for m in mine)
        lent = now["revolver_draw"][i] + now["bridged"][i]
        added = sum(now["in_kind"][m] for m in mine)
        shares = sum(now["converted"][m] for m in mine)
        expected = drawn + lent + added - repaid - shares - now["firm_amortisation"][i]
        assert close(change, expected), f"debt of firm {i} does not follow its payments"
        cash = now["free"][i] + now["issued"][i] + lent - repaid + now["short"][i]
        scale = 1.0 + abs(now["free"][i]) + now["left"][i]
        moved = close(cash, now["cash_after_service"][i], scale)
        assert moved, f"cash of firm {i} does not follow its payments"
        assert now["bridged"][i] <= state["spare"][i], f"firm {i} borrows more in need than is lent"
        parts = "issued revolver_draw bridged unpaid short own_capex capex_stock capex_debt"
        for name in parts.split():
            assert now[name][i] >= -1e-9, f"{name} of firm {i} is negative"
    for m, added in enumerate(now["in_kind"]):
        assert 0.0 <= added <= now["interest"][m], f"loan {m} adds more than its interest to its balance"
    for m, converted in enumerate(now["converted"]):
        most = (state["balance"][m] - now["amortisation"][m]) * state["maturing"][m]
        assert converted in (0.0, most), f"loan {m} is converted in part"
        agreed = loans.conversion[m] > 0.0 and now["bullet"][m]
        assert converted == 0.0 or agreed, f"loan {m} is converted and may not be"
        assert converted == 0.0 or now["due"][m] == 0.0, f"loan {m} is converted and falls due"
    for m, balance in enumerate(new["balance"]):
        assert balance >= -1e-9, f"balance of loan {m} is negative"
    for i, cash in enumerate(new["cash"]):
        assert cash >= -1e-9, f"cash of firm {i} is negative"
        assert new["headroom"][i] >= -1e-9, f"equity headroom of firm {i} is negative"


def policy(book, state, now, new) -> None:
    """Aid goes to labs that lack it; what is not lent of what would be is what the levers cost; caps hold."""
    limit, cap = now["levers"].aid, now["levers"].cap
    assert sum(now["aid"]) <= limit * (1.0 + 1e-12), "more aid is paid than there is"
    for i, aid in enumerate(now["aid"]):
        needs = book.firms.lab[i] > 0 and now["operating"][i] > 0
        assert 0.0 <= aid <= (now["missing"][i] if needs else 0.0), f"firm {i} gets aid that it does not need"
        spent = now["own_capex"][i] + now["capex_stock"][i] + now["capex_debt"][i]
        if book.firms.neocloud[i] > 0:
            within = now["capex_debt"][i] <= cap * spent * (1.0 + 1e-9)
            assert within, f"neocloud {i} borrows more of its capex than the cap allows"
    taken, lent = 0.0, sum(now["borrowed"]) - sum(now["draw"])
    for m, share in enumerate(now["loan_share"]):
        taken += share * now["alive"][int(book.loans.borrower[m])]
    for p, share in enumerate(book.pools.origination_share):
        taken += share
        lent += new["new_money"][p] - state["new_money"][p]
    forgone = sum(now["capex_debt_wanted"]) + taken * now["origination_wanted"] - lent
    _, _, rule, disclosure, savers, advance_cap = now["policy_cost"]
    assert close(forgone, rule + savers + advance_cap), "lending that is forgone is not what levers cost"
    assert min(now["policy_cost"]) >= 0.0 and disclosure == 0.0, "a lever earns, or disclosure costs"


def collateral(book, state, now, new) -> None:
    """Cures and sweeps leave cash and equity and repay debt; foreclosed borrowers pay neither."""
    loans = book.loans
    for i in range(len(book.firms.cash)):
        mine = [v for v in range(len(loans.ltv_target)) if loans.borrower[v] == i]
        repaid = sum(now["cured"][v] + now["swept"][v] for v in mine)
        funds = now["cash_after_service"][i] - now["own_capex"][i]
        funds += now["equity_capacity"][i] - now["raised"][i] - now["issued"][i] - now["capex_stock"][i]
        if i not in now["fallen"]:
            left = new["cash"][i] + now["equity_now"][i]
            assert close(funds - left, repaid, 1.0 + funds), f"firm {i} repays what it does not spend"
        if i in now["foreclosed_firms"]:
            assert repaid == 0.0, f"firm {i} is foreclosed and yet repays"
        if i in now["fallen"]:
            continue
        for m in [m for m in range(len(loans.borrower)) if loans.borrower[m] == i]:
            paid = now["cured"][m] + now["swept"][m] if m in mine else 0.0
            grown = now["borrowed"][m] - now["draw"][m]
            expected = now["balance_after_service"][m] + grown - paid
            assert close(new["balance"][m], expected), f"balance of loan {m} does not follow its payments"


def dead(book, state, new) -> None:
    """Defaulted firms owe, pledge and may borrow nothing; the dead have nothing; a firm defaults once."""
    for v, row in enumerate(new["pledged"]):
        if new["cause"][int(book.loans.borrower[v])] not in (ALIVE, EXCHANGE):
            assert not any(row), f"loan {v} still has chips pledged after its borrower's default"
    for m, balance in enumerate(new["balance"]):
        if new["cause"][int(book.loans.borrower[m])] != ALIVE:
            assert balance == 0.0, f"loan {m} still has a balance after its borrower's default"
    for i, cause in enumerate(new["cause"]):
        assert cause == ALIVE or new["spare"][i] == 0.0, f"firm {i} has defaulted and may still borrow"
        if cause not in (ALIVE, EXCHANGE):
            assert new["cash"][i] == 0.0, f"firm {i} is dead and has cash"
        if state["cause"][i] != ALIVE:
            assert cause == state["cause"][i], f"firm {i} defaults twice"
            assert new["default_month"][i] == state["default_month"][i], f"firm {i} defaults twice"


def losses(book, state, now, new) -> None:
    """Loss by instrument adds up, loans lose at most their balance, tranches what their pool loses."""
    pools = book.pools
    total = sum(now["loan_loss"]) + sum(now["obligor_loss"]) + sum(now["tranche_loss"])
    assert close(total, now["system_loss"]), "losses by instrument do not add up to the system's"
    for m, loss in enumerate(now["loan_loss"]):
        most = now["balance_at_default"][m] * (1.0 + 1e-12)
        assert -1e-12 <= loss <= most, f"loan {m} loses more than its balance"
        lent = now["balance_at_default"][m] if int(book.loans.borrower[m]) in now["fallen"] else 0.0
        assert close(loss, lent * (1.0 - now["recovery"][m])), f"loss of loan {m} is not its shortfall"
    for p in range(len(pools.balance)):
        lost = (new["pool_loss"][p] - state["pool_loss"][p]) * now["notional"][p]
        tranches = [k for k in range(len(pools.tranche_pool)) if pools.tranche_pool[k] == p]
        members = [o for o in range(len(pools.obligor_pool)) if pools.obligor_pool[o] == p]
        direct = sum(now["obligor_loss"][o] for o in members)
        if tranches:
            split = sum(now["tranche_loss"][k] for k in tranches)
            assert close(split, lost), f"tranches of pool {p} do not lose what the pool loses"
            assert direct == 0.0, f"pool {p} loses twice, by tranche and by obligor"
        else:
            assert close(direct, lost), f"obligors of pool {p} do not lose what the pool loses"
        assert 0.0 <= new["pool_loss"][p] <= 1.0, f"pool {p} loses more than all"
        assert new["pool_debt"][p] <= state["pool_debt"][p], f"debt of pool {p} grows"
        assert 0.0 <= new["pool_debt"][p] <= 1.0, f"debt of pool {p} is outside [0, 1]"


def state_range(book, now, new) -> None:
    """Supply between nothing and one; sizes, discounts and access in their ranges; everything finite."""
    n = book.numbers
    assert -1e-12 <= new["supply"] <= 1.0, "supply of credit is out of its range"
    for c, size in enumerate(new["size"]):
        assert 0.0 <= size <= 1.0, f"size of contract {c} is outside [0, 1]"
    for g, discount in enumerate(new["fire_sale"]):
        assert 0.0 <= discount <= n.chips.impact_cap, f"fire-sale discount of generation {g} is off"
    for name in ("log_revenue", "log_equity", "short_rate", "supply", "bust_years"):
        assert math.isfinite(new[name]), f"{name} is not finite"


def month(book, state, now, new) -> None:
    """All checks of one month."""
    policy(book, state, now, new)
    money(book, state, now)
    support(book, state, now, new)
    debt_service(book, state, now, new)
    operators.month(book, state, now, new)
    collateral(book, state, now, new)
    dead(book, state, new)
    losses(book, state, now, new)
    lenders.month(book, state, now, new)
    state_range(book, now, new)
