"""Whatever is wrong with a book: it runs on finite numbers, or one message says what is wrong, at once."""

import pytest

from engine.book.build import build_system
from engine.book.checks.problems import BookError
from engine.book.load import load_book
from engine.book.parameters import Parameters
from tests.book.damage import SLOW, books, sample
from tests.verdict import verdict

BOOKS = books()
ALWAYS = ("a pipe for a table", "zeros without end", "a link to itself", "parents in a ring")
DEFAULT = [*ALWAYS, *sample([name for name in BOOKS if name not in (*ALWAYS, *SLOW)], 40)]


def tried(folder):
    """What becomes of a book."""
    return verdict(lambda: build_system(load_book(folder), Parameters(), 12), BookError)


def test_there_are_enough_of_them():
    assert len(BOOKS) >= 300


@pytest.mark.parametrize("name", DEFAULT)
def test_a_damaged_book(name, small):
    BOOKS[name](small)
    tried(small.folder)


@pytest.mark.whole
@pytest.mark.parametrize("name", [name for name in BOOKS if name not in DEFAULT])
def test_a_damaged_book_of_all(name, small):
    BOOKS[name](small)
    tried(small.folder)
