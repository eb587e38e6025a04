"""The section on what the numbers do not cover."""

from engine.report.markup import section, text
from engine.results.folder import Results

LIMITS = (
    "Simulation error is what ± and the brackets say. The error of the assumptions is not in them: it is "
    "far larger (see the grades), and scenarios and sweeps are the way to see it.",
    "Only the debt in the book: wider private credit to technology, and bonds of AI-linked firms outside it, "
    "are not counted.",
    "Losses of shareholders, and what falling share prices do to spending, are outside the amounts.",
    "The system's losses are credit losses. What sellers of bonds lose to buyers is in the lenders' and the "
    "bearers' losses, and sums to zero; marks on bonds that are neither sold nor in default are in none.",
    "No policy response but the levers a run pulls, no recession but its effect on AI revenue, and nothing "
    "after the last horizon: residual value guarantees on leases renewed later hardly act within it.",
)  # fmt: skip


ONE_FILLING = (
    "Who holds what is mostly unknown. One filling of the unknown holdings is used; other fillings give "
    "other lenders' tails at the same system loss (task=network_ensemble)."
)
"""What holds of a run on the book's holdings as they are filled."""


def limits(results: Results) -> str:
    """What the number does not cover."""
    said = LIMITS if "network" in results.summary else (*LIMITS, ONE_FILLING)
    items = "".join(f"<li>{text(limit)}</li>" for limit in said)
    return section("limits", "What this number does not cover", f"<ul>{items}</ul>")
