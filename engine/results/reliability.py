"""Whether a finished run may be relied on."""

DISAGREE = 0.001
"""p-value below which two ways to one number are said to disagree."""


def doubts_of(summary: dict, most_flagged: float, fail_on_unresolved: bool) -> list[str]:
    """Why the run's numbers should not be relied on; empty when they may."""
    doubts = summary.get("doubts", []) + summary.get("calibration", {}).get("doubts", [])
    if "unreachable" in (stress := summary.get("reverse_stress", {})):
        doubts.append(stress["unreachable"])
    for name, count in summary["flagged_paths"].items():
        share = count / summary["paths"]
        if share > most_flagged:
            doubts.append(
                f"{share:.2%} of paths are flagged {name}, at most {most_flagged:.2%} are accepted "
                "(report.most_flagged)"
            )
    if (found := summary.get("greeks")) and found["agreement_p"] < DISAGREE:
        doubts.append(
            f"the effects of {found['checked']} checks disagree with those of all numbers together "
            f"(p = {found['agreement_p']:.1g}, at least {DISAGREE} is accepted): a smaller greeks.step"
        )
    if fail_on_unresolved:
        doubts += [f"{warning} (report.fail_on_unresolved)" for warning in summary.get("warnings", [])]
    return doubts
