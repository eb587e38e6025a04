"""Support in section 3 of docs/model.md: equity, guarantees and backstops, as far as vendors' cash goes."""

from tests.reference.scalars import DT, clip, positive


def sells_chips(book, i: int) -> bool:
    """Whether firm i is a chip vendor, whose support is limited by its purse."""
    return book.firms.chip_sales_share[i] > 0.0


def start_purse(book) -> list[float]:
    """b_i(0): the vendor's cash; nothing for firms that sell no chips."""
    firms = book.firms
    return [firms.cash[i] if sells_chips(book, i) else 0.0 for i in range(len(firms.cash))]


def share_paid(book, i: int, funds: float, called: float) -> float:
    """Share of what is called that firm i pays: all of it, or what a vendor's funds allow."""
    if called == 0.0 or not sells_chips(book, i):
        return 1.0
    return 1.0 - book.numbers.mechanisms.vendor_purse * (1.0 - min(1.0, funds / called))


def equity(book, state, now) -> None:
    """left_i, eta_i and what is put into labs: equity as far as funds go, shares by warrant."""
    k, firms = book.contracts, book.firms
    contracts = range(len(k.buyer))
    now["support_left"], now["support_share_equity"], now["equity_bought"] = [], [], []
    for i in range(len(firms.cash)):
        sales = firms.chip_sales_share[i] * book.numbers.chips.capex_chip_share * now["capex"] * DT
        left = positive(state["purse"][i] + firms.support_share[i] * sales - now["owed"][i])
        wanted = sum(now["wanted"][c] for c in contracts if k.equity[c] > 0 and k.buyer[c] == i)
        share = share_paid(book, i, left, wanted)
        now["support_left"].append(left)
        now["support_share_equity"].append(share)
        now["equity_bought"].append(share * wanted)
    now["commitment"] = []
    for c in contracts:
        given = now["support_share_equity"][int(k.buyer[c])] * now["wanted"][c]
        if k.warrant[c] > 0:
            vested = state["size"][int(k.vests_with[c])] if k.vests[c] > 0 else 1.0
            both = now["operating"][int(k.buyer[c])] * now["operating"][int(k.seller[c])]
            given = now["full_size"][c] * DT * now["equity"] * vested * both
        now["commitment"].append(given)


def unsold(book, now, i: int, covered) -> float:
    """What firm i could sell this month at full size and neither buyers nor guarantors pay for."""
    k, total = book.contracts, 0.0
    for c in range(len(k.buyer)):
        if k.operating[c] > 0 and k.seller[c] == i:
            total += positive(now["served"][c] - now["paid"][c] - covered[c])
    return total


def called_guarantees(book, now) -> list[float]:
    """gamma_c, called on what the buyer leaves open."""
    k, calls = book.contracts, []
    for c in range(len(k.buyer)):
        reach = k.cover[c] * now["operating"][int(k.guarantor[c])] if k.operating[c] > 0 else 0.0
        calls.append(reach * (now["obligation"][c] - now["paid"][c]))
    return calls


def called_backstops(book, now, guarantees) -> list[float]:
    """beta_c, called on what stays unsold, shared out by `annual` and at most the full size."""
    k, calls = book.contracts, []
    for c in range(len(k.buyer)):
        call = 0.0
        if k.backstop[c] > 0 and now["full_size"][c] > 0.0:
            buyer, seller = int(k.buyer[c]), int(k.seller[c])
            part = k.annual[c] / backing(book, k.annual, seller)
            call = min(now["full_size"][c] * DT, part * unsold(book, now, seller, guarantees))
            call *= now["operating"][buyer] * now["operating"][seller]
        calls.append(call)
    return calls


def backing(book, amounts, i: int) -> float:
    """Sum of `amounts` over the backstops that firm i has sold."""
    k = book.contracts
    return sum(amounts[c] for c in range(len(k.buyer)) if k.backstop[c] > 0 and k.seller[c] == i)


def support(book, now, new) -> None:
    """Calls, the share sigma_i of them that is paid, the purse of next month, and what is left to re-let."""
    k, firms = book.contracts, book.firms
    contracts, count = range(len(k.buyer)), range(len(firms.cash))
    guarantees = called_guarantees(book, now)
    backstops = called_backstops(book, now, guarantees)
    now["support_paid"], new["purse"] = [], []
    for i in count:
        called = sum(guarantees[c] for c in contracts if k.guarantor[c] == i)
        called += sum(backstops[c] for c in contracts if k.buyer[c] == i)
        after_equity = now["support_left"][i] - now["equity_bought"][i]
        share = share_paid(book, i, positive(after_equity), called)
        now["support_paid"].append(share)
        kept = clip(after_equity - share * called, 0.0, firms.cash[i])
        new["purse"].append(kept if sells_chips(book, i) else 0.0)
    now["guarantee"] = [now["support_paid"][int(k.guarantor[c])] * guarantees[c] for c in contracts]
    now["backstop"] = [now["support_paid"][int(k.buyer[c])] * backstops[c] for c in contracts]
    now["to_relet"] = []
    for i in count:
        empty = unsold(book, now, i, now["guarantee"])
        backed = backing(book, now["backstop"], i)
        now["to_relet"].append(1.0 - min(1.0, backed / empty) if empty > 0.0 else 1.0)


def expected_backstops(book, now, new, ahead, i: int) -> float:
    """What backstops would pay firm i in twelve months, a year, after its margin: part of forward_i."""
    k, expected, empty = book.contracts, 0.0, 0.0
    for c in range(len(k.buyer)):
        if k.operating[c] > 0 and k.seller[c] == i:
            empty += ahead[c] * (1.0 - new["size"][c] * now["quality"][c]) * now["operating"][i]
    total = backing(book, k.annual, i)
    for c in range(len(k.buyer)):
        if k.backstop[c] > 0 and k.seller[c] == i and ahead[c] > 0.0:
            buyer = int(k.buyer[c])
            pays = now["support_paid"][buyer] * now["operating"][buyer] * now["operating"][i]
            expected += k.margin[c] * pays * min(ahead[c], empty * k.annual[c] / total)
    return book.numbers.mechanisms.circular_contracts * expected
