"""A calibration as configuration groups: files for conf/economy and conf/chips."""

import textwrap
from collections.abc import Sequence

from engine.book.parameters import Parameters
from engine.learn.calibration.calibration import apply_fits
from engine.learn.calibration.identification import Fit

WIDTH = 108


def group_text(group: str, parameters: Parameters, fits: Sequence[Fit], source: str) -> str:
    """The YAML of `economy` or `chips`: identified numbers with their errors, the others in a comment.

    `source` names the command and the book.
    """
    own = [fit for fit in fits if fit.parameter.startswith(f"{group}.")]
    values = getattr(apply_fits(parameters, fits), group)
    lines = [
        f"# {source}",
        "# estimate ± standard error [95% band], observations; equations: docs/calibration.md.",
    ]
    identified = [fit for fit in own if fit.identified]
    for fit in identified:
        name = field(fit)
        lines.append(f"{name}: {getattr(values, name)}  # {evidence(fit)}")
    if not identified:
        lines.append("{}")
    others = [fit.parameter.partition(".")[2] for fit in own if not fit.identified]
    lines += wrap("# Not identified, so as in base: " + ", ".join(others) + ".")
    return "\n".join(lines) + "\n"


def field(fit: Fit) -> str:
    """The parameter's name without its group: `growth` of `economy.growth[0]`."""
    return fit.parameter.partition(".")[2].partition("[")[0].partition(" ")[0]


def evidence(fit: Fit) -> str:
    """An estimate with its errors."""
    entry = "first entry " if "[" in fit.parameter else ""
    return (
        f"{entry}{fit.value:.3g} ± {fit.standard_error:.2g} [{fit.low:.3g}, {fit.high:.3g}], {fit.data} "
        f"observations, before {fit.prior:.3g}"
    )


def wrap(text: str) -> list[str]:
    """A comment in lines of WIDTH."""
    return textwrap.wrap(text, WIDTH, subsequent_indent="# ")
