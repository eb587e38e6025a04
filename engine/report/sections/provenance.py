"""The section on provenance: what was run, on what, from which inputs, and whether it converged."""

from collections.abc import Mapping
from typing import Any

from engine.report import words
from engine.report.section import Section, Text
from engine.report.table import Cell, Table, row
from engine.results.folder import Results
from engine.results.provenance import machine

SAMPLER = {
    "ess": "Effective paths",
    "ess_tail": "Effective paths in the worst 1%",
    "max_weight_share": "Largest share of one path",
    "mean_weight": "Mean weight",
    "mean_weight_se": "Standard error of the mean weight",
    "k_hat": "Tail shape of the weights (k-hat)",
}
"""Labels of the sampler's diagnostics."""


def provenance(results: Results) -> Section:
    """Everything needed to run it again, and flagged paths."""
    parts = (provenance_table(results), Text(flagged(results.summary)))
    return Section("provenance", "Provenance", parts)


def flagged(summary: Mapping[str, Any]) -> str:
    """How many paths had a fixed point that did not converge or a number that was not finite."""
    raised = {name: count for name, count in summary["flagged_paths"].items() if count}
    if not raised:
        return "No path was flagged: every fixed point converged and every number was finite."
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in raised.items())
    return f"Flagged paths, where a fixed point had not converged or a number was not finite: {counts}."


def provenance_table(results: Results) -> Table:
    """Labels and values, without those that the run does not have."""
    values = [(label, value) for label, value in facts(results) if value not in (None, "")]
    rows = tuple(row(label, Cell(str(value), "code")) for label, value in values)
    return Table("provenance", "", ("", ""), rows, words=2)


def facts(results: Results) -> list[tuple[str, object]]:
    """Label and value of everything needed to run it again."""
    summary, timing, sampler = results.summary, results.summary["timing"], results.summary["sampler"]
    worst = results.tables["worst_paths"]
    worst = worst[worst["horizon"] == results.last].sort_values("rank").head(5)
    diagnostics: Mapping[str, Any] = sampler
    rate, memory = timing.get("paths_per_s"), timing.get("peak_rss_mb")
    return [
        ("Command", " ".join(summary.get("command") or [])),
        ("Task", summary.get("task")),
        ("Scenario", summary.get("scenario")),
        ("Paths", f"{summary['paths']:,}"),
        ("Months", summary.get("months")),
        ("Seed", summary["seed"]),
        ("Book", summary.get("book")),
        ("Book's name", results.about.name),
        ("Book's date", results.about.date),
        ("Book hash", summary["book_hash"]),
        ("Book repairs", "; ".join(summary.get("book_repairs") or [])),
        ("Book warnings", "; ".join(summary.get("book_warnings") or [])),
        ("Config hash", summary["config_hash"]),
        ("Commit", summary.get("commit")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in summary.get("versions", {}).items())),
        ("Machine", machine(summary)),
        ("Processes", summary.get("processes")),
        ("Compile", words.seconds(timing.get("compile_s"))),
        ("Run", words.seconds(timing.get("run_s"))),
        ("Speed", f"{rate:,.0f} paths/s" if words.known(rate) else None),
        ("Kernel", timing.get("kernel")),
        ("Peak memory", f"{memory:,.0f} MB" if words.known(memory) else None),
        ("Sampler", sampler["name"]),
        *(
            (label, f"{diagnostics[key]:,.4g}")
            for key, label in SAMPLER.items()
            if words.known(diagnostics.get(key))
        ),
        *(
            (f"Variance reduction, {name.replace('_', ' ')}", f"{factor:,.3g}")
            for name, factor in (sampler.get("variance_reduction") or {}).items()
            if words.known(factor)
        ),
        ("Learned from", learned_from(sampler.get("learning"))),
        ("Worst paths, to replay", ", ".join(str(path) for path in worst["path"])),
    ]


def learned_from(learning: dict[str, Any] | None) -> str | None:
    """What learning took."""
    if not learning:
        return None
    cost = f"{learning['paths']:,} pilot paths in {words.seconds(learning['seconds'])}"
    cost += f", taken from {learning['from']}" if "from" in learning else ""
    return cost + "".join(f"; {difference}" for difference in learning.get("differences", []))
