"""report.html: one file without a network, for a credit officer to read, print and file."""

import pathlib

from engine.report import findings, style, words
from engine.report.markup import Charts, paragraph, text
from engine.report.sections import (
    attribution,
    bearers,
    calibration,
    economy,
    greeks,
    instruments,
    lenders,
    limits,
    losses,
    network,
    policy,
    provenance,
    reverse_stress,
    search,
    systemic,
    timing,
    trust,
)
from engine.report.words import amount, share
from engine.results.folder import Results, read_results, write_text
from engine.results.horizons import horizon_years

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
"""Content security policy: the browser refuses any load that is not in the file itself."""

MOST_FLAGGED = 0.001
"""Share of flagged paths from which the page warns."""

CONTENTS = (
    ("how-much", "How much"),
    ("who", "Who"),
    ("who-pays", "Who pays"),
    ("drag", "Who drags whom down"),
    ("network", "Not known"),
    ("door", "Through which door"),
    ("attribution", "What each mechanism adds"),
    ("greeks", "What the tail hangs on"),
    ("how-fast", "How fast"),
    ("world", "Futures"),
    ("reverse_stress", "Reverse stress"),
    ("search", "Best settings"),
    ("policy", "Policy"),
    ("calibration", "Calibration"),
    ("trust", "How far to trust it"),
    ("limits", "Not covered"),
    ("provenance", "Provenance"),
)

OPTIONAL = ("network", "attribution", "greeks", "reverse_stress", "search", "policy", "calibration")
"""Sections of a task of its own, shown where the summary has an entry of that name."""


def write_page(folder: str | pathlib.Path) -> pathlib.Path:
    """Writes report.html into a run folder from its summary and tables; returns the path.

    Raises FileNotFoundError where the folder has no summary.json.
    """
    folder = pathlib.Path(folder)
    path = folder / "report.html"
    write_text(path, page(read_results(folder)))
    return path


def page(results: Results) -> str:
    """The document."""
    holder = Charts()
    parts = (
        losses.how_much,
        lenders.who,
        bearers.who_pays,
        systemic.who_drags_whom,
        network.unknown_network,
        instruments.through_which_door,
        attribution.mechanisms,
        greeks.hanging,
        timing.how_fast,
        economy.world,
        reverse_stress.roads,
        search.search,
        policy.levers,
        calibration.calibration,
        trust.trust,
    )
    body = [
        header(results),
        *(part(results, holder) for part in parts),
        limits.limits(results),
        provenance.provenance(results),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text('Undertow: who loses if the AI build-out disappoints')}</title>"
        f"<style>{style.SHEET}</style></head>\n<body><main>\n"
        + "\n".join(body)
        + f"\n</main>\n{holder.scripts()}\n</body></html>\n"
    )


def header(results: Results) -> str:
    """Headline, what it means, warnings, four numbers, contents."""
    summary = results.summary
    kicker = (
        f"Undertow · book {summary.get('book', '')} · {summary['paths']:,} paths · seed {summary['seed']}"
    )
    shown = [entry for entry in CONTENTS if entry[0] not in OPTIONAL or entry[0] in summary]
    links = "".join(f'<a href="#{name}">{text(title)}</a>' for name, title in shown)
    return (
        f"<header>{paragraph(kicker, 'kicker')}<h1>{text(findings.headline(results))}</h1>"
        f"{paragraph(findings.lead(results), 'lead')}{warnings(summary)}{cards(results)}<nav>{links}</nav>"
        "<noscript>Charts need JavaScript; the tables do not.</noscript></header>"
    )


def warnings(summary: dict) -> str:
    """What makes the numbers unreliable, if anything."""
    said = list(summary.get("warnings", []))
    if max(summary["flagged_paths"].values(), default=0) > MOST_FLAGGED * summary["paths"]:
        said.append(provenance.flags(summary))
    items = "".join(f"<li>{text(warning)}</li>" for warning in said)
    return f'<div class="warning" role="note"><b>Read with care</b><ul>{items}</ul></div>' if items else ""


def cards(results: Results) -> str:
    """The four numbers of the last horizon."""
    loss, horizon = results.system(results.last), horizon_years(results.last)
    ranked = results.ranked("lender", results.last, "es_99").iloc[0]
    drawn = loss.get("exposure")
    ratio = words.ratio(loss["el"], drawn)
    expected = f"expected loss in {horizon}, bn USD" + (
        f" ({share(ratio)} of today's debt)" if ratio is not None else ""
    )
    quoted = (
        (amount(loss["el"]), expected),
        (
            amount(loss["var_99"]),
            f"VaR 99%, {amount(loss['var_99_lo'])}–{amount(loss['var_99_hi'])} with 95% confidence",
        ),
        (
            amount(loss["es_99"]),
            f"expected shortfall 99% ± {words.error(loss['es_99_se'], loss['es_99'])} (standard error)",
        ),
        (amount(ranked["es_99"]), f"expected shortfall of the most exposed lender, {ranked['name']}"),
    )
    inner = "".join(
        f'<div class="card"><b>{text(number)}</b><span>{text(label)}</span></div>' for number, label in quoted
    )
    return f'<div class="cards">{inner}</div>'
