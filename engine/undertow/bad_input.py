"""What cannot be run, as one exception that reads like the command's message."""

from collections.abc import Iterable

from engine.book.checks.problems import complaint


class BadInput(ValueError):
    """What was asked cannot be run, and nothing was. `problems` has every problem, one sentence each.

    The text is the message that the command ends with; a notebook shows it without a traceback.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(dict.fromkeys(problems))
        super().__init__(complaint(self.problems))

    def __reduce__(self) -> tuple[type, tuple[list[str]]]:
        return type(self), (self.problems,)

    def _render_traceback_(self) -> list[str]:
        """What IPython prints in place of a traceback."""
        return str(self).splitlines()
