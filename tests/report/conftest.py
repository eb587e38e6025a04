"""The smallest real run, its folder with the page, and the folder read back."""

import pathlib

import pytest

from engine.report.page import write_page
from tests.small_run import results, run, written  # noqa: F401


@pytest.fixture(scope="session")
def folder() -> pathlib.Path:
    """The folder with its page."""
    path = written()
    write_page(path)
    return path
