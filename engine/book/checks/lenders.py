"""What must hold of lenders' conduct and final bearers: paper has buyers, every loss has a bearer."""

from collections.abc import Iterator

from engine.book.checks.faults import AMOUNT_ROUNDING, Check, faults, register, sums_to_one
from engine.book.checks.problems import Problem
from engine.book.frames import Tables

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

reads = register(CHECKS)


@reads("paper.class", "lenders.buyer_weight", "lenders.limit_slope", "lenders.withdrawal_slope")
def paper_has_buyers(frames: Tables) -> Iterator[Problem]:
    """Where paper is marketable, weights of its buyers sum to one, and buyers never have to sell."""
    lenders = frames["lenders"]
    if len(frames["paper"]):
        yield from sums_to_one("lenders", lenders.assign(all="all lenders"), "all", "buyer_weight")
    buyers = lenders[lenders["buyer_weight"] > 0]
    for column in ("limit_slope", "withdrawal_slope"):
        yield from faults("lenders", buyers[buyers[column] > 0], column, "0: buyer_weight = {buyer_weight}")


@reads("lenders.vehicle", "lenders.capital", "lenders.debt", "lenders.asset_coverage", "lenders.line",
       "lenders.limit_start", "lenders.limit_slope", "lenders.buyer_weight", "lenders.equity")  # fmt: skip
def limits_make_sense(frames: Tables) -> Iterator[Problem]:
    """Vehicles with debt have coverage and lines, met at month 0; other lenders a start and a slope."""
    lenders = frames["lenders"]
    bare = lenders[(lenders["vehicle"] == 0) | (lenders["debt"] <= 0)]
    yield from faults("lenders", bare[bare["asset_coverage"].notna()], "asset_coverage", "blank: no debt")
    yield from faults("lenders", bare[bare["line"] > 0], "line", "0: no debt in the book")
    short = lenders["capital"] + lenders["debt"] < lenders["asset_coverage"] * lenders["debt"]
    yield from faults(
        "lenders", lenders[short], "asset_coverage", "at most (capital + debt) / debt at month 0"
    )
    vehicles = lenders[lenders["vehicle"] == 1]
    yield from faults(
        "lenders", vehicles[vehicles["limit_start"].notna()], "limit_start", "blank: vehicle = 1"
    )
    yield from faults("lenders", vehicles[vehicles["buyer_weight"] > 0], "buyer_weight", "0: vehicle = 1")
    loose = lenders[(lenders["limit_slope"] > 0) & lenders["limit_start"].isna()]
    yield from faults("lenders", loose, "limit_slope", "0 without a limit_start")
    thin = lenders[lenders["equity"] < lenders["capital"] * (1 - AMOUNT_ROUNDING)]
    yield from faults("lenders", thin, "equity", "at least capital = {capital:g}")


@reads("lenders.lender", "incidence.lender", "incidence.bearer", "incidence.layer", "incidence.share")
def losses_have_bearers(frames: Tables) -> Iterator[Problem]:
    """In both layers of every lender, shares of bearers sum to one."""
    lenders, rows = frames["lenders"], frames["incidence"]
    yield from sums_to_one("incidence", rows, ["lender", "layer"])
    for layer in ("first", "rest"):
        known = set(rows["lender"][rows["layer"] == layer])
        bare = lenders[~lenders["lender"].isin(known)]
        yield from faults("lenders", bare, "lender", f"bearers of layer {layer} in incidence")
