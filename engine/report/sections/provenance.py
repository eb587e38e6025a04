"""The end of the page: what the number does not cover, and where it comes from."""

from engine.report import words
from engine.report.markup import paragraph, section, text
from engine.results.folder import Results
from engine.results.provenance import machine

SAMPLER = {
    "ess": "Effective paths",
    "ess_tail": "Effective paths in the worst 1%",
    "max_weight_share": "Largest share of one path",
    "mean_weight": "Mean weight",
    "mean_weight_se": "Its standard error",
    "k_hat": "Tail shape of the weights",
}
"""Labels of the sampler's diagnostics."""


def provenance(results: Results) -> str:
    """What was run, on what, from which inputs, and whether it settled."""
    rows = [(label, str(value)) for label, value in provenance_rows(results) if value not in (None, "")]
    cells = (f"<td>{text(label)}</td><td class=word><code>{text(value)}</code></td>" for label, value in rows)
    body = "".join(f"<tr>{pair}</tr>" for pair in cells)
    table = f'<div class="scroll"><table><tbody>{body}</tbody></table></div>'
    return section("provenance", "Provenance", table, paragraph(flags(results.summary)))


def flags(summary: dict) -> str:
    """How many paths had a fixed point that did not settle, in a sentence."""
    raised = {name: count for name, count in summary["flagged_paths"].items() if count}
    if not raised:
        return "No path was flagged: every fixed point settled and every number was finite."
    said = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in raised.items())
    return f"Flagged paths, where a fixed point had not settled or a number was not finite: {said}."


def provenance_rows(results: Results) -> list[tuple[str, object]]:
    """Label and value of everything needed to run it again."""
    summary, timing, sampler = results.summary, results.summary["timing"], results.summary["sampler"]
    worst = results.tables["worst_paths"]
    worst = worst[worst["horizon"] == results.last].sort_values("rank").head(5)
    rate, memory = timing.get("paths_per_s"), timing.get("peak_rss_mb")
    return [
        ("Command", " ".join(summary.get("command") or [])),
        ("Task", summary.get("task")),
        ("Scenario", summary.get("scenario")),
        ("Paths", f"{summary['paths']:,}"),
        ("Months", summary.get("months")),
        ("Seed", summary["seed"]),
        ("Book", summary.get("book")),
        ("Book hash", summary["book_hash"]),
        ("Book repairs", "; ".join(summary.get("book_repairs") or [])),
        ("Config hash", summary["config_hash"]),
        ("Commit", summary.get("commit")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in summary.get("versions", {}).items())),
        ("Machine", machine(summary)),
        ("Compile", words.seconds(timing.get("compile_s"))),
        ("Run", words.seconds(timing.get("run_s"))),
        ("Speed", f"{rate:,.0f} paths/s" if words.known(rate) else None),
        ("Peak memory", f"{memory:,.0f} MB" if words.known(memory) else None),
        ("Sampler", sampler["name"]),
        *((label, f"{sampler[key]:,.4g}") for key, label in SAMPLER.items() if words.known(sampler.get(key))),
        *(
            (f"Variance reduction, {name.replace('_', ' ')}", f"{factor:,.3g}")
            for name, factor in (sampler.get("variance_reduction") or {}).items()
            if words.known(factor)
        ),
        ("Learned from", learned_from(sampler.get("learning"))),
        ("Worst paths, to replay", ", ".join(str(path) for path in worst["path"])),
    ]


def learned_from(learning: dict | None) -> str | None:
    """What a learned law has cost."""
    if not learning:
        return None
    said = f"{learning['paths']:,} pilot paths in {words.seconds(learning['seconds'])}"
    return said + (f", taken from {learning['from']}" if "from" in learning else "")
