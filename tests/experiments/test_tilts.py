"""A law on disk: what comes back, and each reason to refuse it."""

import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.learn.importance.importance import plain_of, repeat_part
from engine.learn.importance.pilot import nominal_of
from engine.run import checkpoint
from engine.run.packing import named
from experiments import tilts
from experiments.config.bad_input import BadInput

PURPOSE = {"config": {"chips": {"life": 8.0}}, "book": "3fa9", "months": 12, "column": "system"}


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 12)


@pytest.fixture(scope="module")
def law(system):
    return repeat_part(plain_of(nominal_of(system), system), 3)


@pytest.fixture
def path(law, tmp_path):
    tilts.save(tmp_path / tilts.NAME, law, {"paths": 64}, PURPOSE)
    return tmp_path / tilts.NAME


def refusal(path, system, purpose=PURPOSE) -> list[str]:
    with pytest.raises(BadInput) as caught:
        tilts.load(path, system, purpose)
    return caught.value.problems


def rewrite(path, **changes):
    """The law's file with other arrays, its checksum in order; None removes one."""
    law = checkpoint.read(path)
    arrays = {name: changes.get(name[1:], array) for name, array in law.arrays.items()}
    checkpoint.save(path, law._replace(arrays={key: x for key, x in arrays.items() if x is not None}))


def test_a_law_comes_back_as_it_was(path, law, system):
    sampler, notes = tilts.load(path, system, PURPOSE)
    assert notes == {"paths": 64}
    for (name, ours), (_, theirs) in zip(named(sampler.tilt), named(law), strict=True):
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype, name


def test_a_file_that_is_missing_or_damaged(path, system):
    [line] = refusal(path.with_name("none.npz"), system)
    assert "sampler.tilt: " in line and "none.npz: not a whole checkpoint" in line
    content = bytearray(path.read_bytes())
    path.write_bytes(content[: len(content) // 2])
    [line] = refusal(path, system)
    assert "not a whole checkpoint" in line


def test_a_checksum_that_does_not_fit(path, system):
    with np.load(path) as law:
        arrays = dict(law) | {".share": np.full(3, 0.2, np.float32)}
    np.savez(path, **arrays)
    [line] = refusal(path, system)
    assert "its checksum does not fit its content" in line


def test_another_purpose_is_named_value_by_value(path, system):
    lines = refusal(path, system, PURPOSE | {"config": {"chips": {"life": 4.0}}, "months": 24})
    assert len(lines) == 2 and all("was learned for something else" in line for line in lines)
    assert lines[0].endswith("config.chips.life: 8.0 there, 4.0 here")
    assert lines[1].endswith("months: 12 there, 24 here")


def test_an_array_of_another_shape(path, system, law):
    rewrite(path, drift=np.zeros((3, 1, 1), np.float32))
    [line] = refusal(path, system)
    assert "sampler.tilt: got shape (3, 1, 1)" in line
    assert f"expected an array .drift of shape {law.drift.shape}" in line


@pytest.mark.parametrize("name", ["share", "common"])
def test_an_array_that_is_missing(path, system, name):
    rewrite(path, **{name: None})
    [line] = refusal(path, system)
    assert f"sampler.tilt: got none, expected an array .{name} of shape" in line
