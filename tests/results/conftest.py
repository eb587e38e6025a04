"""The smallest real run and its folder."""

from tests.small_run import folder, results, run  # noqa: F401
