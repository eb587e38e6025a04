"""The section on what the tail hangs on: every number of the model ranked by what it does to ES."""

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.words import amount, measured
from engine.results.folder import Results
from engine.results.horizons import horizon_years

TOP = 20
"""Numbers in the chart."""


def hanging(results: Results, holder: Charts) -> str:
    """Every number that is told from zero; nothing where the run moved none."""
    if "greeks" not in results.tables:
        return ""
    rows, told = results.tables["greeks"], results.summary["greeks"]
    level = words.share(told["level"])
    chart = holder.place(
        "greeks", tornado(rows.head(TOP), level), "The greatest effects",
        f"{horizon_years(results.last)}: change of ES {level} when a number rises by a tenth of its "
        "size; bars: 95% of the error.",
    )  # fmt: skip
    return section(
        "greeks", "What the tail hangs on", finding(greatest(rows, told, level)), chart,
        numbers_table(rows[rows["told"] | rows["bump"].notna() | rows["range"].notna()], level), checks(told),
    )  # fmt: skip


def tornado(rows: pd.DataFrame, level: str) -> go.Figure:
    """Effects with their errors, greatest on top; the colour is the grade of the number."""
    shown = rows.iloc[::-1]
    chart = figure(120 + 25 * len(shown), bargap=0.35, barmode="overlay")
    for grade, colour in style.GRADE_COLOURS.items():
        part = shown[shown["grade"] == grade]
        chart.add_bar(
            x=part["es"],
            y=part["number"],
            orientation="h",
            name=f"grade {grade}",
            marker_color=colour,
            error_x={
                "array": (1.96 * part["es_se"]).tolist(),
                "color": style.INK,
                "thickness": 1.2,
                "width": 3,
            },
            customdata=list(zip(part.apply(valued, axis=1), part["why"], part["es_se"], strict=True)),
            hovertemplate="<b>%{y}</b> = %{customdata[0]}<br>%{customdata[1]}<br>%{x:+,.2f} ± "
            "%{customdata[2]:.2f} bn (s.e.)<extra></extra>",
        )
    chart.update_xaxes(title_text=f"Change of ES {level}, USD bn, for a rise by a tenth", zeroline=True)
    chart.update_yaxes(
        categoryorder="array",
        categoryarray=shown["number"].tolist(),
        automargin=True,
        showgrid=False,
        ticks="",
    )
    return chart


def greatest(rows: pd.DataFrame, told: dict, level: str) -> str:
    """The number with the greatest effect and how many can be told from zero, in a sentence."""
    row, wide = rows.iloc[0], rows.loc[rows["range"].abs().fillna(0.0).idxmax()]
    verb = "raises" if row["es"] > 0.0 else "lowers"
    ranged = (
        f" Between the ends of the range a careful user would defend, {wide['number']} moves it most: by "
        f"{measured(abs(wide['range']), wide['range_se'])} bn."
    )
    return (
        f"ES {level} hangs most on {row['number']}: a tenth more of it {verb} ES by "
        f"{measured(abs(row['es']), row['es_se'])} bn. {told['told']} of {len(rows)} numbers can "
        "be told from zero." + (ranged if words.known(wide["range"]) else "")
    )


def numbers_table(rows: pd.DataFrame, level: str) -> str:
    """Effects of the numbers, over their defensible range too, with their checks."""
    cells = [
        (
            row["number"], valued(row), row["grade"],
            measured(row["es"], row["es_se"]), spread(row), measured(row["el"], row["el_se"]),
            checked(row, "bump"), checked(row, "ratio"),
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    head = (
        "Number", "Value", "Grade", f"ES {level}, a tenth more", "ES, low to high", "Expected, a tenth more",
        "ES, moved alone", "ES, likelihood ratio",
    )  # fmt: skip
    note = (
        "USD bn, ± one standard error. Numbers told from zero, at most one in twenty of them by mistake "
        "(Benjamini and Hochberg), and those that were checked. A tenth more of a negative number is a rise "
        "too. Low to high: ES at the highest less ES at the lowest value a careful user would defend, run at "
        "both."
    )
    return table(head, cells, word_columns=3) + paragraph(note, "note")


def valued(row) -> str:
    """The number's value with its unit."""
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    return f"{row['value']:.4g}{unit}"


def spread(row) -> str:
    """Effect over the defensible range, where it was run."""
    if not words.known(row["range"]):
        return "–"
    return f"{measured(row['range'], row['range_se'])} ({row['low']:.4g} to {row['high']:.4g})"


def checked(row, route: str) -> str:
    """What a check found, where there is one."""
    return measured(row[route], row[f"{route}_se"]) if words.known(row[route]) else "–"


def checks(told: dict) -> str:
    """Whether the checks agree, in a sentence."""
    verdict = "agree with" if told["agreement_p"] >= 0.05 else "differ from"
    return paragraph(
        f"All numbers were moved at once by {words.share(told['step'])} of their size in {told['rows']} rows "
        f"of an orthogonal design, each beside its mirror image. {told['checked']} checks, numbers moved "
        f"alone on the same draws or by likelihood ratio, {verdict} it (greatest t "
        f"{amount(told['greatest_t'])}, "
        f"p = {told['agreement_p']:.2g}).",
        "note",
    )
