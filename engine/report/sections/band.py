"""The section on the band: how far simulation, parameters and unknown holdings move the numbers."""

import dataclasses
import math

import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure
from engine.report.section import Chart, Section, finding, note
from engine.report.table import Cell, Table, measured, number, row
from engine.report.words import class_name
from engine.results.folder import Results
from engine.results.horizons import horizon_years
from engine.tail.regression import PER_PARAMETER

SOURCES = {
    "simulation": "Simulation",
    "parameters": "Parameters",
    "network": "Network",
    "together": "Together",
}
WORDS = {
    "parameters": "from parameters that history does not identify",
    "network": "from who holds what",
    "together": "from both",
}
MEASURES = {"el": "Expected", "es_95": "ES 95%", "es_99": "ES 99%"}
NOTHING = words.amount(0.0)
COLOURS = {
    "simulation": style.MUTED, "parameters": style.BLUE, "network": style.TEAL, "together": style.NAVY,
}  # fmt: skip


def band(results: Results) -> Section:
    """The band of the system by source, of its holders, and the parameters behind it."""
    chart = Chart(
        "band", ranges(results), "How far ES 99% moves",
        "dot: mean of the sets; bar: 5–95% of the sets without simulation error, of simulation the 90% "
        "interval; zero: the book's own parameters and holdings.",
    )  # fmt: skip
    drivers = (drivers_table(results),) if "band_drivers" in results.tables else ()
    parts = (
        finding(sure(results)), chart, band_table(results), *drivers, holders_table(results),
        note(method(results)),
    )  # fmt: skip
    return Section("band", "How sure the numbers are", parts)


def split(results: Results, kind: str = "system") -> pd.DataFrame:
    """Rows of the band of a kind, by id, measure and source."""
    rows = results.tables["band"]
    return rows[rows["kind"] == kind].set_index(["id", "measure", "source"]).sort_index()


def sure(results: Results) -> str:
    """ES 99% with what each source adds to it; how the sources add up; the parameter that matters most."""
    loss, paths = results.system(results.last), results.summary["paths"]
    rows = split(results).loc["system", "es_99"]
    moves = ", ".join(f"{move(rows.loc[source])} {text}" for source, text in WORDS.items())
    error = words.error(loss["es_99_se"], loss["es_99"])
    return (
        f"ES 99% over {horizon_years(results.last)} is {words.amount(loss['es_99'])} {results.short}: "
        f"± {error} from {paths:,} paths, {moves}. {adding_up(results, rows)}{strongest(results)}"
    )


def move(source: pd.Series) -> str:
    """Where the 5% and the 95% of the sets lie, as changes: -17 to +24."""
    low, high = (change(source[end]) for end in ("low", "high"))
    return "nothing" if low == high == NOTHING else f"{low} to {high}"


def change(value: float) -> str:
    """A change with its sign."""
    return words.signed(value, words.amount(abs(value)))


def adding_up(results: Results, rows: pd.DataFrame) -> str:
    """The sd of both sources together beside that of a sum without interaction."""
    both, parts = rows.loc["together"], rows.loc[["parameters", "network"]]
    alone = float((parts["sd"] ** 2).sum()) ** 0.5
    return (
        f"Drawn together, parameters and holdings move it with a standard deviation of "
        f"{words.measured(both['sd'], both['sd_se'])} {results.short}; without interaction it would be "
        f"{words.amount(alone)}."
    )


def strongest(results: Results) -> str:
    """The parameter with the largest effect, in a sentence; nothing where sets are too few."""
    if "band_drivers" not in results.tables:
        return ""
    most = results.tables["band_drivers"].iloc[0]
    verb = "raises" if most["effect"] > 0.0 else "lowers"
    return (
        f" {most['parameter']} matters most: one standard deviation more of it {verb} ES 99% by "
        f"{words.measured(abs(most['effect']), most['effect_se'])} {results.short}."
    )


def band_table(results: Results) -> Table:
    """Standard deviation of each measure of the system by source, and the range of ES 99%."""
    rows, asked = split(results).loc["system"], results.summary["band"]
    loss, paths = results.system(results.last), results.summary["paths"]
    main = [measured(loss[f"{name}_se"], None) for name in MEASURES]
    table = [row(f"Simulation, {paths:,} paths", *main, *three_dashes())]
    for source, name in SOURCES.items():
        label = f"{name}, {asked['paths']:,} paths" if source == "simulation" else name
        own = [rows.loc[measure, source] for measure in MEASURES]
        table.append(row(
            label, *(measured(each["sd"], each["sd_se"]) for each in own),
            *(shift(own[-1], key) for key in ("mean", "low", "high")),
        ))  # fmt: skip
    head = ("Source", *(f"{name}, sd" for name in MEASURES.values()), "ES 99%, change", "5% of sets",
            "95% of sets")  # fmt: skip
    text = (
        "sd: standard deviation that a source gives the number, ± its standard error. The last three columns "
        "are changes of ES 99% against the book's own parameters and holdings on the same paths: mean, 5% "
        "and 95% of the sets; of simulation the 90% interval. Together: parameters and network both drawn."
    )
    return Table(
        "band", f"How sure the system's loss is, {horizon_years(results.last)}", head, tuple(table), text,
        results.unit,
    )  # fmt: skip


def three_dashes() -> tuple[Cell, ...]:
    """Cells without a number."""
    return (Cell("–", "amount"),) * 3


def shift(source: pd.Series, key: str) -> Cell:
    """A change with its standard error, where sets were drawn."""
    error = float(source.get(f"{key}_se", math.nan))
    cell = measured(float(source[key]), error if words.known(error) else None)
    return dataclasses.replace(cell, text=change(float(source[key])))


def holders_table(results: Results) -> Table:
    """ES 99% of classes of lenders and of final bearers with the sd that each source gives it."""
    rows = []
    for kind in ("lenders", "bearer"):
        own = split(results, kind)
        for place in own.index.get_level_values("id").unique():
            each = own.loc[place, "es_99"]
            name = class_name(place) if kind == "lenders" else str(each["name"].iloc[0])
            rows.append((float(each.loc["simulation", "base"]), row(
                name, "Lenders" if kind == "lenders" else "Bearers",
                measured(each.loc["simulation", "base"], each.loc["simulation", "sd"]),
                *(measured(each.loc[source, "sd"], each.loc[source, "sd_se"]) for source in WORDS),
            )))  # fmt: skip
    rows.sort(key=lambda pair: -pair[0])
    head = ("Holders together", "Side", "ES 99%", "Parameters, sd", "Network, sd", "Together, sd")
    paths = results.summary["band"]["paths"]
    text = f"ES 99% of {paths:,} paths, ± its simulation error there."
    return Table(
        "band_holders", f"How sure each side's ES 99% is, {horizon_years(results.last)}", head,
        tuple(cells for _, cells in rows), text, results.unit, words=2, brief_rows=8,
    )  # fmt: skip


def drivers_table(results: Results) -> Table:
    """Effect of one sd of each parameter on the system's ES 99%."""
    drivers = results.tables["band_drivers"]
    rows = tuple(
        row(
            each["parameter"], number(each["mean"]), number(each["sd"]),
            measured(each["effect"], each["effect_se"]),
        )
        for each in drivers.to_dict("records")
    )  # fmt: skip
    text = (
        "By least squares on the sets of parameters: change of ES 99% for one standard deviation more, ± one "
        f"standard error. They explain {words.share(float(drivers['explained'].iloc[0]))} of the variance "
        "between sets (adjusted R²)."
    )
    head = ("Parameter", "Mean of the sets", "sd", "Change of ES 99%")
    return Table(
        "band_drivers", "Which parameters matter", head, rows, text, results.unit, brief_rows=6
    )  # fmt: skip


def ranges(results: Results) -> go.Figure:
    """One bar a source from the 5% to the 95% of its sets, as changes of ES 99%."""
    rows = split(results).loc["system", "es_99"].loc[list(SOURCES)[::-1]]
    chart = figure(260, bargap=0.45, showlegend=False)
    names = [SOURCES[source] for source in rows.index]
    low, high = rows["low"], rows["high"]
    chart.add_bar(
        x=high - low, base=low, y=names, orientation="h", name="5–95%", opacity=0.75,
        marker_color=[COLOURS[source] for source in rows.index],
        customdata=list(zip(low, high, rows["sd"], strict=True)),
        hovertemplate="<b>%{y}</b><br>%{customdata[0]:+,.2f} to %{customdata[1]:+,.2f} "
        f"{results.short}<br>sd %{{customdata[2]:,.2f}} {results.short}<extra></extra>",
    )  # fmt: skip
    chart.add_scatter(
        x=rows["mean"], y=names, mode="markers", name="mean", hoverinfo="skip",
        marker={"color": style.INK, "size": 8},
    )  # fmt: skip
    chart.update_yaxes(categoryorder="array", categoryarray=names, automargin=True, showgrid=False, ticks="")
    chart.update_xaxes(
        title_text=f"Change of ES 99%, {horizon_years(results.last)}, {results.unit}", zeroline=True,
        zerolinecolor=style.MUTED,
    )  # fmt: skip
    return chart


def method(results: Results) -> str:
    """How the sets were drawn, and what their spread leaves out."""
    asked = results.summary["band"]
    return (
        f"{asked['sets']} sets each of parameters that history does not identify (triangular in their "
        f"ranges), of networks of holders ({words.method_name(asked['method'])}) and of both, all on the "
        f"same {asked['paths']:,} paths; what these few paths add to the differences between sets is taken "
        "off (docs/band.md). Simulation error comes on top, as the root of the sum of squares. The structure "
        "of the model, parameters that history identifies and rows of the book are not varied."
        f"{too_few(results)}"
    )


def too_few(results: Results) -> str:
    """How many sets it takes to tell the parameters apart; nothing where there are so many."""
    if "band_drivers" in results.tables:
        return ""
    count = PER_PARAMETER * results.tables["band_sets"]["parameter"].nunique()
    return f" Which parameters matter takes {count} sets or more (band.sets)."
