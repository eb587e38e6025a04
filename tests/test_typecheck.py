"""Types and shapes of the engine's arguments are checked while tests run."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from engine.book.checks.problems import Problem, expected
from engine.tail.measures import locate
from engine.tail.variance_components import between


def test_a_wrong_type_is_refused_where_no_shape_is_annotated():
    with pytest.raises(TypeError, match="violates type hint"):
        expected(3, "x", "a name")
    with pytest.raises(TypeError, match="violates type hint"):
        Problem(1, 2, 3)


def test_a_wrong_kind_of_array_is_refused():
    with pytest.raises(TypeCheckError, match="weight"):
        locate(np.zeros(3, np.float32), 0.5)


def test_axes_of_one_name_have_one_length():
    with pytest.raises(TypeCheckError, match="within"):
        between(np.zeros((4, 2, 1)), np.zeros((3, 1)))
