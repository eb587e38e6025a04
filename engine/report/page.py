"""report.html: one file without a network, for a credit officer to read, print and file."""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

from engine.report import findings, focus_words, words
from engine.report.answers import answer
from engine.report.html import drawings, packed_plotly, render
from engine.report.section import Section, drawn
from engine.report.sections.attribution import attribution
from engine.report.sections.backtest import backtest
from engine.report.sections.band import band
from engine.report.sections.bearers import final_bearers
from engine.report.sections.calibration import calibration
from engine.report.sections.economy import economy
from engine.report.sections.focus import focus
from engine.report.sections.greeks import sensitivities
from engine.report.sections.instruments import instruments
from engine.report.sections.lenders import lenders
from engine.report.sections.limits import limits
from engine.report.sections.losses import system_losses
from engine.report.sections.network import network_uncertainty
from engine.report.sections.policy import policy
from engine.report.sections.provenance import provenance
from engine.report.sections.replay import anatomy, replay
from engine.report.sections.reverse_stress import reverse_stress
from engine.report.sections.scenario import scenario
from engine.report.sections.search import search
from engine.report.sections.systemic import systemic_risk
from engine.report.sections.timing import timing
from engine.report.sections.trust import trust
from engine.report.style import night
from engine.report.unit import readable, unit_remark
from engine.report.words import amount, error, share
from engine.results.folder import BILLION, Results, read_results, write_text
from engine.results.horizons import horizon_years
from engine.results.summary import Summary


class Topic(NamedTuple):
    """A section of the page: its name in the contents, and the entry of the summary it needs, if any.

    Where it answers the task of the run it `leads` all others.
    """

    name: str
    section: Callable[[Results], Section]
    needs: str | None = None
    leads: bool = True


TOPICS = (
    Topic("In focus", focus, "focus"),
    Topic("How much", system_losses),
    Topic("The scenario", scenario, "scenario_path"),
    Topic("Who loses", lenders),
    Topic("Who pays", final_bearers),
    Topic("Who drags whom down", systemic_risk),
    Topic("How sure", band, "band"),
    Topic("Unknown holdings", network_uncertainty, "network"),
    Topic("Where it comes from", instruments),
    Topic("Mechanisms", attribution, "attribution"),
    Topic("Drivers", sensitivities, "greeks"),
    Topic("How fast", timing),
    Topic("Futures", economy),
    Topic("A bad path", anatomy, "anatomy", leads=False),
    Topic("Reverse stress", reverse_stress, "reverse_stress"),
    Topic("Paths told", replay, "replay"),
    Topic("Best settings", search, "search"),
    Topic("Policy", policy, "policy"),
    Topic("Calibration", calibration, "calibration"),
    Topic("Backtest", backtest, "backtest"),
    Topic("How far to trust it", trust),
    Topic("Not covered", limits),
    Topic("Provenance", provenance),
)
"""The page from top to bottom, after what answers the task of the run."""

TITLE = "Undertow: who loses if the AI build-out disappoints"
UNRELIABLE = "Do not rely on these numbers: the run ended with exit code 4, for these reasons."


def write_page(folder: str | pathlib.Path) -> pathlib.Path:
    """Writes report.html into a run folder from its summary and tables; returns the path.

    Raises:
        FileNotFoundError: the folder has no summary.json.
    """
    path = pathlib.Path(folder) / "report.html"
    write_text(path, page(readable(read_results(folder))))
    return path


def opening(results: Results) -> tuple[str, str]:
    """Headline and lead: of one party on its own page, else of the task with an answer, else of the run."""
    if "focus" in results.summary:
        return focus_words.headline(results), focus_words.lead(results)
    headline, lead = findings.headline(results), findings.lead(results)
    if own := answer(results):
        return own.headline, f"{own.rest} {headline} {lead}".strip()
    return headline, lead


def page(results: Results, contents: list[tuple[str, Section]] | None = None) -> str:
    """The document; `contents` are the run's `sections` where they are made already."""
    summary, contents = results.summary, contents or sections(results)
    headline, lead = opening(results)
    return render(
        "report.html",
        title=TITLE,
        kicker=kicker(summary, results.unit),
        headline=headline,
        lead=lead,
        unreliable=UNRELIABLE,
        doubts=summary.get("doubts", []),
        warnings=summary.get("warnings", []),
        cards=focus_cards(results) if "focus" in summary else cards(results),
        sections=contents,
        plotly=packed_plotly(),
        charts=drawings(chart for _, section in contents for chart in section.charts),
        night=night(),
    )


def sections(results: Results) -> list[tuple[str, Section]]:
    """Name and section of every topic that the run has, those of its task first."""
    there = [topic for topic in TOPICS if topic.needs is None or topic.needs in results.summary]
    order = sorted(there, key=lambda topic: topic.needs is None or not topic.leads)
    return [(topic.name, drawn(topic.section(results))) for topic in order]


def kicker(summary: Summary, unit: str = BILLION) -> str:
    """The run in a line above the headline, and the unit of its losses where it is a smaller one."""
    book, paths, seed = summary.get("book", ""), summary["paths"], summary["seed"]
    return f"Undertow · book {book} · {paths:,} paths · seed {seed}{unit_remark(unit)}"


class Card(NamedTuple):
    """A number at the head of the page with what it is."""

    figure: str
    label: str


def cards(results: Results) -> list[Card]:
    """The four numbers of the last horizon."""
    unit = results.unit
    loss, span = results.system(results.last), horizon_years(results.last)
    lender = results.ranked("lender", results.last, "es_99").iloc[0]
    ratio = words.ratio(loss["el"], loss.get("exposure"))
    of_debt = f" ({share(ratio)} of today's debt)" if ratio is not None else ""
    low, high = amount(loss["var_99_lo"]), amount(loss["var_99_hi"])
    se = error(loss["es_99_se"], loss["es_99"])
    return [
        Card(amount(loss["el"]), f"{unit} expected loss in {span}{of_debt}"),
        Card(amount(loss["var_99"]), f"{unit} VaR 99%; {low}–{high} {results.short} with 95% confidence"),
        Card(amount(loss["es_99"]), f"{unit} expected shortfall 99%; ± {se} {results.short} standard error"),
        Card(
            amount(lender["es_99"]),
            f"{unit} expected shortfall 99% of {lender['name']}, the most exposed lender",
        ),
    ]


def focus_cards(results: Results) -> list[Card]:
    """The four numbers of a focus."""
    entry, scale = results.summary["focus"], focus_words.scale_of(results)
    share_of = words.ratio(entry["el"], entry["exposure"])
    of_debt = f" ({share(share_of)} of what is drawn today)" if share_of is not None else ""
    span = horizon_years(results.last)
    return [
        Card(scale.amount(entry["el"]), f"{scale.unit} expected loss in {span}{of_debt}"),
        *(
            Card(
                scale.amount(entry[f"es_{level}"]),
                f"{scale.unit} expected shortfall {level}%; ± {scale.error(entry, f'es_{level}')} "
                "standard error",
            )
            for level in ("95", "99")
        ),
        Card(share(entry["assumed_any"]), "of ES 99% rests on some row that is an assumption (grade C)"),
    ]
