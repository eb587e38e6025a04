"""The section on what the numbers do not cover."""

from engine.report.section import Bullets, Section
from engine.results.folder import Results

LIMITS = (
    "± and brackets measure simulation error. They do not measure the error of the assumptions, which is far "
    "larger (see the grades): use scenarios and sweeps to see it.",
    "Only debt in the book is counted, not the wider private credit to technology or bonds of AI-linked "
    "firms outside it.",
    "Losses of shareholders, and the effect of falling share prices on spending, are not counted.",
    "The system's losses are credit losses. What sellers of bonds lose to buyers is counted in the losses of "
    "lenders and bearers, where it sums to zero; mark-to-market losses on bonds neither sold nor in default "
    "are not counted anywhere.",
    "There is no policy response except the levers a run pulls, no recession except its effect on AI "
    "revenue, and nothing after the last horizon: residual value guarantees on leases renewed later hardly "
    "matter before it.",
)  # fmt: skip


ONE_NETWORK = (
    "Who holds what is mostly unknown. This run uses one set of holdings consistent with what is known; "
    "others give other losses by lender for the same system loss (task=network_ensemble)."
)
"""Holds for a run on a single network of holdings."""


def limits(results: Results) -> Section:
    """Limits of the results."""
    sentences = LIMITS if "network" in results.summary else (*LIMITS, ONE_NETWORK)
    return Section("limits", "What these numbers do not cover", (Bullets(sentences),))
