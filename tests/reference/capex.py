"""The end of section 4 of docs/model.md: what firms build, how they pay for it, new lending of the sector."""

from tests.reference import plant, policy
from tests.reference.borrowers import bridge_loan, by_firm, lent_in_need, loan_of
from tests.reference.scalars import DT, positive


def capex_scale(book, new, i: int) -> float:
    """scale_i: size of the contract that a firm builds for, 1 if none."""
    for c in range(len(book.contracts.buyer)):
        if book.firms.capex_contract[i, c] > 0:
            return new["size"][c]
    return 1.0


def wanted_capex(book, now, new, i: int, t: int) -> float:
    """want_i: the plan, what was ordered or what contracts will need, and what fails; writes the parts."""
    plan = book.calendar.firm_capex[min(t, len(book.calendar.firm_capex)) - 1]
    planned = plan[i] * DT * capex_scale(book, new, i) * now["alive"][i]
    grow = plant.growth(book, now, i) * now["alive"][i]
    ordered = book.numbers.chips.order_share * max(planned * new["order_factor"], grow)
    keep = plant.replacement(book, now, i) * now["alive"][i]
    want = max(planned * new["capex_factor"] * now["capex_answer"], ordered, grow) + keep
    for name, number in (("ordered", ordered), ("plant_growth", grow), ("replacement", keep), ("want", want)):
        now[name].append(number)
    return want


def growth_debt(book, now, i: int, own: float, stock: float, room: float) -> tuple[float, float, float]:
    """debt deg, debt a and debt of firm i into its growth loan: wanted, under the cap, after funds' part."""
    growth_loan, pi = loan_of(book.firms.growth_loan, i), now["levers"]
    if growth_loan is None or book.firms.outside[i] > 0:
        return 0.0, 0.0, 0.0
    advanced = book.numbers.mechanisms.build_up * plant.advance(book, i) * now["granted"][growth_loan]
    wanted = advanced * min(now["want"][i] - own - stock, room)
    allowed = policy.capped(pi, own, stock, wanted) if book.firms.neocloud[i] > 0 else wanted
    return wanted, allowed, allowed * policy.left_by_funds(pi, now["fund_share"][growth_loan])


def chips_bought(book, now, i: int, spent: float, debt: float) -> list[float]:
    """bought_ig: chips free of pledge, of what an operator spends beyond chips pledged to its growth loan."""
    growth_loan = loan_of(book.firms.growth_loan, i)
    pledged = 0.0
    if growth_loan is not None and growth_loan < len(book.loans.ltv_target):
        pledged = book.numbers.credit.chips_per_draw * debt
    paid = positive(book.numbers.chips.plant_chip_share * spent - pledged)
    if not plant.is_operator(book, i):
        paid = 0.0
    return [paid * now["mix"][g] / book.chips.list_price[g] for g in range(len(now["mix"]))]


def month(book, state, now, new, t: int) -> None:
    """Own capex from cash, equity and growth debt; fees; what is spare; origination; peaks; EBITDA."""
    firms, loans, n = book.firms, book.loans, book.numbers
    build_up, pi = n.mechanisms.build_up, now["levers"]
    debt_now = by_firm(book, now["balance_after_service"])
    borrowed = list(now["draw"])
    balance = list(now["balance_after_service"])
    for name in ("ordered", "plant_growth", "replacement", "want", "own_capex", "capex_stock", "capex_debt"):
        now[name] = []
    for name in ("capex_debt_wanted", "capex_debt_capped", "spent", "plant_bought", "equity_now"):
        now[name] = []
    for name in ("cash", "headroom", "trailing", "spare", "fees"):
        new[name] = []
    for i in range(len(firms.cash)):
        cash = now["cash_after_service"][i]
        left = now["equity_capacity"][i] - now["raised"][i] - now["issued"][i]
        want = wanted_capex(book, now, new, i, t)
        own = min(want, positive(cash - firms.minimum_cash[i]))
        stock = min(firms.equity_capex_share[i] * (want - own), left)
        ceiling = n.credit.growth_limit * now["limit"][i]
        room = positive(ceiling - debt_now[i] - now["counted"][i]) * now["felt_supply"]
        wanted, allowed, debt = growth_debt(book, now, i, own, stock, room)
        growth_loan = loan_of(firms.growth_loan, i)
        if growth_loan is not None:
            balance[growth_loan] += debt
            borrowed[growth_loan] += debt
        spent = own + stock + debt
        now["own_capex"].append(own)
        now["capex_stock"].append(stock)
        now["capex_debt_wanted"].append(wanted)
        now["capex_debt_capped"].append(allowed)
        now["capex_debt"].append(debt)
        now["spent"].append(spent)
        now["plant_bought"].append(chips_bought(book, now, i, spent, debt))
        now["equity_now"].append(left - stock)
        cancelled = positive(now["ordered"][i] - spent) * now["operating"][i]
        new["fees"].append(n.mechanisms.orders * n.chips.order_fee * cancelled)
        new["cash"].append(cash - own)
        used = now["raised"][i] + now["issued"][i] + stock
        kept = positive(now["accrued"][i] - positive(used - now["sponsor"][i]))
        new["headroom"].append(kept * now["operating"][i])
        seen = now["counted"][i]
        unused = positive(now["limit"][i] - debt_now[i] - seen - debt) * now["felt_supply"]
        new["spare"].append(now["granted"][bridge_loan(book, i)] * unused if lent_in_need(book, i) else 0.0)
        trailing = state["trailing"][i]
        new["trailing"].append(trailing + DT * (now["ebitda"][i] / DT - trailing))
    lent = book.numbers.credit.origination * now["capex"] * DT * now["felt_supply"]
    now["origination_wanted"] = build_up * lent
    now["origination"] = now["origination_wanted"] * (1.0 - pi.barred)
    for m in range(len(loans.borrower)):
        share = now["loan_share"][m] * now["origination"] * now["alive"][int(loans.borrower[m])]
        share *= policy.left_by_funds(pi, now["fund_share"][m])
        balance[m] += share
        borrowed[m] += share
    now["borrowed"], new["balance"] = borrowed, balance
    new["peak"] = [max(state["peak"][m], balance[m]) for m in range(len(balance))]
