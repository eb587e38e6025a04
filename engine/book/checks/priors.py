"""What must hold of priors: shares of holder classes that are possible together with what is known."""

from collections.abc import Iterator

from engine.book.checks.faults import AMOUNT_ROUNDING, Check, faults, register, sums_to_one
from engine.book.checks.ownership import HOLDING_COLUMNS
from engine.book.checks.problems import Problem
from engine.book.frames import Tables
from engine.book.holdings import instruments, looked_up

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

reads = register(CHECKS)


@reads("priors.class", "priors.holder_class", "priors.mean", "priors.low", "priors.high",
       "lenders.class", "lenders.lender", *HOLDING_COLUMNS, "holdings.known", "loans.class",
       "tranches.class")  # fmt: skip
def priors_are_possible(frames: Tables) -> Iterator[Problem]:
    """Means lie within bounds and sum to one; bounds leave a point and room for what is known."""
    priors, lenders = frames["priors"], frames["lenders"]
    yield from sums_to_one("priors", priors, "class", "mean")
    outside = priors[(priors["mean"] < priors["low"]) | (priors["mean"] > priors["high"])]
    yield from faults("priors", outside, "mean", "a mean from low = {low} to high = {high}")
    absent = priors[(priors["high"] > 0.0) & ~priors["holder_class"].isin(set(lenders["class"]))]
    yield from faults("priors", absent, "holder_class", "a class that lenders of the book have")
    fixed = known_shares(frames)
    for line, kind, holder, high in priors[["class", "holder_class", "high"]].itertuples():
        known = fixed.get((kind, holder), 0.0)
        if known > high + AMOUNT_ROUNDING:
            expected = f"at least {known:.4g}, what holdings with known = 1 give {holder} of {kind}"
            yield Problem("priors", line, "high", f"{high:g}", expected)
    for kind, part in priors.groupby("class", sort=False):
        others = {holder: share for (of, holder), share in fixed.items() if of == kind}
        stranger = sorted(set(others) - set(part["holder_class"]))
        if stranger:
            expected = f"a row for every known holder of {kind}: {', '.join(stranger)} too"
            yield Problem("priors", int(part.index[0]), "holder_class", "", expected)


def known_shares(frames: Tables) -> dict[tuple[str, str], float]:
    """Share of an instrument class that holdings with known = 1 give to a holder class, of commitments."""
    rows, every = frames["holdings"], instruments(frames)
    kinds = instrument_classes(frames)
    every = every.assign(kind=every["instrument"].map(kinds))
    total = every.groupby("kind")["committed"].sum()
    rows = rows[(rows["known"] == 1) & rows["share"].notna()].merge(every, on="instrument")
    holder = looked_up(frames, "lenders", "class", rows["lender"])
    amount = (rows["share"] * rows["committed"]).groupby([rows["kind"], holder]).sum()
    return {
        (kind, holder): value / total[kind] for (kind, holder), value in amount.items() if total[kind] > 0.0
    }


def instrument_classes(frames: Tables) -> dict[str, str]:
    """Class of every loan and tranche."""
    loans, tranches = frames["loans"], frames["tranches"]
    return dict(zip(loans["loan"], loans["class"], strict=True)) | dict(
        zip(tranches["tranche"], tranches["class"], strict=True)
    )
