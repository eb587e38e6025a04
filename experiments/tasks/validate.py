"""Hold the engine against every known number and write docs/validation.md."""

import pathlib
import shlex
import sys

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.exit_codes import DONE, UNRELIABLE
from experiments.session.stopping import Stop


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """All comparisons, then the coverage study; the exit code is 4 where anything failed."""
    from engine.results.folder import write_text
    from experiments.validation import coverage, document

    wanted = experiment.validate
    shipped = pathlib.Path(wanted.oracles)
    if not (shipped / "README.md").exists():
        wanted = "the folder tests/oracles of a checkout, which an installed package does not hold"
        raise BadInput([expected("validate.oracles", str(shipped), wanted)])
    sections: dict[str, list] = {}
    for title, group in groups(shipped, wanted.unshipped).items():
        for compare in group:
            stop.check()
            checks = compare()
            sections.setdefault(title, []).extend(checks)
            for check in checks:
                print(f"{check.verdict:8} {check.source}: {check.quantity}", flush=True)

    def announce(sampler: str) -> None:
        stop.check()
        print(f"coverage of {wanted.runs} runs, {sampler}", flush=True)

    covered = coverage.coverage(wanted.runs, watch=announce) if wanted.runs else []
    stop.check()
    write_text(pathlib.Path(wanted.document), document.text(sections, covered, told()))
    checks = [check for found in sections.values() for check in found]
    print(f"\n{document.summary(checks, covered)}\n{wanted.document}")
    good = all(check.verdict != "failed" for check in checks) and all(c.passed for c in covered)
    return DONE if good else UNRELIABLE


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


def told() -> dict[str, str]:
    """Command, machine and versions, as the document's head says them."""
    import jax

    from experiments.session.provenance import versions

    found, said = versions(), [part for part in sys.argv[1:] if not part.startswith("validate.unshipped=")]
    named = ("undertow", "python", "jax", "jaxlib", "numpy")
    return {
        "command": shlex.join(["undertow", *said]),
        "machine": f"{jax.device_count()} {jax.devices()[0].platform} device(s)",
        "versions": ", ".join(f"{name} {found[name]}" for name in named),
    }
