"""Published and exact numbers beside the engine's, written to docs/validation.md; needs a checkout."""

import dataclasses
import pathlib
import shlex
import sys
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import whole
from experiments.config.schema import Config
from experiments.context import Context

RUN_FOLDER = False


@dataclasses.dataclass
class Options:
    """Options of `task=validate`: folders of published numbers, runs, the document."""

    oracles: str = "tests/oracles"  # folder of published numbers
    unshipped: str | None = None  # folder of numbers whose licence keeps them out of the repository
    runs: int = 400  # of each sampler in the coverage study; 0 leaves it out
    document: str = "docs/validation.md"  # page that the comparisons are written to


def problems(config: Config, options: Options) -> list[str]:
    """Folders that do not exist, a number of runs out of range."""
    faults, runs = [], whole(options.runs)
    if runs is None or not 0 <= runs <= 100_000:
        faults.append(expected("validate.runs", options.runs, "a whole number from 0 to 100,000"))
    for key in ("oracles", "unshipped"):
        path = getattr(options, key)
        if path is not None and not pathlib.Path(path).is_dir():
            faults.append(expected(f"validate.{key}", path, "a folder that exists"))
    if not options.document.endswith(".md"):
        faults.append(expected("validate.document", options.document, "a file name ending in .md"))
    return faults


def model(context: Context) -> dict[str, list]:
    """The comparisons by section, each a function of nothing."""
    shipped = pathlib.Path(context.options.oracles)
    if not (shipped / "README.md").exists():
        kind = "the folder tests/oracles of a checkout, which an installed package does not hold"
        raise BadInput([expected("validate.oracles", str(shipped), kind)])
    return groups(shipped, context.options.unshipped)


def results(context: Context, model: dict[str, list]) -> dict[str, Any]:
    """Run all comparisons and the coverage study, then write the document; a failure is a doubt."""
    from engine.results.folder import write_text
    from experiments.validation import coverage, document

    options = context.options
    sections: dict[str, list] = {}
    for title, group in model.items():
        for compare in group:
            context.stop.check()
            checks = compare()
            sections.setdefault(title, []).extend(checks)
            for check in checks:
                print(f"{check.verdict:8} {check.source}: {check.quantity}", flush=True)

    def announce(sampler: str) -> None:
        context.stop.check()
        print(f"coverage of {options.runs} runs, {sampler}", flush=True)

    coverages = coverage.coverage(options.runs, watch=announce) if options.runs else []
    context.stop.check()
    write_text(pathlib.Path(options.document), document.text(sections, coverages, origin()))
    checks = [check for section in sections.values() for check in section]
    failures = sum(check.verdict == "failed" for check in checks) + sum(not each.passed for each in coverages)
    doubts = [f"{failures} comparisons failed ({options.document})"] if failures else []
    return {"text": document.summary(checks, coverages), "doubts": doubts}


def show(context: Context, summary: dict[str, Any]) -> None:
    """Print how many comparisons passed, and the document's path."""
    print(f"\n{summary['text']}\n{context.options.document}")


def groups(shipped: pathlib.Path, unshipped: str | None) -> dict[str, list]:
    """The comparisons by section, each a function of nothing."""
    from experiments.validation import closed_forms, credit, diffusions, importance, networks

    beside = None if unshipped is None else pathlib.Path(unshipped)

    def read(*functions):
        return [lambda f=f: f(shipped) for f in functions]

    return {
        "Networks": [*read(networks.clearing, networks.reconstruction), lambda: networks.debtrank(beside)],
        "Credit portfolios in closed form": read(
            credit.creditrisk_plus, credit.migration, credit.basel, credit.pools
        ),
        "Simulated portfolios against exact laws": [closed_forms.recursion, closed_forms.large_pool],
        "Importance sampling": read(importance.glasserman_li),
        "Paths: correlated and jump diffusions": read(
            diffusions.baskets, diffusions.exchange, diffusions.jump_diffusion
        ),
    }


def origin() -> dict[str, str]:
    """Command, machine and versions for the head of the document."""
    import jax

    from engine.results.provenance import versions

    packages, arguments = (
        versions(),
        [part for part in sys.argv[1:] if not part.startswith("validate.unshipped=")],
    )
    names = ("undertow", "python", "jax", "jaxlib", "numpy")
    return {
        "command": shlex.join(["undertow", *arguments]),
        "machine": f"{jax.device_count()} {jax.devices()[0].platform} device(s)",
        "versions": ", ".join(f"{name} {packages[name]}" for name in names),
    }
