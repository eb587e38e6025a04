"""What must hold of lenders in every month of every path: losses are borne once, paper is sold once."""

from tests.reference.lenders import paper_of
from tests.reference.scalars import close

ROUNDING = 1e-5
"""How far the shares of a float32 book may add up to something else than one."""


def share_sums(book) -> list[float]:
    """Sums of the shares of each instrument, vehicle, lender's loss and purchase: all of them one."""
    lenders = book.lenders
    tables = [lenders.holdings, lenders.debt_share, lenders.equity_share]
    tables += [lenders.first_bearer, lenders.last_bearer]
    sums = [sum(table[:, column]) for table in tables for column in range(table.shape[1])]
    held = [total for total in sums if total > 0.0]
    return held + ([sum(lenders.buyer_weight)] if len(book.paper.depth) else [])


def shares(book) -> None:
    """Shares of whatever has holders add up to one; once a path."""
    for total in share_sums(book):
        assert abs(total - 1.0) <= ROUNDING, "shares of an instrument, vehicle or lender do not add up to one"


def drawn_amounts(book) -> list[float]:
    """USD bn at month 0 by instrument: loans, obligors held directly, tranches."""
    pools, amounts = book.pools, list(book.loans.drawn)
    for o, p in enumerate(pools.obligor_pool):
        amounts.append(pools.direct[o] * pools.obligor_share[p, o] * pools.balance[p])
    for k, p in enumerate(pools.tranche_pool):
        amounts.append((pools.detachment[k] - pools.attachment[k]) * pools.balance[p])
    return amounts


def paper_held(book) -> None:
    """Paper held by class adds up to holdings of what is marketable; once a path."""
    amounts = drawn_amounts(book)
    for lender, row in enumerate(book.lenders.holdings):
        expected = sum(row[i] * book.paper.marketable[i] * amounts[i] for i in range(len(amounts)))
        gap = abs(paper_of(book, lender) - expected)
        assert gap <= ROUNDING * (1.0 + expected), f"paper of lender {lender} is not what it holds of it"


def bearers(book, now, new) -> None:
    """Booked losses are the system's, trades cancel, bearers bear it, excess losses and costs of failure."""
    system = sum(new["cumulative_loss"])
    slack = 1e-9 + max(abs(total - 1.0) for total in share_sums(book))
    traded = sum(abs(loss) for loss in new["trading"])
    assert abs(sum(new["booked"]) - system) <= 2.0 * slack * system, "lenders do not book the system's loss"
    assert abs(sum(new["trading"])) <= slack * traded, "what sellers lose is not what buyers gain"
    cost = sum(vehicle["dead_weight"] for vehicle in now["vehicles"])
    expected = system + book.numbers.mechanisms.lender_network * cost
    passed_on = sum(vehicle["debt_loss"] + abs(vehicle["equity_loss"]) for vehicle in now["vehicles"])
    rounding = 4.0 * slack * (system + traded + passed_on + 1.0)
    gap = abs(sum(now["bearer"]) - expected)
    assert gap <= rounding + now["unsettled"], "bearers do not bear all losses and costs"


def recognition(book, state, now, new) -> None:
    """What is recognised is what was lost and does not wait any more."""
    for i in range(len(book.lenders.capital)):
        seen = now["recognised"][i] + new["pending"][i] - state["pending"][i]
        assert close(seen, new["gross"][i] - state["gross"][i]), f"lender {i} recognises what it did not lose"


def vehicles(book, state, now, new) -> None:
    """Creditors and owners lose all that a vehicle loses and what its failure costs, nothing else."""
    for j, found in enumerate(now["vehicles"]):
        borne, lost = found["debt_loss"] + found["equity_loss"], new["gross"][j] + found["dead_weight"]
        assert close(borne, lost), f"vehicle {j} passes on what it did not lose"
        assert 0.0 <= found["theta"] <= 1.0, f"vehicle {j} repays a share outside [0, 1]"


def capital(book, state, now, new) -> None:
    """Exposure is held by someone; capital calls and months of failure are not taken back."""
    held, outstanding = sum(now["held_exposure"]), now["exposure"]
    assert abs(held - outstanding) <= 1e-4 * outstanding, "lenders do not hold what is outstanding"
    for i in range(len(book.lenders.capital)):
        assert new["growth"][i] >= state["growth"][i], f"exposure of lender {i} was never as large"
        assert 0.0 <= new["capital_missing"][i] <= 1.0, f"lender {i} misses more than its capital"
        for name in ("failed", "failed_alone"):
            assert state[name][i] in (0, new[name][i]), f"lender {i} fails twice"
        alone = new["failed_alone"][i]
        assert not alone or 0 < new["failed"][i] <= alone, f"lender {i} fails later with more losses"


def conduct(book, state, now, new) -> None:
    """Sales and withdrawals are not taken back, and have a reason; who buys does not sell."""
    lenders, switches = book.lenders, book.numbers.mechanisms
    for i in range(len(lenders.capital)):
        for name in ("sold", "withdrawn"):
            assert state[name][i] <= new[name][i] <= 1.0, f"share {name} of lender {i} falls or is above one"
        step = new["withdrawn"][i] - state["withdrawn"][i]
        assert step <= lenders.gate[i] * (1.0 + 1e-12), f"lender {i} pays out more than its gate"
        if lenders.vehicle[i]:
            line = switches.credit_lines * lenders.line[i] * (1.0 - now["levers"].lines) / lenders.capital[i]
            most = max(line, state["withdrawn"][i])
            assert new["withdrawn"][i] <= most, f"vehicle {i} pays out more than its line"
        if lenders.buyer_weight[i] > 0.0:
            assert new["sold"][i] == 0.0, f"buyer {i} sells"
            assert new["trading"][i] <= state["trading"][i], f"buyer {i} loses by buying"
        else:
            assert new["trading"][i] >= state["trading"][i], f"seller {i} gains by selling"
        assert 0.0 <= now["stop"][i] <= 1.0, f"lender {i} stops by more than all"
        past, stops = now["past_limit"][i] > 0.0, now["stop"][i] > 0.0
        assert past == stops, f"lender {i} stops within its limit or lends past it"


def coverage(book, new, now) -> None:
    """Vehicles sell until assets at par cover their debt again, or all they have."""
    lenders = book.lenders
    if book.numbers.mechanisms.paper_sales < 1.0:
        return
    for j in [j for j in range(len(lenders.capital)) if lenders.vehicle[j] and lenders.coverage[j] > 0.0]:
        paper = new["sold"][j] * paper_of(book, j)
        assets = lenders.capital[j] * (1.0 - now["capital_lost"][j]) + lenders.debt[j] - paper
        debt = lenders.debt[j] + lenders.capital[j] * new["withdrawn"][j] - paper
        short = lenders.coverage[j] * debt - assets
        enough = short <= 1e-9 * lenders.debt[j] or new["sold"][j] == 1.0 or paper_of(book, j) == 0.0
        assert enough, f"vehicle {j} sells less than its asset coverage asks"


def prices(book, state, now, new) -> None:
    """Impact of sales fades by no more than its half-life allows; paper is worth at most par."""
    fading = 2.0 ** (-1.0 / 12.0 / book.numbers.lenders.sale_half_life)
    for q, price in enumerate(now["paper_price"]):
        least = state["impact"][q] * fading * (1.0 - 1e-12)
        assert new["impact"][q] >= least, f"impact on paper {q} vanishes"
        assert 0.0 < price <= 1.0, f"price of paper {q} is outside (0, 1]"


def month(book, state, now, new) -> None:
    """All checks of one month."""
    bearers(book, now, new)
    recognition(book, state, now, new)
    vehicles(book, state, now, new)
    capital(book, state, now, new)
    conduct(book, state, now, new)
    coverage(book, new, now)
    prices(book, state, now, new)
