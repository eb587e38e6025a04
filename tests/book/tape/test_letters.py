"""Close names are those of the standard library's, of which few are compared letter by letter."""

import difflib
import random

import pytest

from engine.book.tape import letters
from engine.book.tape.letters import Names

SYLLABLES = "al ber co dor el fin gar hol is jun kal lor mur nor öst pel qui ras sol tür".split()


def some_names(count, seed):
    """Made-up names, each with a letter wrong, four in five beside the right one."""
    chance = random.Random(seed)
    names = []
    while len(names) < count:
        name = " ".join("".join(chance.choices(SYLLABLES, k=3)) for _ in range(2))
        place = chance.randrange(len(name))
        names += [name] * (chance.random() < 0.8) + [name[:place] + "x" + name[place + 1 :]]
    return names[:count]


@pytest.mark.parametrize("cutoff", [0.6, 0.9])
def test_the_closest_is_the_standard_library_s(cutoff):
    names, close = Names(), 0
    for place, name in enumerate(every := some_names(200, 3)):
        expected = difflib.get_close_matches(name, every[:place], 1, cutoff)
        assert names.closest(name, cutoff) == (expected[0] if expected else None)
        close += bool(expected)
        names.add(name)
    assert 20 < close


def test_few_of_many_names_are_compared(monkeypatch):
    names, compared = Names(), []
    monkeypatch.setattr(
        letters.difflib, "get_close_matches", lambda name, others, *rest: compared.extend(others) or []
    )
    for name in some_names(1000, 4):
        names.closest(name, 0.9)
        names.add(name)
    assert 0 < len(compared) < 0.01 * 1000 * 999 / 2
