"""Whether a finished run may be relied on, as the report group asks."""

from experiments.schema import Report


def doubts_of(summary: dict, wanted: Report) -> list[str]:
    """Why the run's numbers should not be relied on; empty when they may."""
    doubts = list(summary.get("calibration", {}).get("doubts", []))
    for name, count in summary["flagged_paths"].items():
        share = count / summary["paths"]
        if share > wanted.most_flagged:
            doubts.append(
                f"{share:.2%} of paths are flagged {name}, at most {wanted.most_flagged:.2%} are accepted "
                "(report.most_flagged)"
            )
    if wanted.fail_on_unresolved:
        doubts += [f"{warning} (report.fail_on_unresolved)" for warning in summary.get("warnings", [])]
    return doubts
