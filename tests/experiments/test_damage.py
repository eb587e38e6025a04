"""Whatever is wrong with a configuration: finite numbers reach the engine, or one message says why not."""

import time

import jax
import numpy as np
import pytest

from engine.book.build import NotFinite, build_system
from engine.book.load import load_book, shipped_book
from experiments import tasks
from experiments.config.bad_input import BadInput
from experiments.config.read import read
from tests.book.damage import sample
from tests.experiments.damage import configs, damaged, plain

CONFIGS = configs()
DEFAULT = sample(list(CONFIGS), 40)
SECONDS = 5.0


@pytest.fixture(scope="module")
def defaults():
    return plain()


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


def verdict(defaults, book, group, key, value):
    """`runs`, or the message of the refusal; anything else escapes."""
    begin = time.process_time()
    try:
        experiment = read(damaged(defaults, group, key, value), tasks.every())
        system = build_system(book, experiment.parameters, experiment.run.months)
    except (BadInput, NotFinite) as error:
        assert str(error) and "Traceback" not in str(error)
        assert time.process_time() - begin < SECONDS
        return str(error)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(system))
    return "runs"


def test_there_are_enough_of_them():
    assert len(CONFIGS) >= 250


@pytest.mark.parametrize("name", DEFAULT)
def test_a_damaged_configuration(name, defaults, book):
    verdict(defaults, book, *CONFIGS[name])


@pytest.mark.whole
@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in DEFAULT])
def test_a_damaged_configuration_of_all(name, defaults, book):
    verdict(defaults, book, *CONFIGS[name])
