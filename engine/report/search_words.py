"""A search in words: what is turned, what is asked, and what came out."""

from engine.report.words import amount, error, joined

MEASURES = {
    "el": "expected loss", "es_95": "ES 95%", "es_99": "ES 99%", "es_99_9": "ES 99.9%", "net": "net income",
    "rate": "net income a year and dollar", "income": "income", "loss": "expected loss",
}  # fmt: skip


def knob_words(name: str) -> str:
    """A knob without its table: "LAMB_GPU advance"; a number of the model: "contract advance"."""
    *row, last = name.split(".")[1:]
    return " ".join([*row, last.replace("_", " ")])


def result_words(name: str) -> str:
    """A result: "MACQ_AI, loans: net income"."""
    of, _, measure = name.rpartition(".")
    kind, _, who = of.partition(":")
    whose = f"{who}, loans" if kind == "returns" else who or kind
    return f"{whose}: {MEASURES[measure]}"


def value(pair) -> str:
    """A number with its standard error."""
    return f"{amount(pair[0])} ± {error(pair[1], pair[0])}"


def aims(found: dict) -> str:
    """What was asked."""
    asked = [f"most {result_words(name)}" for name in found["maximise"]]
    asked += [f"least {result_words(name)}" for name in found["minimise"]]
    for name, (low, high) in found["bounds"].items():
        asked += [f"{result_words(name)} of {amount(low)} at least"] if low is not None else []
        asked += [f"{result_words(name)} of {amount(high)} at most"] if high is not None else []
    return joined(asked)


def headline(found: dict) -> str:
    """The best setting and what fresh paths make of it, in a sentence."""
    best, first = found["best"][0], (found["maximise"] + found["minimise"])[0]
    if not found["feasible"]:
        return f"No setting of {found['trials']} keeps the bounds: {aims(found)}."
    turned = joined([f"{knob_words(name)} {amount(at)}" for name, at in best["setting"].items()])
    said = f"Best of {found['trials']} settings for {aims(found)}: {turned}."
    fresh = f" On fresh paths {result_words(first)} is {value(best['fresh'][first])}"
    return f"{said}{fresh}, with today's terms {value(found['today'][first])}."
