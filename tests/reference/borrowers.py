"""Which loan of a firm takes what, and sums over the loans of a firm."""

import numpy as np


def by_firm(book, amounts) -> list[float]:
    """Sum of a loan quantity over the loans of each firm."""
    totals = [0.0 for _ in book.firms.cash]
    for m, amount in enumerate(amounts):
        totals[int(book.loans.borrower[m])] += amount
    return totals


def loan_of(one_hot, i: int):
    """The loan marked for firm i in a [loans, firms] one-hot, or None."""
    marked = np.flatnonzero(one_hot[:, i] > 0)
    return int(marked[0]) if marked.size else None


def bridge_loan(book, i: int):
    """The loan that takes a bridge: the firm's revolver, or its growth loan if it has none."""
    revolver = loan_of(book.firms.revolver, i)
    return loan_of(book.firms.growth_loan, i) if revolver is None else revolver


def lent_in_need(book, i: int) -> bool:
    """Whether lenders lend to firm i in need: it is modelled and has a loan that takes the money."""
    return book.firms.outside[i] == 0 and bridge_loan(book, i) is not None


def remnant(book, m: int) -> float:
    """r_m: the balance up to which loan m is as good as repaid."""
    committed = book.loans.committed[m]
    return min(0.05 * committed, 0.01) if committed > 0.0 else 0.01
