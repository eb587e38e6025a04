"""summary.json: its entries, by one definition for writer and reader, and how they are read back."""

import json
import pathlib
from collections.abc import Callable
from typing import Annotated, Any, NotRequired, TypedDict, cast

from engine.results.provenance import Origin, Timing

SCHEMA = 1
"""Version of summary.json and of the tables beside it (docs/results.md)."""

Measures = Annotated[
    dict[str, Any],
    {
        "type": "object",
        "required": ["el", "es_99", "es_99_se", "var_99"],
        "patternProperties": {
            "^(el|var_|es_|exposure|wealth)": {"type": ["number", "null"]},
            "^resolved_": {"type": "boolean"},
        },
    },
]
"""el, var_99, es_99 ... of one column at one horizon, as the table `losses` names them, and their schema."""


class Sampler(TypedDict):
    """How paths were drawn, and how evenly they carry the result."""

    name: str
    replications: int
    ess: float  # effective paths
    ess_tail: float  # beyond the 99% level
    max_weight_share: float
    mean_weight: float
    mean_weight_se: float
    weights_capped: bool
    k_hat: float | None
    variance_reduction: dict[str, float]
    column: NotRequired[str]  # the loss whose tail importance sampling is for
    learning: NotRequired[dict[str, Any]]  # of importance sampling


class Summary(Origin):
    """summary.json. A task adds the entry of its name."""

    schema: int
    status: str
    timing: Timing
    system: dict[str, Measures]  # by horizon
    lenders: dict[str, dict[str, Measures]]  # by lender and horizon
    bearers: dict[str, dict[str, Measures]]
    firms: dict[str, dict[str, float]]  # pd_1y ... and standard errors
    about: dict[str, Any]  # the book's name, date, benchmark chips and classes: `About.entry`
    flagged_paths: dict[str, int]
    sampler: Sampler
    warnings: list[str]  # what is not resolved
    doubts: list[str]  # why the numbers should not be relied on (exit code 4)
    focus: NotRequired[dict[str, Any]]
    network: NotRequired[dict[str, Any]]
    attribution: NotRequired[dict[str, Any]]
    greeks: NotRequired[dict[str, Any]]
    reverse_stress: NotRequired[dict[str, Any]]
    search: NotRequired[dict[str, Any]]
    policy: NotRequired[dict[str, Any]]
    scenario_path: NotRequired[dict[str, Any]]
    calibration: NotRequired[dict[str, Any]]
    backtest: NotRequired[dict[str, Any]]
    band: NotRequired[dict[str, Any]]
    replay: NotRequired[dict[str, Any]]
    anatomy: NotRequired[dict[str, Any]]


def shipped_about() -> dict[str, Any]:
    """What a run without an entry `about` took for granted, whatever its book."""
    from engine.book.load import load_book, shipped_book  # seldom needed, and slow

    return load_book(shipped_book()).about.entry() | {"name": ""}


ADDED: dict[str, Callable[[], Any]] = {
    "doubts": list, "bearers": dict, "processes": lambda: 1, "about": shipped_about,
}  # fmt: skip
"""Entries that earlier versions of the schema did not write, and what stands for them."""


class UnreadableSummary(ValueError):
    """A summary that this version cannot read, and why."""


def read_summary(path: str | pathlib.Path) -> Summary:
    """The summary in a file, complete.

    Raises FileNotFoundError where there is none, and UnreadableSummary for a later schema or missing entries.
    """
    path = pathlib.Path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UnreadableSummary(f"{path}: got no JSON document, expected the summary of a run") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise UnreadableSummary(
            f"{path}: got schema {schema}, expected {SCHEMA}: read it with the version that wrote it"
        )
    document |= {name: make() for name, make in ADDED.items() if name not in document}
    missing = sorted(Summary.__required_keys__ - document.keys())
    stress = document.get("reverse_stress", {"start": ""})
    if "start" not in stress and not isinstance(stress.get("unreachable"), dict):
        missing.append("reverse_stress.start")
    if missing:
        raise UnreadableSummary(
            f"{path}: got no {', '.join(missing)}, expected all entries of schema {SCHEMA}: run it again"
        )
    return cast(Summary, document)
