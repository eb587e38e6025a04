"""The end of section 8 of docs/model.md: on whom lenders' losses fall in the end."""


def month(book, now, new) -> None:
    """What lenders do not pass on, first up to their equity and then beyond it, by group of bearers."""
    lenders, switch = book.lenders, book.numbers.mechanisms.lender_network
    now["kept"], first = [], []
    for lender, gross in enumerate(new["gross"]):
        kept = (1.0 - switch) * gross if lenders.vehicle[lender] else gross
        now["kept"].append(kept)
        first.append(min(kept, lenders.equity[lender] * new["scale"][lender]))
    now["bearer"] = []
    for b in range(lenders.first_bearer.shape[0]):
        loss = 0.0
        for lender, kept in enumerate(now["kept"]):
            loss += lenders.first_bearer[b, lender] * first[lender]
            loss += lenders.last_bearer[b, lender] * (kept - first[lender])
        now["bearer"].append(loss)
