"""Break the code on purpose and see whether its tests notice: `python -m tests.mutants`.

One change at a time: a comparison loosened or tightened, an operator or a sign swapped, a constant or an axis
moved, a maximum for a minimum. Each mutant is written into a copy of the tree, and the tests of its module
run there in a child that is forked after JAX and pytest are imported, since a process of its own for each
would spend most of its time on imports. Survivors are listed with line and change; whether one is equivalent
is for the reader to tell.
"""

import argparse
import ast
import contextlib
import copy
import math
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = {
    "engine/tail/tally.py": ("tests/tail/test_tally.py", "tests/tail/test_edges.py"),
    "engine/tail/measures.py": ("tests/tail/test_measures.py", "tests/tail/test_edges.py"),
    "engine/tail/intervals.py": (
        "tests/tail/test_edges.py", "tests/tail/test_intervals.py", "tests/tail/test_pareto.py",
    ),
    "engine/contagion/clearing.py": (
        "tests/contagion/test_survivors.py", "tests/contagion/test_contagion.py",
    ),
    "engine/contagion/fixed_point.py": (
        "tests/contagion/test_fixed_point.py", "tests/contagion/test_networks.py",
    ),
    "engine/contagion/cross_holdings.py": (
        "tests/contagion/test_survivors.py", "tests/contagion/test_cross_holdings.py",
    ),
}  # fmt: skip
"""Modules, and the tests that hold them, the quickest first."""
STAGES = ("collateral", "debt_service", "refinancing", "funding", "terms", "credit", "lenders")
TESTS |= {f"engine/month/{stage}.py": ("tests/test_engine_against_reference.py",) for stage in STAGES}
TESTS["engine/month/lenders.py"] = ("tests/month/test_lenders.py", *TESTS["engine/month/lenders.py"])
SLOW = 5
"""A mutant hangs, and is noticed, after so many times what the tests take without a change."""

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
NAMES = {
    "minimum": "maximum",
    "maximum": "minimum",
    "min": "max",
    "max": "min",
    "any": "all",
    "ceil": "floor",
}


def changes(node: ast.AST) -> list[ast.AST]:
    """Other nodes that could stand in its place."""
    others = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        others.append(
            ast.Compare(node.left, [COMPARISONS[type(node.ops[0])](), *node.ops[1:]], node.comparators)
        )
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        others.append(ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        others.append(node.operand)
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        others.append(ast.Constant(node.value + 1))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        others.append(ast.Constant(not node.value))
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        others.append(ast.Attribute(node.value, NAMES[node.attr], node.ctx))
    if isinstance(node, ast.IfExp):
        others.append(ast.IfExp(node.test, node.orelse, node.body))
    return others


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where expressions stand, outside docstrings, annotations, messages and assertions of types."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list") or isinstance(tree, ast.Raise | ast.JoinedStr):
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield tree, name, at
                yield from places(child)


def mutants(source: str) -> Iterator[tuple[int, str, str]]:
    """Line, change and text of every mutant of a module."""
    count = len(list(places(ast.parse(source))))
    for number in range(count):
        tree = ast.parse(source)
        parent, name, at = list(places(tree))[number]
        node = getattr(parent, name) if at is None else getattr(parent, name)[at]
        for other in changes(node):
            before = ast.unparse(node)
            new = copy.deepcopy(other)
            if at is None:
                setattr(parent, name, new)
            else:
                getattr(parent, name)[at] = new
            text = ast.unparse(ast.fix_missing_locations(tree))
            yield getattr(node, "lineno", 0), f"{before}  ->  {ast.unparse(new)}", text


def passes(tree: pathlib.Path, tests: tuple[str, ...], limit: float = math.inf) -> bool:
    """Whether the tests pass in a copy of the tree, in a child process, within so many seconds."""
    child = os.fork()
    if not child:
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
            contextlib.redirect_stderr(nowhere),
        ):
            import pytest

            options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
            options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
            code = pytest.main([*options, *tests])
        os._exit(0 if code == 0 else 1)
    begun = time.monotonic()
    while time.monotonic() - begun < limit:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def judge(module: str, sample: int | None, seed: int) -> tuple[int, list[str]]:
    """How many mutants of a module were tried, and those that survive."""
    source = (ROOT / module).read_text(encoding="utf-8")
    chosen = list(mutants(source))
    if sample is not None and sample < len(chosen):
        chosen = sorted(random.Random(seed).sample(chosen, sample), key=lambda mutant: mutant[0])
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for part in ("engine", "tests", "conf", "experiments"):
            shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        begun = time.monotonic()
        if not passes(tree, TESTS[module]):
            raise SystemExit(f"{module}: its tests fail before any change")
        limit = SLOW * (time.monotonic() - begun)
        for line, change, text in chosen:
            (tree / module).write_text(text, encoding="utf-8")
            if passes(tree, TESTS[module], limit):
                survivors.append(f"{module}:{line}: {change}")
                print("survives", survivors[-1], flush=True)
    return len(chosen), survivors


def preload() -> None:
    """What every child needs, imported once; JAX starts nothing before its first computation."""
    sys.dont_write_bytecode = True
    import equinox  # noqa: F401
    import jax  # noqa: F401
    import pandas  # noqa: F401
    import pytest  # noqa: F401
    import scipy.optimize  # noqa: F401
    import scipy.stats  # noqa: F401


def main() -> None:
    """Judge the modules and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=[], help="of " + ", ".join(TESTS))
    parser.add_argument(
        "--sample", type=int, help="mutants of each module, drawn at random; all if not given"
    )
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    unknown = [module for module in options.modules if module not in TESTS]
    if unknown:
        parser.error(f"modules: got {', '.join(unknown)}, expected some of {', '.join(TESTS)}")
    preload()
    tried = killed = 0
    for module in options.modules or TESTS:
        begun = time.monotonic()
        count, survivors = judge(module, options.sample, options.seed)
        tried, killed = tried + count, killed + count - len(survivors)
        share = 1.0 - len(survivors) / max(count, 1)
        spent = time.monotonic() - begun
        print(
            f"{module}: {count - len(survivors)} of {count} killed, {share:.0%}, in {spent:.0f} s", flush=True
        )
    print(f"all: {killed} of {tried} killed, {killed / max(tried, 1):.0%}")


if __name__ == "__main__":
    main()
