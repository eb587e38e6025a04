"""docs/validation.md: every comparison with its error and verdict."""

import math

from experiments.validation.checks import Check
from experiments.validation.coverage import Coverage

HEAD = """# Validation

What the engine finds beside what is known: published tables, numbers of other packages, closed forms. Written
by

    {command}

on {machine}, {versions}. {summary}

A row compares as many numbers as its third column says and shows the one that agrees least. *Published* is
what the source gives, *engine* what this run found, with one standard error where it is an estimate; *z* is
their difference in standard errors. A row passes if the difference is within what the source is *good to*
plus four standard errors. Sources, their licences and traps: tests/oracles/README.md.
"""

COVERAGE = """## Coverage of the stated intervals

{runs} runs of each sampler on {obligors} unequal obligors with one factor, whose law the recursion gives
exactly; the share of runs whose 95% interval holds the exact value. By chance alone that share is uncertain
by {error:.1%} (one standard error). Passed: 93 to 97%.

| sampler | paths a run | measure | exact | held | share | verdict |
|---|---|---|---|---|---|---|
"""


def text(sections: dict[str, list[Check]], covered: list[Coverage], told: dict[str, str]) -> str:
    """The whole document; `told` holds command, machine and versions."""
    checks = [check for section in sections.values() for check in section]
    parts = [HEAD.format(summary=summary(checks, covered), **told)]
    for title, found in sections.items():
        parts.append(f"## {title}\n\n" + table(found))
    if covered:
        parts.append(coverage_table(covered))
    return "\n".join(parts)


def summary(checks: list[Check], covered: list[Coverage]) -> str:
    """One sentence over all."""
    failed = [c for c in checks if c.verdict == "failed"]
    missed = [c for c in covered if not c.passed]
    skipped = [c for c in checks if c.skipped]
    numbers = sum(c.values for c in checks if not c.skipped)
    said = f"{len(checks) - len(skipped)} rows over {numbers:,} numbers: "
    said += f"{len(failed)} failed" if failed else "all passed"
    if skipped:
        said += f"; {len(skipped)} skipped"
    if covered:
        said += f". Coverage: {len(covered) - len(missed)} of {len(covered)} within the band"
    return said + "."


COLUMNS = ("source", "quantity", "numbers", "published", "good to", "engine", "z", "verdict")


def table(checks: list[Check]) -> str:
    """Rows of one section."""
    return line(COLUMNS) + line(["---"] * len(COLUMNS)) + "".join(row(check) for check in checks)


def line(cells) -> str:
    """One line of a table."""
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def row(check: Check) -> str:
    """One row."""
    if check.skipped:
        return line([check.source, check.quantity, *["–"] * 5, f"skipped: {check.skipped}"])
    found = number(check.engine)
    if check.error > 0.0:
        found = f"{check.engine:.{digits(check.error)}f} ± {check.error:.2g}"
    return line([
        check.source, check.quantity, check.values, number(check.published),
        f"{check.tolerance:.2g}" if check.tolerance else "exact" if not check.error else "–", found,
        f"{check.z:+.1f}" if math.isfinite(check.z) else "–",
        check.verdict if check.passed else f"**{check.verdict}**",
    ])  # fmt: skip


def number(value: float) -> str:
    """Nine significant digits, without an exponent where there is no need of one."""
    return f"{value:.9g}"


def digits(error: float) -> int:
    """Decimals that show two digits of an error."""
    return max(0, 1 - math.floor(math.log10(error)))


def coverage_table(covered: list[Coverage]) -> str:
    """The coverage study."""
    from experiments.validation.coverage import OBLIGORS

    runs = covered[0].runs
    head = COVERAGE.format(runs=runs, obligors=OBLIGORS, error=math.sqrt(0.95 * 0.05 / runs))
    rows = [
        f"| {c.sampler} | {c.paths:,} | {c.measure} {100 * c.level:g}% | {c.exact:,.0f} | {c.held} | "
        f"{c.share:.1%} | {'passed' if c.passed else '**failed**'} |\n"
        for c in covered
    ]
    return head + "".join(rows)
