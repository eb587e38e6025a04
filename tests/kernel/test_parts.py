"""A long loop's body as functions: cut outside of brackets alone, and each has the variables it reads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from engine.batch.path_last import batch_last
from engine.kernel import cpu, library
from engine.kernel.compiler import NoCompiler, compiler
from engine.kernel.cpu import Cpu
from engine.kernel.form import Form
from engine.kernel.kernel import kernel_of
from engine.kernel.parts import Part, linked, stretches

PATHS = 37
LINES = ["a = 1;", "for {", "  b = 2;", "}", "c = 3;", "FOR(3) { d = 4; }", "e = 5;"]


@pytest.mark.parametrize("long", [1, 10, 30, 1000])
def test_a_cut_keeps_every_line_and_no_bracket_apart(long):
    parts = stretches(LINES, long)
    assert [line for part in parts for line in part] == LINES
    for part in parts:
        assert "".join(part).count("{") == "".join(part).count("}")
    assert (len(parts) > 1) == (long < 1000)


def test_variables_of_another_part_go_through_memory():
    """A part writes its own at its end, the function around it before a call; 64 bits are two words."""
    first = Part("first", ["    const vf v3_0 = v1_0 + v2_1;", "    const vi v30_0 = all(1);"], turns=["c1"])
    second = Part("second", ["    PUT(F, s, 4, v3_0 * v1_0);", "    const vf v4_0 = v3_0;"], turns=["c1"])
    main = ["    vl v1_0 = {};", "    const vf v2_1 = all(2.0f);", first.call, second.call, "}"]
    body, parts, end = linked(main, [first, second], 7)
    path = "    L(s, 8) = v1_0;"
    assert body == [*main[:2], path, "    F(s, 10) = v2_1;", first.call, path, second.call, "}"]
    assert parts[0] == ["    const vf v3_0 = L(s, 8) + F(s, 10);", first.lines[1], "    F(s, 12) = v3_0;"]
    assert parts[1] == ["    PUT(F, s, 4, F(s, 12) * L(s, 8));", "    const vf v4_0 = F(s, 12);"]
    assert end == 14
    assert first.call == "    first(in, s, c1);"
    assert first.head.endswith("first(const void* const* in, vf* const s, long c1)")


def model(shared, path, x):
    """A loop in a loop whose body has sums, products and numbers that many of its lines read."""

    def month(state, row):
        total, path_number = jnp.sum(state), (path % 7).astype(jnp.float32)
        for number in range(6):
            rate = jnp.exp(-jnp.abs(total) * 0.01 * number) + path_number * 0.01
            state = state * rate + shared["matrix"] @ jnp.tanh(state) * 0.1 + row[number % 2] * rate
            total = total * 0.5 + jnp.max(state) * shared["number"]
        return state, (total, state[:3])

    def year(state, rows):
        state, months = lax.scan(month, state, rows)
        return state * 0.5, (months, jnp.sum(state))

    return lax.scan(year, x, jnp.outer(x, x)[:6, :2].reshape(2, 3, 2) * 0.1)


@pytest.fixture(scope="module")
def inputs():
    random = np.random.default_rng(8)
    shared = {"matrix": random.normal(size=(9, 9)).astype(np.float32), "number": np.float32(0.3)}
    ids = np.arange(PATHS, dtype=np.int64) + (3 << 33)
    return shared, ids, random.normal(size=(9, PATHS)).astype(np.float32)


@pytest.fixture
def compiled(monkeypatch):
    """Names of the objects that were compiled."""
    names, plain = [], library.compiled

    def counted(path, *rest):
        names.append(path.name)
        return plain(path, *rest)

    monkeypatch.setattr(library, "compiled", counted)
    return names


def results(inputs, folder, part):
    """What a kernel with parts of so many characters gives."""
    shared, ids, x = inputs
    shapes = jax.ShapeDtypeStruct((), jnp.int64), jax.ShapeDtypeStruct((9,), jnp.float32)
    kernel = kernel_of(model, (shared,), shapes, Cpu(folder, Form(part=part)))
    return jax.jit(lambda *given: kernel(kernel.tables(given[0]), *given[1:]))(shared, ids, x)


@pytest.fixture(scope="module", autouse=True)
def machine():
    try:
        compiler()
    except NoCompiler as error:
        pytest.skip(str(error))


def test_parts_give_what_jax_gives(inputs, tmp_path_factory, compiled):
    shared, ids, x = inputs
    wanted = jax.jit(lambda *given: batch_last(model, *given, batched=(False, True, True)))(
        jax.tree.map(jnp.asarray, shared), ids, x
    )
    whole = results(inputs, tmp_path_factory.mktemp("whole"), 90_000)
    assert len(compiled) == 1
    compiled.clear()
    cut = results(inputs, tmp_path_factory.mktemp("cut"), 1_500)
    assert len(compiled) > 4
    for a, b, c in zip(*map(jax.tree.leaves, (whole, cut, wanted)), strict=True):
        np.testing.assert_allclose(a, c, rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(b, c, rtol=2e-5, atol=2e-5)


def test_a_part_that_does_not_compile_is_told(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(cpu, "frame", lambda name: "#error what is this\n")
    with pytest.raises(NoCompiler, match="what is this"):
        results(inputs, tmp_path, 1_501)
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith("bridge-")]
