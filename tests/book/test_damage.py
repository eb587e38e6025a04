"""Whatever is wrong with a book: it runs on finite numbers, or one message says what is wrong, at once."""

import time

import jax
import numpy as np
import pytest

from engine.book.build import NotFinite, build_system
from engine.book.checks.problems import BookError
from engine.book.load import load_book
from engine.book.parameters import Parameters
from tests.book.damage import SLOW, books, sample

BOOKS = books()
SECONDS = 5.0
"""Until a refusal; the tables of a book that loads are small."""
ALWAYS = ("a pipe for a table", "zeros without end", "a link to itself", "parents in a ring")
DEFAULT = [*ALWAYS, *sample([name for name in BOOKS if name not in (*ALWAYS, *SLOW)], 40)]


def verdict(folder):
    """`runs`, or the message of the refusal; anything else escapes."""
    begin = time.process_time()
    try:
        book = load_book(folder)
        system = build_system(book, Parameters(), 12)
    except (BookError, NotFinite) as error:
        assert str(error) and "Traceback" not in str(error)
        assert time.process_time() - begin < SECONDS
        return str(error)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(system))
    return "runs"


def test_there_are_enough_of_them():
    assert len(BOOKS) >= 300


@pytest.mark.parametrize("name", DEFAULT)
def test_a_damaged_book(name, small):
    BOOKS[name](small)
    verdict(small.folder)


@pytest.mark.whole
@pytest.mark.parametrize("name", [name for name in BOOKS if name not in DEFAULT])
def test_a_damaged_book_of_all(name, small):
    BOOKS[name](small)
    verdict(small.folder)
