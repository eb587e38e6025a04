"""The section on trust: the evidence behind the result, its plausibility, and the reliability of the tail."""

from engine.report import charts, findings, timelines
from engine.report.section import Chart, Details, Part, Section, finding, note
from engine.report.sections.far_tail import far_tail, model_risk
from engine.report.sections.plausibility import (
    PROBABILITIES_NOTE,
    bands_table,
    declines_table,
    probabilities_table,
    reference_tables,
)
from engine.results.folder import Results


def trust(results: Results) -> Section:
    """Grades, plausibility, the far tail and model risk."""
    grades = Chart(
        "grades", charts.grade_shares(results), "What the result rests on",
        "A: found in a cited source. B: public figure of a named publication. C: modelling assumption.",
    )  # fmt: skip
    default_probabilities = Chart(
        "plausibility", charts.default_probability(results), "Default probabilities beside the market's",
        "the further apart, the less the run agrees with the CDS or the rating.",
    )  # fmt: skip
    parts: tuple[Part, ...] = (
        finding(findings.trust(results)), grades, finding(findings.probabilities(results)),
        default_probabilities, Details("All borrowers", (probabilities_table(results),)),
        note(PROBABILITIES_NOTE), *rents(results), bands_table(results), declines_table(results),
        *reference_tables(results), *far_tail(results), *model_risk(results),
    )  # fmt: skip
    return Section("trust", "How far to trust it", parts)


def rents(results: Results) -> tuple[Chart, ...]:
    """Rents of the first benchmark chip, past and simulated, where the book has their history."""
    chip = results.about.benchmarks[0]
    if not (results.tables["history"]["series"] == chip).any():
        return ()
    caption = "red: observed; blue: median and bands of the run."
    return (Chart("rental", timelines.rental(results), f"{chip} rent, past and simulated", caption),)
