"""Section 8 of docs/model.md up to what lenders recognise."""

from tests.reference import capital
from tests.reference.scalars import LENDER_CLEARING, clip, positive

ROUNDS = 4


def exposure(book, now, new) -> float:
    """Debt outstanding at the end of the month: loans, what lives of credit pools, debt of lease pools."""
    pools = book.pools
    total = sum(new["balance"])
    for p in range(len(pools.balance)):
        notional = pools.balance[p] + new["new_money"][p]
        if pools.credit[p] > 0:
            dead = 0.0
            for o in range(len(pools.obligor_pool)):
                if pools.obligor_pool[o] == p and now["is_dead"][o]:
                    dead += pools.obligor_share[p, o]
            total += notional * (1.0 - dead)
        else:
            total += notional * new["pool_debt"][p]
    return total


def book_losses(book, state, now, new) -> None:
    """b': losses fall on holders, and on buyers as far as holders had sold before the month."""
    lenders, lost = book.lenders, now["loss_by_instrument"]
    holders = range(len(lenders.capital))
    moved, fallen = [], []
    for lender in holders:
        mine = [lenders.holdings[lender, i] * lost[i] for i in range(len(lost))]
        paper = sum(mine[i] * book.paper.marketable[i] for i in range(len(lost)))
        moved.append(state["sold"][lender] * paper)
        fallen.append(sum(mine))
    new["booked"] = []
    for lender in holders:
        bought = lenders.buyer_weight[lender] * sum(moved)
        new["booked"].append(state["booked"][lender] + fallen[lender] - moved[lender] + bought)


def paper_of(book, lender: int) -> float:
    """H_l: marketable paper drawn at month 0, USD bn."""
    return sum(book.paper.held[lender])


def funds(book, state, new, j: int) -> tuple[float, float]:
    """Capital and debt of a vehicle: a drawn line takes the place of capital, sales repay debt."""
    lenders = book.lenders
    paid_out = state["withdrawn"][j] * capital.whole(book, new, j)
    proceeds = positive(state["sold"][j] * paper_of(book, j) * new["growth"][j] - state["trading"][j])
    owed = lenders.debt[j] * new["scale"][j] + paid_out - proceeds
    return positive(capital.left(book, new, j) - paid_out), positive(owed)


def vehicle(book, capital: float, owed: float, lost: float) -> dict:
    """What is left of a vehicle that lost `lost`, and what its creditors and owners lose."""
    cost = book.numbers.lenders.bankruptcy_cost
    left, failed = capital + owed - lost, lost > capital
    theta = clip((1.0 - cost) * left / (owed if owed > 0.0 else 1.0), 0.0, 1.0) if failed else 1.0
    return {
        "left": left,
        "theta": theta,
        "debt_loss": owed * (1.0 - theta),
        "equity_loss": min(lost, capital) + positive(-left),
        "dead_weight": cost * positive(left) if failed else 0.0,
    }


def passed_on(book, vehicles: list[dict], lender: int) -> float:
    """n_l: what a lender loses as creditor and owner of vehicles."""
    loss = 0.0
    for j, found in enumerate(vehicles):
        loss += book.lenders.debt_share[lender, j] * found["debt_loss"]
        loss += book.lenders.equity_share[lender, j] * found["equity_loss"]
    return book.numbers.mechanisms.lender_network * loss


def clear(book, now, capital, owed, own) -> tuple[list[float], list[dict]]:
    """n of all lenders on losses `own` before it, and the vehicles: four rounds among these from none."""
    vehicles = range(book.lenders.debt_share.shape[1])
    network = [0.0 for _ in vehicles]
    for _ in range(ROUNDS):
        found = [vehicle(book, capital[j], owed[j], own[j] + network[j]) for j in vehicles]
        before, network = network, [passed_on(book, found, j) for j in vehicles]
    if any(abs(network[j] - before[j]) > 1e-3 for j in vehicles):
        now["flags"] |= LENDER_CLEARING
    found = [vehicle(book, capital[j], owed[j], own[j] + network[j]) for j in vehicles]
    now["unsettled"] = sum(abs(passed_on(book, found, j) - network[j]) for j in vehicles)
    others = range(len(network), len(own))
    return network + [passed_on(book, found, lender) for lender in others], found


def recognise(book, state, now, new) -> None:
    """Gross loss, what of it is seen this month and what waits."""
    now["recognised"], new["pending"] = [], []
    for i in range(len(book.lenders.capital)):
        waiting = state["pending"][i] + new["gross"][i] - state["gross"][i]
        months = max(book.lenders.recognition_months[i], 1.0)
        recognised = waiting / (months - now["levers"].disclosed * (months - 1.0))
        now["recognised"].append(recognised)
        new["pending"].append(waiting - recognised)


def month(book, state, now, new, t: int) -> None:
    """Section 8 up to recognition: whose loss it is, vehicles that pass theirs on, what is seen of it."""
    lenders, count = book.lenders, len(book.lenders.capital)
    now["loss_by_instrument"] = now["loan_loss"] + now["obligor_loss"] + now["tranche_loss"]
    now["system_loss"] = sum(now["loss_by_instrument"])
    new["cumulative_loss"] = [
        old + lost for old, lost in zip(state["cumulative_loss"], now["loss_by_instrument"], strict=True)
    ]
    book_losses(book, state, now, new)
    now["exposure"] = exposure(book, now, new)
    capital.month(book, state, now, new, t)

    own = [new["booked"][i] + state["trading"][i] for i in range(count)]
    both = [funds(book, state, new, j) for j in range(lenders.debt_share.shape[1])]
    own_funds, owed = [each[0] for each in both], [each[1] for each in both]
    now["network"], now["vehicles"] = clear(book, now, own_funds, owed, own)
    new["gross"] = [own[i] + now["network"][i] for i in range(count)]
    recognise(book, state, now, new)
    capital.missing(book, state, now, new)
    capital.fail(book, state, new)
