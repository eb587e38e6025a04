"""docs/validation.md: every comparison with its error and verdict."""

import math
from collections.abc import Iterable

from experiments.validation.checks import Check
from experiments.validation.coverage import Coverage

HEAD = """# Validation

The engine compared with published tables, with numbers of other packages and with closed forms. Generated
by

    {command}

on {machine}, {versions}. {summary}

A row covers as many numbers as its third column says and shows the one that agrees least. *Published* is
the source's value, *engine* the value of this run, with one standard error where it is an estimate; *z* is
their difference in standard errors. A row passes if the difference is within the *accuracy* of the source
plus four standard errors. Sources, licences and pitfalls: tests/oracles/README.md.
"""

COVERAGE = """## Coverage of the stated intervals

{runs} runs of each sampler on {obligors} unequal obligors with one factor, whose law the recursion gives
exactly: the share of runs whose 95% interval contains the exact value. Its standard error is
{error:.1%}. Passed: 93 to 97%.

| sampler | paths a run | measure | exact | covered | share | verdict |
|---|---|---|---|---|---|---|
"""


def text(sections: dict[str, list[Check]], coverages: list[Coverage], context: dict[str, str]) -> str:
    """The whole document; `context` has the command, the machine and the versions."""
    checks = [check for section in sections.values() for check in section]
    parts = [HEAD.format(summary=summary(checks, coverages), **context)]
    for title, rows in sections.items():
        parts.append(f"## {title}\n\n" + table(rows))
    if coverages:
        parts.append(coverage_table(coverages))
    return "\n".join(parts)


def summary(checks: list[Check], coverages: list[Coverage]) -> str:
    """All verdicts in one sentence."""
    failures = [c for c in checks if c.verdict == "failed"]
    misses = [c for c in coverages if not c.passed]
    skips = [c for c in checks if c.skipped]
    numbers = sum(c.values for c in checks if not c.skipped)
    sentence = f"{len(checks) - len(skips)} rows over {numbers:,} numbers: "
    sentence += f"{len(failures)} failed" if failures else "all passed"
    if skips:
        sentence += f"; {len(skips)} skipped"
    if coverages:
        sentence += f". Coverage: {len(coverages) - len(misses)} of {len(coverages)} within the band"
    return sentence + "."


COLUMNS = ("source", "quantity", "numbers", "published", "accuracy", "engine", "z", "verdict")


def table(checks: list[Check]) -> str:
    """Rows of one section."""
    return line(COLUMNS) + line(["---"] * len(COLUMNS)) + "".join(row(check) for check in checks)


def line(cells: Iterable[object]) -> str:
    """One line of a table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def row(check: Check) -> str:
    """One row."""
    if check.skipped:
        return line([check.source, check.quantity, *["–"] * 5, f"skipped: {check.skipped}"])
    estimate = number(check.engine)
    if check.error > 0.0:
        estimate = f"{check.engine:.{digits(check.error)}f} ± {check.error:.2g}"
    return line([
        check.source, check.quantity, check.values, number(check.published),
        f"{check.tolerance:.2g}" if check.tolerance else "exact" if not check.error else "–", estimate,
        f"{check.z:+.1f}" if math.isfinite(check.z) else "–",
        check.verdict if check.passed else f"**{check.verdict}**",
    ])  # fmt: skip


def number(value: float) -> str:
    """Nine significant digits."""
    return f"{value:.9g}"


def digits(error: float) -> int:
    """Decimals at which an error has two significant digits."""
    return max(0, 1 - math.floor(math.log10(error)))


def coverage_table(coverages: list[Coverage]) -> str:
    """The coverage study."""
    from experiments.validation.coverage import OBLIGORS

    runs = coverages[0].runs
    head = COVERAGE.format(runs=runs, obligors=OBLIGORS, error=math.sqrt(0.95 * 0.05 / runs))
    rows = [
        f"| {c.sampler} | {c.paths:,} | {c.measure} {100 * c.level:g}% | {c.exact:,.0f} | {c.covered} | "
        f"{c.share:.1%} | {'passed' if c.passed else '**failed**'} |\n"
        for c in coverages
    ]
    return head + "".join(rows)
