"""Whatever is wrong with a configuration: finite numbers reach the engine, or one message says why not."""

import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from experiments import tasks
from experiments.config.bad_input import BadInput
from experiments.config.read import read
from tests.book.damage import sample
from tests.experiments.damage import configs, damaged, plain
from tests.verdict import verdict

CONFIGS = configs()
DEFAULT = sample(list(CONFIGS), 40)


@pytest.fixture(scope="module")
def defaults():
    return plain()


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("worked_small"))


def tried(defaults, book, group, key, value):
    """What becomes of a configuration."""

    def make():
        experiment = read(damaged(defaults, group, key, value), tasks.every())
        return build_system(book, experiment.parameters, experiment.run.months)

    return verdict(make, BadInput)


def test_there_are_enough_of_them():
    assert len(CONFIGS) >= 250


@pytest.mark.parametrize("name", DEFAULT)
def test_a_damaged_configuration(name, defaults, book):
    tried(defaults, book, *CONFIGS[name])


@pytest.mark.whole
@pytest.mark.parametrize("name", [name for name in CONFIGS if name not in DEFAULT])
def test_a_damaged_configuration_of_all(name, defaults, book):
    tried(defaults, book, *CONFIGS[name])
