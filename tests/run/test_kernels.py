"""Kernels known on disk: the same numbers without a trace, and other deciding numbers are another kernel."""

import json
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.batch.path_last import batch_last
from engine.kernel.compiler import NoCompiler, compiler
from engine.kernel.cpu import Cpu
from engine.kernel.form import Form
from engine.kernel.kernel import KERNELS, kernel_of, traced
from engine.kernel.program import Unsupported
from engine.run import kernels, programs
from engine.run.kernels import KeptKernel, StaleRecord, kept_kernel
from engine.run.programs import Programs, kept, named
from tests.kernel.bridged import bridged

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)

MOVING = jax.ShapeDtypeStruct((), jnp.int64), jax.ShapeDtypeStruct((9,), jnp.float32)
PATHS = 19
RANDOM = np.random.default_rng(4)
IDS = np.arange(PATHS, dtype=np.int64)
X = RANDOM.normal(size=(9, PATHS)).astype(np.float32)
ROWS = np.array([3, 0, 3, 8, 1, 1, 7], np.int32)
MATRIX = RANDOM.normal(size=(9, 9)).astype(np.float32)


def picked(shared, path, x):
    """A gather by known indices, a product with a matrix that has zeros, known numbers and steps beside."""
    steps = jnp.exp(-jnp.arange(7, dtype=jnp.float32) * 0.1)
    return x[shared["rows"]] * shared["number"] * steps, shared["matrix"] @ x + (path % 3).astype(jnp.float32)


def plain(shared, path, x):
    return x * shared["number"]


HERE = sys.modules["engine.test_kernels"] = types.ModuleType("engine.test_kernels")
for each in (picked, plain):
    each.__module__ = HERE.__name__
    setattr(HERE, each.__name__, each)


def numbers(**other):
    return {"rows": ROWS, "matrix": MATRIX, "number": np.float32(0.7)} | other


class Start:
    """A process with a folder of kernels, as if it had just begun."""

    def __init__(self, folder, monkeypatch):
        self.machine, self.made, self.monkeypatch = Cpu(bridged(folder / "kernels")), [], monkeypatch
        self.folder = folder / "programs"
        self.again()

    def again(self):
        """A new process."""
        KERNELS.clear()
        traced.cache_clear()
        self.made.clear()
        self.monkeypatch.setattr(programs, "_programs", Programs(self.folder))

    def kernel(self, shared, function=picked, machine=None):
        def make():
            self.made.append(function.__name__)
            return kernel_of(function, (shared,), MOVING, machine or self.machine)

        return kept_kernel(function, (shared,), MOVING, machine or self.machine, make)

    def results(self, shared, **more):
        """What the kernel gives inside a jitted program."""
        kernel = self.kernel(shared, **more)
        return jax.jit(lambda shared, ids, x: kernel(kernel.tables(shared), ids, x))(shared, IDS, X)

    @property
    def records(self):
        return sorted(self.folder.glob("*.kernels"))


@pytest.fixture
def start(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    return Start(tmp_path, monkeypatch)


def assert_right(results, shared):
    wanted = batch_last(picked, jax.tree.map(jnp.asarray, shared), jnp.asarray(IDS), jnp.asarray(X),
                        batched=(False, True, True))  # fmt: skip
    for own, theirs in zip(results, wanted, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-5, atol=1e-5)


def test_a_second_start_makes_no_kernel(start):
    name = start.kernel(numbers()).name
    assert start.made == ["picked"]
    start.again()
    assert start.kernel(numbers()).name == name and not start.made


def test_a_kernel_of_the_record_gives_the_same_numbers(start):
    first = start.results(numbers())
    start.again()
    again = start.results(numbers())
    assert_right(first, numbers())
    jax.tree.map(np.testing.assert_array_equal, again, first)


def test_numbers_that_decide_nothing_need_no_other_kernel(start):
    other = numbers(number=np.float32(-2.5), matrix=MATRIX)
    name = start.kernel(numbers()).name
    start.again()
    assert start.kernel(other).name == name and not start.made
    assert_right(start.results(other), other)


@pytest.mark.parametrize(
    "other",
    [
        {"rows": ROWS[::-1].copy()},
        {"matrix": np.where(np.eye(9) > 0, MATRIX, 0).astype(np.float32)},
        {"rows": np.array([3, 0, 3, 8, 1, 1, 6], np.int32)},
    ],
    ids=["other rows", "other zeros", "one other row"],
)
def test_numbers_that_decide_are_another_kernel(start, other):
    name = start.kernel(numbers()).name
    start.again()
    changed = start.kernel(numbers(**other))
    assert start.made == ["picked"] and changed.name != name
    assert_right(start.results(numbers(**other)), numbers(**other))
    start.again()
    assert start.kernel(numbers()).name == name and not start.made
    assert len(start.records) == 1


def test_another_function_shape_or_form_is_another_record(start):
    names = {
        start.kernel(numbers()).name,
        start.kernel(numbers(), plain).name,
        start.kernel(numbers(matrix=np.ones((8, 9), np.float32))).name,
        start.kernel(numbers() | {"more": np.zeros(2, np.float32)}).name,
        start.kernel(numbers(), machine=Cpu(start.machine.folder, Form(few=3))).name,
    }
    assert len(names) == 5 == len(start.records)


@pytest.mark.parametrize("compiler", ["g++ (another) 99"])
def test_another_compiler_is_another_record(start, monkeypatch, compiler):
    name = start.kernel(numbers()).name
    monkeypatch.setattr(kernels, "version", lambda command: compiler)
    assert start.kernel(numbers()).name != name and len(start.records) == 2


def break_line(path):
    path.write_text(path.read_text(encoding="ascii").replace("places", "place5"), encoding="ascii")


def open_to_all(path):
    path.chmod(0o666)


DAMAGE = {
    "half": lambda path: path.write_bytes(path.read_bytes()[:90]),
    "empty": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\n{}"),
    "another word": break_line,
    "open to all": open_to_all,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_record_that_cannot_be_trusted_is_made_anew(start, damage):
    name = start.kernel(numbers()).name
    damage(start.records[0])
    start.again()
    assert start.kernel(numbers()).name == name and start.made == ["picked"]
    start.again()
    assert start.kernel(numbers()).name == name and not start.made


def test_a_record_of_another_name_is_not_read(start):
    start.kernel(numbers())
    (record,) = start.records
    start.kernel(numbers(), plain)
    (other,) = set(start.records) - {record}
    other.write_bytes(record.read_bytes())
    start.again()
    start.kernel(numbers(), plain)
    assert start.made == ["plain"]


@pytest.mark.parametrize("open_folder", [False, True])
def test_without_its_library_a_kernel_is_made(start, open_folder):
    name = start.kernel(numbers()).name
    if open_folder:
        start.machine.folder.chmod(0o777)
    else:
        for library in start.machine.folder.glob("*.so"):
            library.unlink()
    start.again()
    assert start.kernel(numbers()).name == name and start.made == ["picked"]


def test_a_record_keeps_the_latest_kernels(start, monkeypatch):
    monkeypatch.setattr(kernels, "MOST", 2)
    every = [numbers(rows=np.roll(ROWS, turn)) for turn in range(3)]
    for shared in every:
        start.kernel(shared)
    content = json.loads(start.records[0].read_text(encoding="ascii").split("\n", 1)[1])
    assert len(content["kernels"]) == 2
    start.again()
    start.kernel(every[2]), start.kernel(every[0])  # noqa: B018
    assert start.made == ["picked"]


def test_a_folder_that_cannot_be_written_costs_time_alone(start, tmp_path):
    (tmp_path / "programs").write_text("a file where the folder should be", encoding="utf-8")
    assert_right(start.results(numbers()), numbers())
    assert start.made == ["picked"]


def test_without_kept_programs_a_kernel_is_made_and_has_no_name(start, monkeypatch):
    monkeypatch.setattr(programs, "_programs", None)
    kernel = start.kernel(numbers())
    assert not isinstance(kernel, KeptKernel) and not start.records
    with pytest.raises(programs.Unnamed):
        named(kernel)


def test_a_function_without_a_name_is_made(start):
    def inner(shared, path, x):
        return x * shared["number"]

    assert not isinstance(start.kernel(numbers(), inner), KeptKernel) and not start.records


def test_a_program_is_known_by_the_kernel_it_calls(start):
    """Its name says which; how it is made does not count."""
    first = start.kernel(numbers())
    assert named(first) == f"engine.run.kernels.KeptKernel('{first.name}')"
    assert named(KeptKernel("a", len)) == named(KeptKernel("a", abs)) != named(KeptKernel("b", len))
    assert KeptKernel("a", len) == KeptKernel("a", abs)


def test_a_kernel_made_while_a_program_is_traced_is_the_one_of_the_record(start):
    """A trace inside a trace folds nothing that it would not fold alone: the same source."""
    first = start.kernel(numbers())
    wanted = first.kernel.call.path.name, first.kernel.words.digest
    start.again()
    kernel = start.kernel(numbers())
    assert_right(jax.jit(lambda *given: call(*given, kernel=kernel))(numbers(), IDS, X), numbers())
    assert start.made == ["picked"]
    assert (kernel.kernel.call.path.name, kernel.kernel.words.digest) == wanted


def spoil(start):
    """Let the one record name the library of another kernel."""
    (path,) = start.records
    other = start.kernel(numbers(), plain).kernel.call.path.name
    content = json.loads(path.read_text(encoding="ascii").split("\n", 1)[1])
    for entry in content["kernels"].values():
        entry[0] = other
    programs.keep_bytes(path, json.dumps(content).encode("ascii"))
    start.again()


def test_a_record_of_another_kernel_is_removed_and_the_run_begins_anew(start):
    wanted = start.results(numbers())
    spoil(start)
    with pytest.raises(StaleRecord, match="not the one that its record names"):
        start.results(numbers())
    assert len(start.records) == 1  # that of `plain`
    start.records[0].unlink()
    start.results(numbers())
    spoil(start)
    results = kernels.with_records(lambda: start.results(numbers()))
    jax.tree.map(np.testing.assert_array_equal, results, wanted)


@pytest.mark.parametrize("error", [NoCompiler("gone"), Unsupported("sort")])
def test_a_kernel_that_cannot_be_made_again_leaves_no_record(start, error):
    start.kernel(numbers())
    start.again()

    def make():
        raise error

    known = kept_kernel(picked, (numbers(),), MOVING, start.machine, make)
    with pytest.raises(StaleRecord):
        known.kernel  # noqa: B018
    with pytest.raises(type(error)):
        kept_kernel(picked, (numbers(),), MOVING, start.machine, make)


def test_what_the_tables_have_is_in_the_name(start):
    """A source knows places in a table alone, so that two may share it and read other numbers."""
    kept = start.kernel(numbers())
    kernel, before = kept.kernel, kept.kernel.words.digest
    entry = kernels.entry_of(kernel)
    (need, *_) = next(needs for needs in kernel.words.needs.values() if needs)
    need.index = need.index + 1
    assert kernel.words.digest != before
    assert kernels.entry_of(kernel)[0] == entry[0] and kernels.entry_of(kernel) != entry
    need.index, need.inverse = need.index - 1, not need.inverse
    assert kernel.words.digest != before
    need.inverse = not need.inverse
    assert kernel.words.digest == before


def test_the_leaves_that_decide_are_known(start):
    """Indices and matrices: not the number beside them."""
    kernel = start.kernel(numbers()).kernel
    leaves = jax.tree.leaves((numbers(),))
    names = [path[-1].key for path, _ in jax.tree_util.tree_flatten_with_path((numbers(),))[0]]
    assert [names[place] for place in kernel.words.known.choosers()] == ["matrix", "rows"]
    assert len(leaves) == 3


def test_kept_programs_call_the_kernel_of_a_record(start):
    """The program is read too: neither is traced in a second start."""
    shared = numbers()
    for turn in range(2):
        start.again()
        kernel = start.kernel(shared)
        program = kept(called, (shared, IDS, X), kernel=kernel)
        assert program is not None
        assert_right(program(shared, IDS, X), shared)
        assert start.made == (["picked"] if turn == 0 else [])
        assert len(list(start.folder.glob("*.program"))) == 1
    called.clear_cache()


def call(shared, ids, x, *, kernel):
    return kernel(kernel.tables(shared), ids, x)


call.__module__ = HERE.__name__
HERE.call = call
called = HERE.call = jax.jit(call, static_argnames="kernel")
