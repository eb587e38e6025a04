"""A learned sampler on disk: what comes back, and each reason to refuse it."""

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.learn.importance.importance import blank
from engine.run import checkpoint
from experiments import proposals
from experiments.config.bad_input import BadInput

PURPOSE = {"config": {"chips": {"life": 8.0}}, "book": "3fa9", "months": 12, "column": "system"}


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 12)


@pytest.fixture(scope="module")
def law(system):
    return blank(system, 4)


@pytest.fixture
def path(law, tmp_path):
    proposals.save(tmp_path / proposals.NAME, law, {"paths": 64}, PURPOSE)
    return tmp_path / proposals.NAME


def refusal(path, system, purpose=PURPOSE) -> list[str]:
    with pytest.raises(BadInput) as caught:
        proposals.load(path, system, purpose, 4)
    return caught.value.problems


def rewrite(path, name, array):
    """The file with another array, its checksum in order; None removes it."""
    law = checkpoint.read(path)
    arrays = {key: own for key, own in (law.arrays | {name: array}).items() if own is not None}
    checkpoint.save(path, law._replace(arrays=arrays))


def test_a_law_comes_back_as_it_was(path, law, system):
    sampler, notes = proposals.load(path, system, PURPOSE, 8)
    assert notes == {"paths": 64} and sampler.candidates == 8
    ours, theirs = proposals.arrays_of(sampler), proposals.arrays_of(law)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert np.array_equal(array, theirs[name]) and array.dtype == theirs[name].dtype, name


def test_a_law_for_other_numbers_will_do_where_that_is_allowed(path, system):
    other = PURPOSE | {"config": {"chips": {"life": 4.0}}}
    [line] = refusal(path, system, other)
    assert "something else, config.chips.life: 8.0 there, 4.0 here" in line
    _, notes = proposals.load(path, system, other, 4, nearby=True)
    assert notes == {"paths": 64, "differences": ["config.chips.life: 8.0 there, 4.0 here"]}
    for name, value in (("months", 24), ("column", "lender:ATH")):
        with pytest.raises(BadInput, match=f"{name}: .* there, {value} here"):
            proposals.load(path, system, other | {name: value}, 4, nearby=True)


def test_a_copy_remembers_what_it_was_learned_for(path, system):
    other = PURPOSE | {"book": "77aa"}
    sampler, notes = proposals.load(path, system, other, 4, nearby=True)
    proposals.save(path, sampler, notes, other)
    assert proposals.load(path, system, other, 4)[1] == notes and "differences" in notes


def test_a_file_that_is_missing_or_damaged(path, system):
    [line] = refusal(path.with_name("none.npz"), system)
    assert "sampler.proposal: " in line and "none.npz: not a whole checkpoint" in line
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: len(content) // 2])
    [line] = refusal(path, system)
    assert "not a whole checkpoint" in line


def test_a_checksum_that_does_not_fit(path, system):
    with np.load(path) as law:
        arrays = dict(law) | {".preference.bends": np.full(24, 0.2, np.float32)}
    np.savez(path, **arrays)
    [line] = refusal(path, system)
    assert "its checksum does not fit its content" in line


def test_another_purpose_is_named_value_by_value(path, system):
    lines = refusal(path, system, PURPOSE | {"config": {"chips": {"life": 4.0}}, "months": 24})
    assert len(lines) == 2 and all("was learned for something else" in line for line in lines)
    assert lines[0].endswith("config.chips.life: 8.0 there, 4.0 here")
    assert lines[1].endswith("months: 12 there, 24 here")


def test_an_array_of_another_shape(path, system, law):
    rewrite(path, ".surrogate.centre", np.zeros(3, np.float32))
    [line] = refusal(path, system)
    assert "sampler.proposal: got shape (3,)" in line
    assert f"expected an array .surrogate.centre of shape {law.surrogate.centre.shape}" in line


@pytest.mark.parametrize("name", [".surrogate.weights[0]", ".preference.knots"])
def test_an_array_that_is_missing(path, system, name):
    rewrite(path, name, None)
    [line] = refusal(path, system)
    assert f"sampler.proposal: got none, expected an array {name} of shape" in line


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_not_finite(path, system, law, number):
    rewrite(path, ".preference.bends", np.full(law.preference.bends.shape, number, np.float32))
    [line] = refusal(path, system)
    assert "sampler.proposal: got .preference.bends not finite in " in line
