"""Messages carry JSON and plain arrays whole; anything else is refused before memory is taken for it."""

import json
import pathlib
import zlib

import numpy as np
import pytest

from engine.run import messages
from engine.run.messages import decoded, encoded, framed
from engine.run.packing import Unreadable, unpacked
from tests.test_house import imports

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("value", [None, True, 7, -1.5, "word", [1, [2]], {"a": {"b": None}}, {}, []])
def test_a_json_value_comes_out_as_it_went_in(value):
    assert decoded(encoded(value)) == value


@pytest.mark.parametrize("dtype", ["bool", "i1", "i8", "u4", "f4", "f8", ">i4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)])
def test_arrays_come_out_as_they_went_in(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    out = decoded(encoded({"a": array, "b": array.T}))
    for name, original in (("a", array), ("b", array.T)):
        assert (out[name].dtype, out[name].shape) == (original.dtype, original.shape)
        np.testing.assert_array_equal(out[name], original)


def head(specs, body=b""):
    """A message with this head and body."""
    return framed({"arrays": specs}, body)


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\0\0\0", b"\xff\xff\xff\xff{}", b"\0\0\0\x02[]", b"\0\0\0\x047654", b"\0\0\0\x04nope",
        head([["a", "O", [1]]], b"x" * 8), head([["a", "V8", [1]]], b"x" * 8),
        head([["a", "U2", [1]]], b"x" * 8), head([["a", "i4,i4", [1]]], b"x" * 8),
        head([["a", "M8[s]", [1]]], b"x" * 8), head([["a", "<f8", [-1]]], b""),
        head([["a", "<f8", [1.0]]], b"x" * 8), head([["a", "<f8", [True]]], b"x" * 8),
        head([["a", "<f8", [1] * 9]], b"x" * 8), head([["a", "<f8", [2**40, 2**40]]], b"x"),
        head([["a", "<f8", [2**27 + 1]]], b"x"), head([["a", "<f8", [2]]], b"x" * 8),
        head([["a", "<f8", [1]]], b"x" * 9), head([["a", "<f8", [1]]], b"x" * 8) + b"more",
        head([["a", "<f8", [1]]], b"x" * 8)[:-3], head([[3, "<f8", [1]]], b"x" * 8),
        head([["a", 8, [1]]], b"x" * 8), head([["a", "<f8"]], b""), head("abc"), head(None),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(message):
    with pytest.raises(Unreadable):
        decoded(message)


def test_a_body_that_expands_beyond_its_announcement_is_refused(monkeypatch):
    """64 MB of zeros behind a head of eight bytes: the inflater stops after nine."""
    sizes = []
    original = zlib.decompressobj

    class Counting:
        def __init__(self):
            self.inner = original()

        def decompress(self, body, most):
            plain = self.inner.decompress(body, most)
            sizes.append(len(plain))
            return plain

        def __getattr__(self, name):
            return getattr(self.inner, name)

    message = head([["a", "<f8", [1]]], bytes(2**26))
    monkeypatch.setattr(messages.zlib, "decompressobj", Counting)
    with pytest.raises(Unreadable, match="8 bytes were announced"):
        decoded(message)
    assert sizes == [9]


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([object()]), np.array([1j])])
def test_only_numbers_are_sent(bad):
    with pytest.raises(Unreadable, match="expected numbers"):
        encoded({"a": bad})


def test_a_head_has_a_limit(monkeypatch):
    monkeypatch.setattr(messages, "MOST_HEAD", 100)
    with pytest.raises(Unreadable, match="at most 100"):
        encoded("x" * 100)


def test_places_that_do_not_fit_their_values_are_refused():
    empty = {"a": np.zeros(4)}
    good = {"['a'] at": np.array([1, 3]), "['a']": np.array([5.0, 6.0])}
    np.testing.assert_array_equal(unpacked(good, empty)["a"], [0, 5, 0, 6])
    for at, values in (([1, 3], [5.0]), ([-1], [5.0]), ([4], [5.0]), ([[1]], [[5.0]])):
        with pytest.raises(Unreadable, match="does not fit this run"):
            unpacked({"['a'] at": np.array(at), "['a']": np.array(values)}, empty)


def test_nothing_that_executes_what_it_reads_is_imported():
    """Pickles and their kin; NumPy's archives are read with allow_pickle=False, which is its default.

    But for compiled programs, which are executed by their nature and lie in the user's cache.
    """
    banned = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
    files = [path for folder in ("engine", "experiments") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    users = [str(path) for path in files for name in imports(path) if name.split(".")[0] in banned]
    assert users == [str(ROOT / "engine" / "run" / "programs.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    words = ("allow_pickle=True", "read_pickle", "multiprocessing.connection", "jax.distributed")
    assert [str(path) for path, text in texts.items() for word in words if word in text] == []
    assert json.loads('{"a": 1}') == {"a": 1}
