"""Whether the numbers of a finished run may be relied on."""

from collections.abc import Mapping
from typing import Any

DISAGREE = 0.001
"""p-value below which two ways to one number disagree."""

MOST_FLAGGED = 0.001
"""Share of flagged paths that is accepted unless a run says otherwise."""


def doubts_of(
    summary: Mapping[str, Any], most_flagged: float = MOST_FLAGGED, fail_on_unresolved: bool = False
) -> list[str]:
    """Why the run's numbers should not be relied on; empty when they may.

    They follow from the summary's other entries alone, so that a finished run can be judged again by other
    thresholds: `most_flagged`, the share of paths with one flag that is accepted, and `fail_on_unresolved`,
    whether a tail that is not resolved counts.
    """
    doubts = doubts_of_tasks(summary)
    if lost := summary["flagged_paths"].get("not_finite", 0):
        doubts.append(
            f"{lost:,} paths have a number that is not finite: they are left out of every estimate, and "
            "what they lose is unknown"
        )
    for name, count in summary["flagged_paths"].items():
        if name == "not_finite":
            continue
        share = count / summary["paths"]
        if share > most_flagged:
            doubts.append(
                f"{share:.2%} of paths are flagged {name}, at most {most_flagged:.2%} are accepted "
                "(report.most_flagged)"
            )
    if fail_on_unresolved:
        doubts += [f"{warning} (report.fail_on_unresolved)" for warning in summary.get("warnings", [])]
    return doubts


def doubts_of_tasks(summary: Mapping[str, Any]) -> list[str]:
    """Reasons why a task's answer is unusable, from its entry in the summary."""
    doubts = list(summary.get("calibration", {}).get("doubts", []))
    if "unreachable" in summary.get("reverse_stress", {}):
        doubts.append("no scenario brings the target of the reverse stress")
    search = summary.get("search")
    if search and not search["feasible"]:
        doubts.append(f"none of {search['trials']} settings keeps the bounds of the search")
    greeks = summary.get("greeks")
    if greeks and greeks["agreement_p"] < DISAGREE:
        doubts.append(
            f"the effects of {greeks['checked']} checks disagree with those of all numbers together "
            f"(p = {greeks['agreement_p']:.1g}, at least {DISAGREE} is accepted): a smaller greeks.step"
        )
    return [*doubts, *summary.get("replay", {}).get("different", [])]
