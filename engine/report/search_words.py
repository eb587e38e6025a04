"""A search in words: knobs, objectives and result."""

from typing import Any

from engine.report.words import amount, measured
from engine.results.horizons import joined

MEASURES = {
    "el": "expected loss", "es_95": "ES 95%", "es_99": "ES 99%", "es_99_9": "ES 99.9%", "net": "net income",
    "rate": "net income per dollar and year", "income": "income", "loss": "expected loss",
}  # fmt: skip


def knob_name(key: str) -> str:
    """A knob without its table: "LAMB_GPU advance"; a parameter of the model: "contract advance"."""
    *entry, field = key.split(".")[1:]
    return " ".join([*entry, field.replace("_", " ")])


def result_name(key: str) -> str:
    """A result: "net income of MACQ_AI's loans", "ES 99% of the system"."""
    subject, _, measure = key.rpartition(".")
    kind, _, lender = subject.partition(":")
    owner = f"{lender}'s loans" if kind == "returns" else lender or f"the {kind}"
    return f"{MEASURES[measure]} of {owner}"


def unit(key: str) -> str:
    """The unit behind a result's amount: all are in USD bn but the rate."""
    return "" if key.endswith(".rate") else " bn"


def aims(summary: dict[str, Any]) -> str:
    """Objectives and bounds."""
    objectives = [f"the highest {result_name(name)}" for name in summary["maximise"]]
    objectives += [f"the lowest {result_name(name)}" for name in summary["minimise"]]
    bounds = []
    for name, (low, high) in summary["bounds"].items():
        bounds += [f"{result_name(name)} at least {amount(low)}{unit(name)}"] if low is not None else []
        bounds += [f"{result_name(name)} at most {amount(high)}{unit(name)}"] if high is not None else []
    return joined(objectives) + (f", with {joined(bounds)}" if bounds else "")


def headline(summary: dict[str, Any]) -> str:
    """The best setting and its result on fresh paths, in two sentences."""
    best, first = summary["best"][0], (summary["maximise"] + summary["minimise"])[0]
    if not summary["feasible"]:
        return f"None of {summary['trials']} settings stays within the bounds. The aim: {aims(summary)}."
    setting = joined([f"{knob_name(name)} {amount(value)}" for name, value in best["setting"].items()])
    return (
        f"Best of {summary['trials']} settings for {aims(summary)}: {setting}. On fresh paths the "
        f"{result_name(first)} is {measured(*best['fresh'][first])}{unit(first)}, against "
        f"{measured(*summary['today'][first])}{unit(first)} with today's settings."
    )
