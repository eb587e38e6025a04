"""A System that every test of this floor may share."""

import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters


@pytest.fixture(scope="session")
def year():
    """The shipped book over one year."""
    return build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 12)
