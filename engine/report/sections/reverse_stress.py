"""The section on reverse stress: the likeliest scenarios that bring a loss, their charts and stories."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.report import style, timelines, words
from engine.report.section import Bullets, Chart, Details, Pair, Part, Section, finding
from engine.report.stress_words import CAUSE_WORDS, FACTOR_WORDS, month_name, story_lines, title
from engine.report.table import Cell, Table, amount, figures, measured, number, row, share
from engine.results.folder import Results
from engine.results.horizons import joined
from engine.results.reverse_stress import chance
from engine.vocabulary import price_of, rent_of

COLOURS = (style.RED, style.AMBER, style.PLUM)
ROUTES = {
    "form": "FORM, summed over regime paths",
    "importance": "importance sampling around FORM's points",
    "plain": "plain paths of the main job",
}
"""Three ways to the probability of the loss."""
FIRMS = 10
"""Firms in the table of a scenario."""


def reverse_stress(results: Results) -> Section:
    """Scenarios, charts, stories and probabilities of the loss, or why it is out of reach."""
    summary = results.summary["reverse_stress"]
    name = f"The likeliest way to lose {target_words(results)}"
    if "unreachable" in summary:
        return Section("reverse_stress", name, (finding(answer(results)),))
    charts = [scenario_chart(results, series) for series in drawn(results)]
    pairs = [Pair(tuple(charts[place : place + 2])) for place in range(0, len(charts), 2)]
    parts: tuple[Part, ...] = (
        finding(answer(results)), scenarios_table(results), *pairs, *stories(results),
        chances_table(results),
    )  # fmt: skip
    return Section("reverse_stress", name, parts)


def answer(results: Results) -> str:
    """The likeliest scenario, or why there is none, in sentences."""
    reach = results.summary["reverse_stress"].get("unreachable")
    return likeliest(results) if reach is None else out_of_reach(results, reach)


def out_of_reach(results: Results, reach: dict[str, float]) -> str:
    """Why no systematic path brings the loss, and how many paths lose it all the same, in a sentence."""
    most = f"{words.amount(reach['most'])} {results.short}"
    if reach["furthest"] == 0.0:
        why = f"losses do not depend on the economy: {most} in any case"
    else:
        why = (
            f"no systematic path within {reach['furthest']:.0f} standard deviations of the middle has an "
            f"expected loss of {target_words(results)}; the most is {most}"
        )
    likelihood = chance(reach["plain"], reach["plain_se"])
    chances = f"; {likelihood} of plain paths lose it all the same, by chance among borrowers"
    return f"No scenario brings this loss: {why}{chances if reach['plain'] > 0.0 else ''}."


def target_words(results: Results) -> str:
    """The target with its unit."""
    return f"{words.amount(results.summary['reverse_stress']['target'])} {results.short}"


def drawn(results: Results) -> tuple[str, ...]:
    """Monthly series that are drawn."""
    return ("revenue", price_of(results.about.benchmarks[0]), "rate", "spread", "supply", "loss")


def likeliest(results: Results) -> str:
    """The likeliest scenario and how likely the loss is, in sentences."""
    summary, first = results.summary["reverse_stress"], results.tables["reverse_stress"].iloc[0]
    subject = "the system" if summary["of"] == "system" else summary["of"]
    target, odds = target_words(results), summary["probability"]
    name = words.lower_first(title(first["switches"], results.about))
    return (
        f"The likeliest way for {subject} to lose {target}: {name}, with shocks {first['beta']:.1f} "
        f"standard deviations from their median. The probability of losing {target} or more is "
        f"{chance(odds['importance'], odds['importance_se'])}.{break_year(results)}"
    )


def break_year(results: Results) -> str:
    """When the boom breaks most often on simulated paths beyond the target, in a sentence."""
    breaks = results.summary["reverse_stress"]["breaks"]
    year = max(range(len(breaks)), key=breaks.__getitem__)
    event = "lasts" if year == 0 else f"breaks in {results.about.year_name(year)}"
    return f" On {words.share(breaks[year])} of such paths the boom {event}." if breaks[year] > 0.0 else ""


def scenarios_table(results: Results) -> Table:
    """One row a scenario."""
    scenarios = results.tables["reverse_stress"]
    best = scenarios["log_likelihood"].iloc[0]
    rows = tuple(
        row(
            f"{scenario['scenario']}. {title(scenario['switches'], results.about)}", largest_shocks(scenario),
            number(scenario["beta"], ".2f"), likelihood(scenario, best),
            measured(scenario["mean"], scenario["mean_se"]), amount(scenario["deviation"]),
            share(scenario["share"]), share(scenario["share_around"]),
        )
        for _, scenario in scenarios.iterrows()
    )  # fmt: skip
    text = (
        "Each scenario is the likeliest path of its kind, given the year in which the boom breaks and the "
        "worst regime that follows. Distance: standard deviations of all shocks together from their median. "
        "Likelihood: of the path, relative to the first. Mean loss and its standard deviation: over paths "
        "with exactly this economy, on which chance decides who defaults. The last two columns are the "
        "shares of these paths, and of nearby ones, that lose the target."
    )
    head = ("Scenario", "Largest shocks", "Distance", "Likelihood", "Mean loss", "Standard deviation",
            "Lose the target", "Nearby paths")  # fmt: skip
    summary = results.summary["reverse_stress"]
    name = f"Likeliest scenarios for a loss of {target_words(results)} ({summary['of']})"
    return Table("reverse_stress", name, head, rows, text, results.unit, words=2, brief_columns=(0, 2, 4, 6))


def likelihood(scenario: pd.Series, best: float) -> Cell:
    """Likelihood of a scenario relative to the first: "1/3.2"."""
    if scenario["scenario"] == 1:
        return Cell("1", "ratio", 1.0)
    times = float(np.exp(best - scenario["log_likelihood"]))
    return Cell(f"1/{words.amount(times)}", "ratio", 1.0 / times)


def largest_shocks(scenario: pd.Series) -> str:
    """The two factors with the largest shocks."""
    sizes = scenario[[f"push_{name}" for name in FACTOR_WORDS]].astype(float).sort_values(ascending=False)
    return joined([FACTOR_WORDS[key.removeprefix("push_")] for key in sizes.index[:2]])


def looks(results: Results) -> dict[str, timelines.Look]:
    """Titles and units of what is drawn."""
    return timelines.fans(results.about, results.unit) | {
        "loss": ("Cumulative loss of the system", results.unit, False),
        "rate": ("Short rate", "a year", False),
    }


def scenario_chart(results: Results, series: str) -> Chart:
    """One series: the fan of all paths, and the median of each scenario."""
    name, unit, log = looks(results)[series]
    chart = timelines.fan(results, series, name, unit, log)
    months = results.tables["reverse_stress_months"]
    switches = results.tables["reverse_stress"].set_index("scenario")["switches"]
    for scenario, colour in enumerate(COLOURS, 1):
        rows = months[(months["scenario"] == scenario) & (months["series"] == series)]
        if rows.empty:
            continue
        chart.add_scatter(
            x=rows["month"], y=rows["p50"], mode="lines", line={"color": colour, "width": 2.2},
            hovertemplate=f"<b>scenario {scenario}</b>: {title(switches[scenario], results.about)}<br>"
            "month %{x}: %{y:,.3~g}<extra></extra>",
        )  # fmt: skip
    if series == "rate":
        chart.update_yaxes(tickformat=".0%")
    return Chart(f"scenario-{series}", chart, name, "red, amber, plum: scenarios 1 to 3.")


def stories(results: Results) -> list[Details]:
    """Each scenario quarter by quarter with its defaults; all but the first are folded away."""
    summary, quarters = results.summary["reverse_stress"], results.tables["reverse_stress_quarters"]
    folded = []
    for scenario, told in enumerate(summary["scenarios"], 1):
        rows = quarters[quarters["scenario"] == scenario]
        name = title(told["switches"], results.about)
        lines = eventful(rows, summary["start"], story(results, scenario))
        parts = (
            Bullets(tuple(lines)), quarters_table(results, rows, scenario), firms_table(results, scenario)
        )  # fmt: skip
        folded.append(Details(f"{scenario}. {name}, quarter by quarter", parts, scenario == 1))
    return folded


def story(results: Results, scenario: int) -> list[str]:
    """A scenario's story in lines, one a quarter."""
    quarters = results.tables["reverse_stress_quarters"]
    start = results.summary["reverse_stress"]["start"]
    return story_lines(quarters[quarters["scenario"] == scenario], firm_names(results), start, results.about)


def firm_names(results: Results) -> Mapping[str, str]:
    """Names of firms by id."""
    names: dict[str, str] = results.tables["firms"].set_index("firm")["name"].to_dict()
    return names


def eventful(quarters: pd.DataFrame, start: str, lines: list[str]) -> list[str]:
    """Lines of the quarters with a change of regime, a breach or a default."""
    turns = quarters["regime"] != quarters["regime"].shift(fill_value=start)
    marked = turns | (quarters["breaches"] != "") | (quarters["defaults"] != "")
    return [line for line, show in zip(lines, marked, strict=True) if show]


def quarters_table(results: Results, quarters: pd.DataFrame, scenario: int) -> Table:
    """Economy and losses, one row a quarter."""
    about, chip = results.about, results.about.benchmarks[0]
    rows = tuple(
        row(
            about.quarter_name(int(quarter.quarter)), quarter.regime, figures(quarter.revenue),
            number(getattr(quarter, price_of(chip)), ",.1f"),
            number(getattr(quarter, rent_of(chip)), ".2f"), share(quarter.rate),
            number(quarter.spread, ".2f", "x"), number(quarter.supply, ".2f"), amount(quarter.exposure),
            amount(quarter.loss), amount(quarter.cumulative_loss),
        )
        for quarter in quarters.itertuples(index=False)
    )  # fmt: skip
    head = ("End of", "Regime", "AI revenue, bn a year", f"{chip}, k USD", f"{chip} rent, USD/h",
            "Short rate", "Spreads", "Credit supply", "Debt", "Loss in the quarter",
            "Loss so far")  # fmt: skip
    name = "Economy and losses by quarter"
    return Table(f"quarters_{scenario}", name, head, rows, "", results.unit, words=2)


def firms_table(results: Results, scenario: int) -> Table:
    """The firms that default most often on a scenario."""
    firms = results.tables["reverse_stress_firms"]
    firms = firms[(firms["scenario"] == scenario) & (firms["defaulted"] > 0.0)].head(FIRMS)
    names = firm_names(results)
    rows = tuple(
        row(
            names.get(firm.firm, firm.firm), CAUSE_WORDS.get(firm.cause, firm.cause), share(firm.defaulted),
            month_name(int(firm.default_month), results.about), share(firm.cause_share), share(firm.breached),
            results.about.quarter_name(int(firm.breach_quarter)) if firm.breach_quarter else "–",
        )
        for firm in firms.itertuples(index=False)
    )  # fmt: skip
    head = ("Borrower", "Commonest cause", "Paths on which it defaults", "Median quarter of default",
            "Share of that cause", "Paths on which it breaches", "Half breach by")  # fmt: skip
    return Table(f"firms_{scenario}", "Borrowers that default most often", head, rows, words=2)


def chances_table(results: Results) -> Table:
    """Three ways to the probability of the loss."""
    summary = results.summary["reverse_stress"]
    odds = summary["probability"]
    rows = tuple(row(name, chance_cell(odds[key], odds[f"{key}_se"])) for key, name in ROUTES.items())
    text = (
        "± is one standard error. FORM is an approximation; its error covers only the sum over regime paths."
    )
    name = f"Probability of losing {target_words(results)} or more"
    return Table("reverse_stress_chances", name, ("Method", "Probability"), rows, text)


def chance_cell(value: float, error: float) -> Cell:
    """A probability, however small, with its standard error."""
    text, _, detail = chance(value, error).partition(" ")
    return Cell(text, "share", value, detail, (error,))
