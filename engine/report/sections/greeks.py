"""The section on sensitivities: every parameter of the model ranked by its effect on ES."""

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.section import Chart, Section, finding, note
from engine.report.table import Cell, Table, measured, row
from engine.results.folder import Results
from engine.results.greeks import FALSE_DISCOVERIES
from engine.results.horizons import horizon_years

COUNT = 20
"""Parameters in the chart and on the terminal."""
AGREE = 0.05
"""p-value from which the checks count as in agreement."""


def sensitivities(results: Results) -> Section:
    """Every parameter with an effect that is statistically significant or that was checked."""
    level = words.share(results.summary["greeks"]["level"])
    chart = Chart(
        "greeks", tornado(results, level), "The largest effects",
        f"{horizon_years(results.last)}: change of ES {level} when a parameter rises by 10% of its size; "
        "bars: 95% intervals.",
    )  # fmt: skip
    parts = (
        finding(largest(results)), chart, effects_table(results), note(design(results)),
        note(checks(results)),
    )  # fmt: skip
    return Section("greeks", "What drives the tail", parts)


def tornado(results: Results, level: str) -> go.Figure:
    """Effects with their errors, greatest on top; the colour is the grade of the number."""
    shown = results.tables["greeks"].head(COUNT).iloc[::-1]
    chart = figure(120 + 25 * len(shown), bargap=0.35, barmode="overlay")
    for grade, colour in style.GRADE_COLOURS.items():
        part = shown[shown["grade"] == grade]
        chart.add_bar(
            x=part["es"],
            y=part["number"],
            orientation="h",
            name=f"grade {grade}",
            marker_color=colour,
            error_x=style.bars(part["es_se"]),
            customdata=list(
                zip(part.apply(value_with_unit, axis=1), part["why"], part["es_se"], strict=True)
            ),
            hovertemplate="<b>%{y}</b> = %{customdata[0]}<br>%{customdata[1]}<br>%{x:+,.2f} ± "
            f"%{{customdata[2]:.2f}} {results.short} (s.e.)<extra></extra>",
        )
    chart.update_xaxes(title_text=f"Change of ES {level}, {results.unit}, for a rise of 10%", zeroline=True)
    chart.update_yaxes(
        categoryorder="array",
        categoryarray=shown["number"].tolist(),
        automargin=True,
        showgrid=False,
        ticks="",
    )
    return chart


def largest(results: Results) -> str:
    """The parameter with the greatest effect, and how many effects are significant, in two sentences."""
    rows, level = results.tables["greeks"], words.share(results.summary["greeks"]["level"])
    most, widest = rows.iloc[0], rows.loc[rows["range"].abs().fillna(0.0).idxmax()]
    verb = "raises" if most["es"] > 0.0 else "lowers"
    sentence = (
        f"ES {level} is most sensitive to {most['number']}: 10% more of it {verb} ES by "
        f"{words.measured(abs(most['es']), most['es_se'])} {results.short}. {significant(results)}"
    )
    if not words.known(widest["range"]):
        return sentence
    return (
        f"{sentence} Between the lowest and the highest defensible value, {widest['number']} moves ES most: "
        f"by {words.measured(abs(widest['range']), widest['range_se'])} {results.short}."
    )


def significant(results: Results) -> str:
    """How many effects differ from zero, in a sentence."""
    greeks = results.summary["greeks"]
    return (
        f"Of {len(greeks['numbers'])} parameters, {greeks['told']} have an effect that differs significantly "
        f"from zero (false discovery rate {FALSE_DISCOVERIES:.0%})."
    )


def effects_table(results: Results) -> Table:
    """Effects of the parameters, over their defensible range too, with their checks."""
    effects, level = results.tables["greeks"], words.share(results.summary["greeks"]["level"])
    shown = effects[effects["told"] | effects["bump"].notna() | effects["range"].notna()]
    rows = tuple(
        row(
            effect["number"], value_with_unit(effect), effect["grade"],
            measured(effect["es"], effect["es_se"]), over_range(effect),
            measured(effect["el"], effect["el_se"]), check(effect, "bump"), check(effect, "ratio"),
        )
        for _, effect in shown.iterrows()
    )  # fmt: skip
    head = ("Parameter", "Value", "Grade", f"ES {level}, 10% more", "ES, lowest to highest",
            "Expected, 10% more", "ES, moved alone", "ES, likelihood ratio")  # fmt: skip
    text = (
        "± is one standard error. Shown are parameters whose effect differs significantly from zero (at most "
        f"{FALSE_DISCOVERIES:.0%} of them by chance; Benjamini and Hochberg) and those that were checked. "
        "10% more of a negative number is a rise too. Lowest to highest: ES at the highest less ES at the "
        "lowest defensible value, both simulated."
    )
    return Table(
        "greeks", "What drives the tail: change when a parameter rises by 10%", head, rows, text,
        results.unit, words=3, brief_rows=COUNT, brief_columns=(0, 1, 3, 5, 6, 4),
    )  # fmt: skip


def value_with_unit(effect: pd.Series) -> str:
    """The parameter's value with its unit."""
    unit = "" if effect["unit"] == "1" else f" {effect['unit']}"
    return f"{effect['value']:.4g}{unit}"


def over_range(effect: pd.Series) -> Cell:
    """Effect over the defensible range, where it was simulated."""
    if not words.known(effect["range"]):
        return Cell("–", "amount")
    return measured(effect["range"], effect["range_se"], f" ({effect['low']:.4g} to {effect['high']:.4g})")


def check(effect: pd.Series, route: str) -> Cell:
    """The result of a check, if there is one."""
    known = words.known(effect[route])
    return measured(effect[route], effect[f"{route}_se"]) if known else Cell("–", "amount")


def design(results: Results) -> str:
    """How the effects were estimated, in a sentence."""
    greeks = results.summary["greeks"]
    return (
        f"All parameters were moved at once by {words.share(greeks['step'])} of their size in "
        f"{greeks['rows']} rows of an orthogonal design, each with its mirror image."
    )


def checks(results: Results) -> str:
    """Whether the checks agree, in a sentence."""
    greeks = results.summary["greeks"]
    verdict = "agree with" if greeks["agreement_p"] >= AGREE else "differ from"
    return (
        f"{greeks['checked']} checks, p = {greeks['agreement_p']:.2g}: parameters moved alone on the same "
        f"draws, or by likelihood ratio, {verdict} these effects (greatest t "
        f"{words.amount(greeks['greatest_t'])})."
    )
