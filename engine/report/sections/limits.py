"""The section on what the numbers do not cover."""

from engine.report.section import Bullets, Section
from engine.report.words import share
from engine.results.folder import Results

LIMITS = (
    "± and brackets measure simulation error. They do not measure the error of the assumptions, which is far "
    "larger (see the grades): task=band measures a part of it, scenarios and sweeps show more.",
    "Only debt in the book is counted, not the wider private credit to technology or bonds of AI-linked "
    "firms outside it.",
    "Losses of the borrowers' shareholders, and the effect of falling share prices on spending, are not "
    "counted.",
    "The system's losses are credit losses. What sellers of bonds lose to buyers is counted in the losses of "
    "lenders and bearers, where it sums to zero; mark-to-market losses on bonds neither sold nor in default "
    "are not counted anywhere.",
    "There is no policy response except the levers a run pulls, no recession except its effect on AI "
    "revenue, and nothing after the last horizon: residual value guarantees on leases renewed later hardly "
    "matter before it.",
)  # fmt: skip


def limits(results: Results) -> Section:
    """Limits of the results."""
    one = () if "network" in results.summary else one_network(results)
    return Section("limits", "What these numbers do not cover", (Bullets((*LIMITS, *one)),))


def one_network(results: Results) -> tuple[str, ...]:
    """What a run on a single network of holdings leaves open; nothing where every holding is known."""
    grades = results.tables["grades"]
    assumed = grades[(grades["what"] == "who holds what") & (grades["grade"] == "C")]
    if not len(assumed) or not assumed["share"].iloc[0] > 0.0:
        return ()
    return (
        f"Who holds what is an assumption (grade C) in {share(assumed['share'].iloc[0])} of the rows that "
        "say it. This run uses one set of holdings consistent with what is known; others give other losses "
        "by lender for the same system loss (task=network_ensemble).",
    )
