"""A variant is the System that would be built, to the bit."""

import dataclasses

import jax
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.book.variant import Variants
from engine.learn.greeks.steps import move, steps_of


@pytest.fixture(scope="module")
def book():
    return load_book(shipped_book("ai_credit_2025"))


@pytest.mark.parametrize("signs", ["as they are", "all up", "by turns"])
def test_a_variant_is_what_would_be_built(book, signs):
    steps = steps_of(Parameters(), 0.05, lambda name, unit: (-np.inf, np.inf))
    sign = {"as they are": np.zeros, "all up": np.ones, "by turns": lambda n: (-1.0) ** np.arange(n)}[signs]
    parameters = move(Parameters(), steps, sign(len(steps)))
    variants = Variants(build_system(book, Parameters(), 24), book)
    found, expected = variants(parameters), build_system(book, parameters, 24)
    for one, two in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)
    assert jax.tree.structure(found) == jax.tree.structure(expected)


def test_every_group_of_numbers_reaches_a_variant(book):
    variants = Variants(build_system(book, Parameters(), 12), book)
    base = variants(Parameters())
    for field in dataclasses.fields(Parameters):
        group = field.default_factory()
        name = next(f.name for f in dataclasses.fields(group) if isinstance(getattr(group, f.name), float))
        other = variants(
            dataclasses.replace(Parameters(), **{field.name: dataclasses.replace(group, **{name: 0.123})})
        )
        assert getattr(getattr(other.numbers, field.name), name) == np.float32(0.123)
        assert getattr(getattr(base.numbers, field.name), name) != np.float32(0.123)
