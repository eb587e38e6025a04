"""Memory of a path: what a loop carries lies in place, what has no room lies far."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from engine.kernel.form import Form
from engine.kernel.kernel import kernel_of
from engine.kernel.lanes import LaneWriter, padded
from engine.kernel.timeline import Timeline

SIZE = 100


@dataclasses.dataclass(frozen=True)
class Written:
    """A GPU for which a source is written and kept."""

    form: Form
    sources: list = dataclasses.field(default_factory=list, compare=False, hash=False)

    def writer(self, arrays: Any, tables: Any) -> LaneWriter:
        """What writes its source."""
        return LaneWriter(arrays, tables, self.form)

    def call(self, source: Any) -> Any:
        """Keep the source."""
        self.sources.append(source)
        return lambda shapes, operands, count: []


def source_of(function, near=None):
    """The source of a function of an array."""
    machine = Written(Form(16, 1, "g", near))
    kernel_of(lambda x: function(x), (), (jax.ShapeDtypeStruct((SIZE,), jnp.float32),), machine)
    return machine.sources[0]


def months(x):
    """An array carried through a loop, and one that only its last turn is asked for."""
    return lax.scan(lambda state, _: (jnp.exp(state) * 0.5 + x, None), x * 2.0, None, length=3)[0]


def test_a_carried_array_lies_in_place(monkeypatch):
    """The argument and the carried array; otherwise the new value has a place too, and is copied."""
    assert source_of(months).near == padded(2 * SIZE, 16)
    monkeypatch.setattr(Timeline, "share", lambda self: None)
    assert source_of(months).near == padded(3 * SIZE, 16)


def older(x):
    """A carried array that is read once its new value is there."""

    def month(state, _):
        new = state * 0.5 + x
        return new, state[::-1][:3] @ jnp.cumsum(new[:3])

    return lax.scan(month, x, None, length=3)


def test_an_array_that_is_still_read_is_not_overwritten():
    """Argument, carried array and new value have places of their own."""
    assert source_of(older).near >= 3 * SIZE


@pytest.mark.parametrize("near", [128, 256])
def test_what_has_no_room_lies_far(near):
    """Nothing goes that need not, and no more."""
    whole, own = source_of(months), source_of(months, near)
    assert (whole.near, whole.far) == (padded(2 * SIZE, 16), 0)
    assert own.near <= near and own.far == (0 if near >= whole.near else SIZE)
