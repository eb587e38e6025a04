"""Section 4 of docs/model.md: debt service, maturities, extension, new money, capex."""

import math

from tests.reference import chips, contracts, plant, policy
from tests.reference.scalars import DT, positive


def by_firm(book, amounts) -> list[float]:
    """Sum of a loan quantity over the loans of each firm."""
    totals = [0.0 for _ in book.firms.cash]
    for m, amount in enumerate(amounts):
        totals[int(book.loans.borrower[m])] += amount
    return totals


def loan_of(one_hot, i: int):
    """The loan marked for firm i in a [loans, firms] one-hot, or None."""
    for m in range(one_hot.shape[0]):
        if one_hot[m, i] > 0:
            return m
    return None


def bridge_loan(book, i: int):
    """The loan that takes a bridge: the firm's revolver, or its growth loan if it has none."""
    revolver = loan_of(book.firms.revolver, i)
    return loan_of(book.firms.growth_loan, i) if revolver is None else revolver


def lent_in_need(book, i: int) -> bool:
    """Whether lenders lend to firm i in need: it is modelled and has a loan that takes the money."""
    return book.firms.outside[i] == 0 and bridge_loan(book, i) is not None


def start_spare(book) -> list[float]:
    """spare_i of month 0: capacity at the terms of month 0, on trailing EBITDA, less what is drawn."""
    credit, firms = book.numbers.credit, book.firms
    drawn = by_firm(book, book.loans.drawn)
    spare = []
    for i in range(len(firms.cash)):
        earning = credit.trailing_weight * positive(firms.ebitda_ttm[i])
        limit = firms.debt_multiple[i] * earning + firms.value_multiple[i] * firms.equity_value[i]
        room = positive(limit * credit.capacity_scale - drawn[i])
        spare.append(room if lent_in_need(book, i) else 0.0)
    return spare


def converts(book, now, m: int) -> bool:
    """Whether the holders of loan m take shares at maturity: the firm's value has reached the agreed one."""
    i, multiple = int(book.loans.borrower[m]), book.loans.conversion[m]
    return multiple > 0.0 and now["value"][i] >= multiple * book.firms.equity_value[i]


def repayment_factor(book, m: int) -> float:
    """f_m: new loans on chips are repaid faster if chips are to live less long than documents say."""
    if m >= len(book.loans.ltv_target) or book.loans.new_money[m] == 0.0:
        return 1.0
    return max(1.0, chips.decline(book) / chips.documented_decline(book))


def refinanced_early(book, state, left: float, m: int, t: int) -> float:
    """early_m: the month's part of what is refinanced ahead of a maturity."""
    ahead = state["maturity"][m] - t
    if not 0 < ahead <= book.numbers.credit.refinance_months:
        return 0.0
    return left * state["maturing"][m] / (1.0 + ahead)


def service(book, state, now, new, t: int) -> None:
    """Interest, amortisation, conversion, what falls due, what may be borrowed in need, before clearing."""
    loans = book.loans
    interest, amortisation, bullet, converted, due = [], [], [], [], []
    now["early"] = []
    for m in range(len(loans.borrower)):
        balance = state["balance"][m]
        rate = state["coupon"][m] + loans.floating[m] * new["short_rate"]
        interest.append(balance * rate * DT if t > loans.interest_from_month[m] else 0.0)
        rate = loans.amortisation[m] * repayment_factor(book, m)
        scheduled = min(balance, rate * DT * state["peak"][m])
        amortisation.append(scheduled if t > loans.amortisation_from_month[m] else 0.0)
        bullet.append(t >= state["maturity"][m] and balance > 0.0)
        left = balance - amortisation[m]
        matures = left * state["maturing"][m]
        converted.append(matures if bullet[m] and converts(book, now, m) else 0.0)
        due.append((matures if bullet[m] else left * loans.ladder[m] * DT) - converted[m])
        now["early"].append(refinanced_early(book, state, left, m, t))
    now["interest"], now["amortisation"], now["bullet"], now["due"] = interest, amortisation, bullet, due
    now["converted"], now["firm_converted"] = converted, by_firm(book, converted)
    now["firm_interest"] = by_firm(book, interest)
    now["firm_amortisation"] = by_firm(book, amortisation)
    now["undrawn_revolver"] = []
    for i in range(len(book.firms.cash)):
        m = loan_of(book.firms.revolver, i)
        free = 0.0 if m is None else positive(loans.committed[m] - state["balance"][m])
        now["undrawn_revolver"].append(free * now["alive"][i])
    now["spare"] = [state["spare"][i] * now["alive"][i] for i in range(len(book.firms.cash))]


def off_balance_sheet(book, state, now, new, t: int) -> None:
    """hidden_i, how much of it lenders have come to count, and what that makes."""
    k, loans, credit = book.contracts, book.loans, book.numbers.credit
    hidden = [0.0 for _ in book.firms.cash]
    for m in range(len(loans.borrower)):
        if loans.guarantee_cover[m] > 0.0:
            hidden[int(loans.guarantor[m])] += loans.guarantee_cover[m] * state["balance"][m]
    for c in range(len(k.buyer)):
        if k.operating[c] > 0 and k.senior[c] > 0 and now["operating"][int(k.seller[c])] > 0:
            buyer = int(k.buyer[c])
            carried = book.firms.debt_multiple[buyer] * contracts.term(book, c, t + 12)
            hidden[buyer] += new["size"][c] * positive(contracts.present_value(book, c, t) - carried)
    belief = max(state["belief"], credit.look_through[new["regime"]], now["levers"].disclosed)
    for m in range(len(loans.borrower)):
        sponsored = loans.has_tenant[m] > 0 or loans.guarantee_cover[m] > 0.0
        if sponsored and now["alive"][int(loans.borrower[m])] == 0.0:
            belief = 1.0
    new["belief"], now["hidden"] = belief, hidden
    now["counted"] = [book.numbers.mechanisms.look_through * belief * amount for amount in hidden]


def pay_in_kind(book, now, i: int, lacking: float) -> float:
    """Interest of firm i that is added to its balances; writes the parts by loan."""
    loans = book.loans
    mine = [m for m in range(len(loans.borrower)) if loans.borrower[m] == i]
    switch = book.numbers.mechanisms.payment_in_kind
    possible = {m: switch * loans.pik_share[m] * now["interest"][m] for m in mine}
    total = sum(possible.values())
    share = min(1.0, lacking / total) if total > 0.0 else 0.0
    for m in mine:
        now["in_kind"][m] = share * possible[m]
    return share * total


def refinance(book, state, draws, now) -> None:
    """What rolls, what is paid, what is issued or drawn, what stays unpaid, by firm."""
    firms, credit = book.firms, book.numbers.credit
    due, debt = by_firm(book, now["due"]), by_firm(book, state["balance"])
    early = by_firm(book, now["early"])
    now["in_kind"] = [0.0 for _ in now["due"]]
    names = ("free", "limit", "rolled_share", "left", "issued", "revolver_draw", "bridged", "unpaid", "short")
    names += ("ahead_share",)
    for name in names:
        now[name] = []
    for i in range(len(firms.cash)):
        free = state["cash"][i] + now["ebitda"][i] + now["raised"][i] + now["promised"][i] + now["aid"][i]
        free -= now["firm_interest"][i] + now["firm_amortisation"][i] + state["fees"][i]
        free += pay_in_kind(book, now, i, positive(-free))
        earning = max(now["forward"][i], credit.trailing_weight * state["trailing"][i], 0.0)
        limit = (firms.debt_multiple[i] * earning + firms.value_multiple[i] * now["value"][i])
        limit *= now["firm_access"][i]
        staying = debt[i] - due[i] - now["firm_amortisation"][i] - now["firm_converted"][i]
        room = positive(limit - now["counted"][i] - staying)
        room_ahead = positive(limit - now["counted"][i] - (staying - early[i]))
        if firms.outside[i] > 0:
            room = room_ahead = math.inf
        share = min(1.0, room / due[i]) if due[i] > 0.0 else 1.0
        ahead = min(1.0, positive(room_ahead - share * due[i]) / early[i]) if early[i] > 0.0 else 0.0
        left = due[i] * (1.0 - share)
        paid = min(positive(free - firms.minimum_cash[i]), left)
        need = positive(-free) + left - paid
        issued = min(need, now["equity_capacity"][i] - now["raised"][i])
        drawn = min(need - issued, now["undrawn_revolver"][i])
        bridged = min(need - issued - drawn, now["spare"][i])
        still = need - issued - drawn - bridged
        unpaid = min(left - paid, still)
        row = (free, limit, share, left, issued, drawn, bridged, unpaid, still - unpaid, ahead)
        for name, number in zip(names, row, strict=True):
            now[name].append(number)
    now["firm_due"] = due
    settle(book, draws, now)


def settle(book, draws, now) -> None:
    """Unpaid part, extension and exchange of each loan; unmet need and cash of each firm."""
    loans = book.loans
    credit_extension = draws["extension"]
    now["rolled"], now["ahead"], now["loan_unpaid"], now["extended"] = [], [], [], []
    now["exchange"] = [False for _ in book.firms.cash]
    lost = [0.0 for _ in book.firms.cash]
    for m in range(len(loans.borrower)):
        i = int(loans.borrower[m])
        now["rolled"].append(now["due"][m] * now["rolled_share"][i])
        now["ahead"].append(now["early"][m] * now["ahead_share"][i])
        share = now["unpaid"][i] / now["firm_due"][i] if now["firm_due"][i] > 0.0 else 0.0
        unpaid = now["due"][m] * share
        tenant = loans.has_tenant[m] > 0 and now["operating"][int(loans.tenant[m])] > 0
        earning = now["forward"][i] > 0.0
        granted = credit_extension[m] < loans.extension_probability[m] and earning
        extended = tenant or granted
        either = loans.extension_probability[m] + loans.exchange_probability[m]
        if unpaid > 1e-6 and not extended and credit_extension[m] < either and earning:
            now["exchange"][i] = True
        lost[i] += 0.0 if extended else unpaid
        now["loan_unpaid"].append(unpaid)
        now["extended"].append(extended)
    now["unmet"], now["cash_after_service"] = [], []
    for i in range(len(book.firms.cash)):
        now["unmet"].append(now["short"][i] + now["arrears"][i] + lost[i])
        outlay = now["left"][i] - now["unpaid"][i]
        cash = now["free"][i] + now["issued"][i] + now["revolver_draw"][i] + now["bridged"][i] - outlay
        now["cash_after_service"].append(max(cash, 0.0))


def still_maturing(state, now, m: int) -> float:
    """mu'_m: share of the balance that nobody has refinanced ahead; 1 again after a maturity."""
    left = state["balance"][m] - now["amortisation"][m]
    if now["bullet"][m]:
        return 1.0
    return max(state["maturing"][m] - (now["ahead"][m] / left if left > 0.0 else 0.0), 0.0)


def balances(book, state, now, new, t: int) -> None:
    """Draws, B1, maturities and coupons."""
    loans = book.loans
    debt = by_firm(book, state["balance"])
    now["draw"], now["balance_after_service"] = [], []
    new["maturity"], new["coupon"], new["maturing"] = [], [], []
    for m in range(len(loans.borrower)):
        i = int(loans.borrower[m])
        draw = 0.0
        if loans.draw_months[m] > 0 and t <= loans.draw_months[m]:
            draw = (loans.committed[m] - loans.drawn[m]) / loans.draw_months[m]
            draw *= min(1.0, new["capex_factor"]) * now["alive"][i]
        balance = state["balance"][m] - now["amortisation"][m] - now["converted"][m] - now["due"][m]
        balance += now["rolled"][m] + now["loan_unpaid"][m] + now["in_kind"][m] + draw
        if book.firms.revolver[m, i] > 0:
            balance += now["revolver_draw"][i]
        if bridge_loan(book, i) == m:
            balance += now["bridged"][i]
        maturity = state["maturity"][m]
        if now["bullet"][m]:
            refinanced = now["loan_unpaid"][m] <= 1e-6
            maturity = t + (loans.tenor_months[m] if refinanced else book.numbers.credit.extension_months)
        new["maturing"].append(still_maturing(state, now, m))
        weight = (now["rolled"][m] + now["ahead"][m]) / max(balance, 1e-9)
        seen = now["counted"][i]
        jump = book.numbers.credit.look_through_spread * seen / max(debt[i] + seen, 1e-9)
        fresh = loans.refinancing_margin[m] * now["firm_spread"][i] * (1.0 + jump)
        fresh += (1.0 - loans.floating[m]) * new["short_rate"]
        coupon = state["coupon"][m] + weight * (fresh - state["coupon"][m])
        now["draw"].append(draw)
        now["balance_after_service"].append(balance)
        new["maturity"].append(maturity)
        new["coupon"].append(coupon)


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
    ordered = book.numbers.chips.order_share * planned * new["order_factor"]
    grow = plant.growth(book, now, i) * now["alive"][i]
    keep = plant.replacement(book, now, i) * now["alive"][i]
    want = max(planned * new["capex_factor"], ordered, grow) + keep
    for name, number in (("ordered", ordered), ("plant_growth", grow), ("replacement", keep), ("want", want)):
        now[name].append(number)
    return want


def growth_debt(book, now, i: int, own: float, stock: float, room: float) -> tuple[float, float, float]:
    """debt deg, debt a and debt of firm i into its growth loan: wanted, under the cap, after funds' part."""
    growth_loan, pi = loan_of(book.firms.growth_loan, i), now["levers"]
    if growth_loan is None or book.firms.outside[i] > 0:
        return 0.0, 0.0, 0.0
    advanced = book.numbers.mechanisms.build_up * plant.advance(book, i)
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


def invest(book, state, now, new, t: int) -> None:
    """Own capex from cash, equity and growth debt; fees; what is spare; origination; peaks; trailing EBITDA."""
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
        new["spare"].append(unused if lent_in_need(book, i) else 0.0)
        trailing = state["trailing"][i]
        new["trailing"].append(trailing + DT * (now["ebitda"][i] / DT - trailing))
    lent = book.numbers.credit.origination * now["capex"] * DT * now["felt_supply"]
    now["origination_wanted"] = build_up * lent
    now["origination"] = now["origination_wanted"] * (1.0 - pi.barred)
    for m in range(len(loans.borrower)):
        share = loans.origination_share[m] * now["origination"] * now["alive"][int(loans.borrower[m])]
        share *= policy.left_by_funds(pi, now["fund_share"][m])
        balance[m] += share
        borrowed[m] += share
    now["borrowed"], new["balance"] = borrowed, balance
    new["peak"] = [max(state["peak"][m], balance[m]) for m in range(len(balance))]


def month(book, state, draws, now, new, t: int) -> None:
    """Section 4 after contracts have cleared."""
    off_balance_sheet(book, state, now, new, t)
    refinance(book, state, draws, now)
    balances(book, state, now, new, t)
    invest(book, state, now, new, t)
