"""The page of one lender, class, group of bearers or borrower: report.focus=KIND:ID.

Its paths are the first `report.focus_paths` of the run; each action is a run of the same program on a
changed System, on the same draws.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from engine.book.checks.problems import expected
from experiments.context import Context
from experiments.session.progress import Progress
from experiments.system import system_of

KINDS = ("lender", "class", "bearer", "borrower")
FORM = "KIND:ID with one of lender, class, bearer, borrower, as lender:JPM"


def choices(book: Any) -> dict[str, dict[str, str]]:
    """What can be looked at, id to name by kind: `lenders` are classes of them, `class` of instruments."""
    firms, loans = book["firms"], book["loans"]
    borrowers = firms[firms["firm"].isin(loans["borrower"]) & (firms["kind"] != "synthetic")]
    classes = [*loans["class"], *book["tranches"]["class"]]
    return {
        "lender": pairs(book["lenders"], "lender"),
        "lenders": {name: name for name in book["lenders"]["class"]},
        "class": {name: book.about.class_name(name) for name in classes},
        "bearer": pairs(book["bearers"], "bearer"),
        "borrower": pairs(borrowers, "firm"),
    }


def pairs(table: Any, key: str) -> dict[str, str]:
    """Ids and names of a table."""
    return dict(zip(table[key], table["name"], strict=True))


def chosen(text: str, book: Any) -> tuple[str, str] | None:
    """Kind and id of what `text` names; None where the book has no such thing."""
    kind, _, name = text.partition(":")
    known = choices(book)
    if kind == "class" and name in known["lenders"]:
        return "lenders", name
    return (kind, name) if kind in KINDS and name in known.get(kind, {}) else None


def problems(text: str, book: Any) -> list[str]:
    """A focus that the book does not have, with what it has that is like it."""
    if chosen(text, book) is not None:
        return []
    kind, _, name = text.partition(":")
    if kind not in KINDS:
        return [expected("report.focus", text, FORM)]
    known: Mapping[str, str] = choices(book)[kind] | (choices(book)["lenders"] if kind == "class" else {})
    ids = {each.lower(): each for each in known} | {title.lower(): each for each, title in known.items()}
    near = [ids[each] for each in difflib.get_close_matches(name.lower(), ids, 3, 0.5)]
    shown = list(dict.fromkeys(near or list(known)))[:8]
    rest = "" if len(shown) == len(known) else " or another id of the book"
    return [expected("report.focus", text, ", ".join(f"{kind}:{each}" for each in shown) + rest)]


def look(context: Context, system: Any, sampler: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name, and the entry `focus` of the summary; none without a focus."""
    experiment, book = context.experiment, context.book
    if experiment.report.focus is None:
        return {}, {}
    from engine.book.actions import actions_of
    from engine.paths.attribution import losses_of
    from engine.paths.focus import focus_of
    from engine.paths.simulate import horizons
    from engine.results import focus as results
    from engine.run.plan import Hooks, Plan

    kind, name = chosen(experiment.report.focus, book) or ("", "")
    run = experiment.run
    plan = Plan(min(run.paths, experiment.report.focus_paths), run.block, run.seed)
    months = horizons(run.months)[-1]  # the last that is reported, which need not be the run's end
    system = system if months == run.months else system_of(experiment, book, months)
    focus = focus_of(system, kind, name)

    def losses(variant: Any, title: str) -> Any:
        with Progress(plan.paths, title) as progress:
            hooks = Hooks(progress=progress.update, stopped=context.stop)
            paths = losses_of(variant, focus, plan, sampler, hooks)
        context.stop.check()
        return paths

    view = results.view_of(kind, name, focus, losses(system, experiment.report.focus), system, book)
    loans = [system.names.loans[place] for place in focus.loans]
    largest = results.largest_held(view)
    rows = []
    for action in actions_of(book, loans, name if kind == "lender" else None, largest):
        changed = system_of(experiment, action.book, months)
        rows.append(results.action_row(view, action, changed, losses(changed, action.key).total))
    tables = results.tables_of(view, rows)
    return tables, {"focus": results.summary_of(view, tables, choices(book)[kind][name])}
