"""The section on replayed paths: the first one's story in dated events and a chart, then all of them."""

import calendar

import pandas as pd

from engine.book.about import About
from engine.report import words
from engine.report.replay_chart import losses_chart, timeline
from engine.report.section import Chart, Details, Part, Section, finding, note
from engine.report.table import Row, Table, amount, number, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years, joined
from engine.results.replay.events import date_of

SHOWN = 40
"""Events in a table."""
SHOWN_OF_ONE = 20
"""Events in the table of the main job's path."""
TOLD = 5
"""Paths with a table of events."""
ALWAYS = ("regime", "credit supply falls", "lender fails")
"""Events that a table of events never leaves out."""
LARGEST = 3
"""Defaults that the finding names."""
MORE = "Other paths: undertow task=replay replay.paths=worst:20."
"""Where more is told."""


def anatomy(results: Results) -> Section:
    """The path of the main job that is nearest to the mean of the tail."""
    [path] = results.tables["replay_paths"]["path"].tolist()
    parts: tuple[Part, ...] = (
        finding(story(results, path)), chart_of(results, path),
        events_table(results, path, SHOWN_OF_ONE), *bearers_table(results, path),
        note(f"{nearness(results.summary['anatomy'], results.short)} {MORE}"),
    )  # fmt: skip
    return Section("anatomy", "Anatomy of a bad path", parts)


def replay(results: Results) -> Section:
    """The paths of `task=replay`."""
    paths = results.tables["replay_paths"]["path"].tolist()
    more = tuple(folded(results, path) for path in paths[1:TOLD])
    all_losses = (
        (Chart("replay-losses", losses_chart(results), "Loss of every replayed path"),)
        if len(paths) > 1
        else ()
    )
    parts: tuple[Part, ...] = (
        finding(story(results, paths[0])), chart_of(results, paths[0]), events_table(results, paths[0]),
        *bearers_table(results, paths[0]), paths_table(results), *all_losses, *more, note(how(results)),
    )  # fmt: skip
    return Section("replay", "One path told" if len(paths) == 1 else "Paths told", parts)


def chart_of(results: Results, path: int) -> Chart:
    """A path month by month."""
    return Chart(
        "replay-timeline", timeline(results, path), f"Path {path:,} month by month",
        "shaded: plateau and bust; circles: defaults, as large as their loss.",
    )  # fmt: skip


def folded(results: Results, path: int) -> Details:
    """The events of a path under a line that opens them."""
    return Details(f"Path {path:,}: what happened", (events_table(results, path),))


def how(results: Results) -> str:
    """How the paths were chosen and what is exact."""
    entry = results.summary["replay"]
    text = (
        "The paths are simulated again with the run's own draws, to the bit. Losses of events add up to that "
        "of the path. Every month of every quantity is in results/replay_months.parquet and, path by "
        "path, in results/replay_path_<id>.csv; all events are in results/replay_events.csv."
    )
    return f"{text} {nearness(entry, results.short)}".strip()


def nearness(entry: dict, unit: str) -> str:
    """How near the chosen path is to the mean of the tail; empty where none was searched for."""
    if entry.get("distance") is None:
        return ""
    return (
        f"Of the run's first {entry['searched']:,} paths this is the nearest to the mean of the worst 1% of "
        f"all paths, in the losses by instrument class at {horizon_years(entry['horizon'])}: the root of the "
        f"summed squares of the differences is {words.amount(entry['distance'])} {unit}."
    )


def story(results: Results, path: int) -> str:
    """A path in sentences: its loss, when the boom ends, who falls first and who costs most."""
    events, about = of_path(results, "replay_events", path), results.about
    one = of_path(results, "replay_paths", path).iloc[0]
    loss = one[f"loss_{results.last}"]
    defaults = events[events["event"] == "default"]
    sentences = [
        f"Path {path:,} loses {words.amount(loss)} {results.short} in {horizon_years(results.last)}.",
        turns(events, about),
    ]
    if len(defaults):
        first = defaults.iloc[0]
        others = f"{len(defaults) - 1} more borrowers follow" if len(defaults) > 1 else "no other follows"
        sentences.append(f"The first default is {first['name']} in {spoken(first, about)}; {others}.")
        largest = defaults.nlargest(LARGEST, "loss")
        listed = joined(
            [f"{name} ({words.amount(lost)} {results.short})" for name, lost in named_losses(largest)]
        )
        sentences.append(f"The defaults that cost most: {listed}.")
    if failed := int(one["lenders_failed"]):
        sentences.append(f"{failed} lender{'s lose their' if failed > 1 else ' loses its'} capital.")
    return " ".join(sentence for sentence in sentences if sentence)


def first_story(results: Results) -> str:
    """The story of the first path."""
    return story(results, int(results.tables["replay_paths"]["path"].iloc[0]))


def first_events(results: Results) -> Table:
    """The events of the first path of `task=replay`."""
    return events_table(results, int(results.tables["replay_paths"]["path"].iloc[0]))


def named_losses(rows: pd.DataFrame) -> list[tuple[str, float]]:
    """Names and losses of some events."""
    return list(zip(rows["name"], rows["loss"], strict=True))


def turns(events: pd.DataFrame, about: About) -> str:
    """When the regime changes, in a sentence."""
    rows = events[events["event"] == "regime"]
    if rows.empty:
        return "AI revenue never changes its regime."
    listed = [
        f"{words.lower_first(str(event['why']).partition(';')[0])} in {spoken(event, about)}"
        for _, event in rows.iterrows()
    ]
    text = joined(listed)
    return f"{text[0].upper()}{text[1:]}."


def spoken(event: pd.Series, about: About) -> str:
    """The date of an event in a sentence: "March 2028"."""
    year, month = about.calendar_month(int(event["month"]))
    return f"{calendar.month_name[month]} {year}"


def of_path(results: Results, table: str, path: int) -> pd.DataFrame:
    """The rows of one path."""
    rows = results.tables[table]
    return rows[rows["path"] == path]


def events_table(results: Results, path: int, most: int = SHOWN) -> Table:
    """The events of a path that matter most, by date."""
    events = of_path(results, "replay_events", path)
    weight = events["loss"].where(events["loss"] > 0.0, 0.1 * events["amount"].fillna(0.0))
    weight = weight.mask(events["event"].isin(ALWAYS), float("inf"))
    shown = events.loc[weight.nlargest(most, keep="first").index.sort_values()]
    text = (
        f"The {len(shown)} largest of {len(events)} events; losses by size, flows at a tenth of theirs."
        if len(shown) < len(events)
        else ""
    )
    head = ("Month", "Who", "Event", "Why", "Amount", "Loss")
    rows = tuple(event_row(event) for event in shown.to_dict("records"))
    return Table(
        f"events-{path}", f"Path {path:,}: what happened", head, rows, text, results.unit, words=4,
        brief_rows=most, brief_columns=(0, 1, 2, 4, 5),
    )  # fmt: skip


def event_row(event: dict) -> Row:
    """An event; amounts that do not exist are dashes."""
    lost = event["loss"] if event["loss"] > 0.0 else None
    return row(
        event["date"], event["name"], event["event"], event["why"], amount(event["amount"]), amount(lost)
    )


def bearers_table(results: Results, path: int) -> tuple[Table, ...]:
    """Who has lost what at the end of the path: classes of lenders and final bearers; none without a loss."""
    months = of_path(results, "replay_months", path)
    end = months[months["month"] == months["month"].max()]
    losses = results.tables["losses"]
    names = losses[losses["kind"] == "bearer"].set_index("id")["name"].to_dict()
    kinds = (
        ("Lenders", "lender_class_loss", words.class_name),
        ("Final bearers", "bearer_loss", lambda key: names.get(key, key)),
    )
    rows = tuple(
        row(kind, name_of(str(entry["who"])), amount(entry["value"]))
        for kind, what, name_of in kinds
        for entry in end[end["what"] == what].nlargest(8, "value").to_dict("records")
        if entry["value"] > 0.005
    )
    if not rows:
        return ()
    title, head = f"Path {path:,}: who loses", ("", "Who", "Loss")
    text = "What funds pass on counts with them and with those who take it, so lenders add up to more."
    return (Table(f"borne-{path}", title, head, rows, text, results.unit, words=2),)


def paths_table(results: Results) -> Table:
    """One row a path."""
    about = results.about
    losses = [f"loss_{horizon}" for horizon in results.horizons]

    def dated(month: int) -> str:
        return date_of(month, about) if month else "–"

    rows = tuple(
        row(
            f"{one['path']:,}", dated(one["boom_ends"]), dated(one["first_default"]),
            number(one["defaults"], ",d"), number(one["lenders_failed"], ",d"), share(one["lowest_supply"]),
            *(amount(one[column]) for column in losses),
        )
        for one in results.tables["replay_paths"].to_dict("records")
    )  # fmt: skip
    spans = [f"Loss, {horizon_years(horizon)}" for horizon in results.horizons]
    head = ("Path", "Boom ends", "First default", "Defaults", "Lenders failed", "Lowest supply", *spans)
    brief = (0, 1, 2, 3, 4, len(head) - 1)
    return Table("replay", "Replayed paths", head, rows, "", results.unit, words=3, brief_columns=brief)
