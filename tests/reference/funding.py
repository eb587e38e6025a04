"""Section 4 of docs/model.md: debt service, maturities, extension, new money; capex is in capex.py."""

import math

from tests.reference import capex, chips, contracts
from tests.reference.borrowers import bridge_loan, by_firm, lent_in_need, loan_of
from tests.reference.scalars import DT, positive


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
        share = state["maturing"][m]
        rate = share * state["coupon"][m] + (1.0 - share) * state["ahead_coupon"][m]
        rate += loans.floating[m] * new["short_rate"]
        deserted = loans.has_tenant[m] > 0 and not now["operating"][int(loans.tenant[m])]
        due_now = t > loans.interest_from_month[m] or deserted
        interest.append(balance * rate * DT if due_now else 0.0)
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


def rationed(book, state, now) -> None:
    """Margins that lenders ask, at most the ceiling, and psi_m: the share they lend at it."""
    loans, credit = book.loans, book.numbers.credit
    debt = by_firm(book, state["balance"])
    now["margin"], now["granted"] = [], []
    for m in range(len(loans.borrower)):
        i = int(loans.borrower[m])
        seen = now["counted"][i]
        jump = credit.look_through_spread * seen / max(debt[i] + seen, 1e-9)
        asked = loans.refinancing_margin[m] * now["firm_spread"][i] * (1.0 + jump)
        dear = asked > credit.margin_ceiling
        now["margin"].append(credit.margin_ceiling if dear else asked)
        now["granted"].append(credit.margin_ceiling / asked if dear and not book.firms.outside[i] else 1.0)


def extend_by_right(book, state, now, new, t: int) -> None:
    """A loan on a site that is let is extended as agreed where lenders would ask for more than it bears."""
    loans = book.loans
    now["by_right"], now["market_coupon"] = [], []
    for m in range(len(loans.borrower)):
        market = now["margin"][m] + (1.0 - loans.floating[m]) * new["short_rate"]
        agreed = loans.has_tenant[m] > 0 and now["operating"][int(loans.tenant[m])] > 0
        sold = [c for c in range(len(book.contracts.seller)) if book.contracts.seller[c] == loans.borrower[m]]
        let = any(book.contracts.operating[c] > 0 and contracts.term(book, c, t) > 0.0 for c in sold)
        by_right = state["option"][m] and agreed and let and market > state["coupon"][m]
        if by_right:
            now["early"][m] = 0.0
            if now["bullet"][m]:
                now["due"][m] = 0.0
        now["by_right"].append(by_right)
        now["market_coupon"].append(market)


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
        limit = firms.debt_multiple[i] * earning + firms.value_multiple[i] * now["value"][i]
        limit *= now["firm_access"][i]
        staying = debt[i] - due[i] - now["firm_amortisation"][i] - now["firm_converted"][i]
        room = positive(limit - now["counted"][i] - staying)
        room_ahead = positive(limit - now["counted"][i] - (staying - early[i]))
        if firms.outside[i] > 0:
            room = room_ahead = math.inf
        share = min(1.0, room / due[i]) if due[i] > 0.0 else 1.0
        mine = [m for m in range(len(book.loans.borrower)) if book.loans.borrower[m] == i]
        rolled = share * sum(now["due"][m] * now["granted"][m] for m in mine)
        ahead = min(1.0, positive(room_ahead - rolled) / early[i]) if early[i] > 0.0 else 0.0
        left = sum(now["due"][m] * (1.0 - share * now["granted"][m]) for m in mine)
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
    settle(book, draws, now)


def settle(book, draws, now) -> None:
    """Unpaid part, standstill, extension and exchange of each loan; unmet need and cash of each firm."""
    loans = book.loans
    now["rolled"], now["ahead"], now["loan_unpaid"] = [], [], []
    now["still"], now["extended"], now["amended"] = [], [], []
    now["exchange"] = [False for _ in book.firms.cash]
    lost = [0.0 for _ in book.firms.cash]
    for m in range(len(loans.borrower)):
        i = int(loans.borrower[m])
        rolled = now["due"][m] * now["rolled_share"][i] * now["granted"][m]
        now["rolled"].append(rolled)
        now["ahead"].append(now["early"][m] * now["ahead_share"][i] * now["granted"][m])
        share = now["unpaid"][i] / now["left"][i] if now["left"][i] > 0.0 else 0.0
        unpaid = (now["due"][m] - rolled) * share
        tenant = loans.has_tenant[m] > 0 and now["operating"][int(loans.tenant[m])] > 0
        worth = now["limit"][i] > 0.0
        held = book.numbers.credit.standstill_months if loans.extension_probability[m] > 0.0 else 1.0
        decision = 1.0 - held * (1.0 - draws["extension"][m])
        still = decision < 0.0 and worth and not tenant
        amended = not tenant and not still and decision < loans.extension_probability[m] and worth
        extended = tenant or amended
        either = loans.extension_probability[m] + loans.exchange_probability[m]
        if unpaid > 1e-6 and not still and not extended and decision < either and worth:
            now["exchange"][i] = True
        lost[i] += 0.0 if still or extended else unpaid
        now["loan_unpaid"].append(unpaid)
        now["still"].append(still)
        now["extended"].append(extended)
        now["amended"].append(amended)
    now["unmet"], now["cash_after_service"] = [], []
    for i in range(len(book.firms.cash)):
        now["unmet"].append(now["short"][i] + now["arrears"][i] + lost[i])
        outlay = now["left"][i] - now["unpaid"][i]
        cash = now["free"][i] + now["issued"][i] + now["revolver_draw"][i] + now["bridged"][i] - outlay
        now["cash_after_service"].append(max(cash, 0.0))


def blend(parts) -> float:
    """Mean of coupons, each with its amount; None where there is nothing."""
    total = sum(amount for amount, _ in parts)
    return sum(amount * coupon for amount, coupon in parts) / total if total > 0.0 else None


def renewed(book, state, now, new, m: int, t: int) -> None:
    """Coupons, maturity, share that still matures and right to extend of loan m.

    The part refinanced ahead bears its own coupon until the loan as a whole has been dealt with.
    """
    loans, market = book.loans, now["market_coupon"][m]
    balance, unpaid = now["balance_after_service"][m], now["loan_unpaid"][m]
    left = state["balance"][m] - now["amortisation"][m]
    coupon, earlier = state["coupon"][m], (left * (1.0 - state["maturing"][m]), state["ahead_coupon"][m])
    fresh, maturity, option = now["ahead"][m], state["maturity"][m], state["option"][m]
    if not now["bullet"][m]:
        rung = min(now["rolled"][m] / balance, 1.0) if balance > 0.0 else 0.0
        coupon += rung * (market - coupon)
        maturing = max(1.0 - (earlier[0] + fresh) / left, 0.0) if left > 0.0 else 1.0
        ahead = blend([earlier, (fresh, market)])
    else:
        fresh += now["rolled"][m] + (unpaid if now["amended"][m] else 0.0)
        ahead = blend([earlier, (fresh, market)])
        if unpaid > 1e-6 and now["still"][m]:
            maturing = 1.0 - (earlier[0] + fresh) / balance
        else:
            share = min((earlier[0] + fresh) / balance, 1.0) if balance > 0.0 else 0.0
            coupon += share * ((market if ahead is None else ahead) - coupon)
            maturing = 1.0
            extended = unpaid > 1e-6 or now["by_right"][m]
            maturity = t + (book.numbers.credit.extension_months if extended else loans.tenor_months[m])
            if not extended:
                option = True
            elif now["by_right"][m]:
                option = False
    new["coupon"].append(coupon)
    new["ahead_coupon"].append(state["ahead_coupon"][m] if ahead is None else ahead)
    new["maturing"].append(maturing)
    new["maturity"].append(maturity)
    new["option"].append(option)


def balances(book, state, now, new, t: int) -> None:
    """Draws, B1, maturities and coupons."""
    loans = book.loans
    now["draw"], now["balance_after_service"] = [], []
    for name in ("coupon", "ahead_coupon", "maturing", "maturity", "option"):
        new[name] = []
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
        now["draw"].append(draw)
        now["balance_after_service"].append(balance)
        renewed(book, state, now, new, m, t)


def month(book, state, draws, now, new, t: int) -> None:
    """Section 4 after contracts have cleared."""
    off_balance_sheet(book, state, now, new, t)
    rationed(book, state, now)
    extend_by_right(book, state, now, new, t)
    refinance(book, state, draws, now)
    balances(book, state, now, new, t)
    capex.month(book, state, now, new, t)
