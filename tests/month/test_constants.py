"""No stage of a month has an unnamed economic number: each is a parameter, with range, grade and source."""

import ast
import itertools
import pathlib

import pytest

import engine.month

STAGES = sorted(pathlib.Path(engine.month.__file__).parent.glob("*.py"))
MATHEMATICS = {
    "MONTH ** 0.5": "volatility of a month",
    "0.5 * economy.volatility ** 2": "mean of a lognormal",
    "0.5 * variance": "mean of a lognormal",
    "0.5 * noise ** 2": "mean of a lognormal",
    "0.5 * volatility ** 2": "mean of a lognormal",
    "0.5 * frailty ** 2": "mean of a lognormal",
    "2.0 * speed": "variance of an Ornstein-Uhlenbeck process",
    "2.0 * own": "variance of a sum",
}
"""Where a number other than 0 and 1 is part of a formula, and of which."""


def numbers(tree):
    """Every number inside a function but 0, 1 and the 2 of a square, with the expressions around it."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Constant) else None
        if type(value) in (int, float) and value not in (0, 1) and (type(value), value) != (int, 2):
            around, functions, up = [], 0, node
            while up in parents:
                up = parents[up]
                functions += isinstance(up, ast.FunctionDef)
                around += [up] if isinstance(up, ast.expr) else []
            if functions:
                yield node, around


def is_flag(node, around):
    """Whether a 0.5 tells a flag that is stored as 0 or 1 from its opposite: `exchange > 0.5`."""
    compared = bool(around) and isinstance(around[0], ast.Compare) and around[0].comparators == [node]
    return compared and node.value == 0.5


def unnamed(source: str) -> list[str]:
    """Expressions with a number that is neither mathematics nor the test of a flag."""
    return [
        f"line {node.lineno}: {ast.unparse(around[0]) if around else node.value}"
        for node, around in numbers(ast.parse(source))
        if not is_flag(node, around) and not {ast.unparse(each) for each in around} & MATHEMATICS.keys()
    ]


def unexplained(source: str) -> list[str]:
    """Numbers named at the top of a module that no docstring under them explains."""
    body = ast.parse(source).body
    return [
        ast.unparse(statement)
        for statement, after in itertools.zip_longest(body, body[1:])
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant))
    ]


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_every_economic_number_is_a_parameter(path):
    assert unnamed(path.read_text()) == [], "name it in engine/book/parameters.py, with unit, grade and range"


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_every_named_constant_has_its_reason_under_it(path):
    assert unexplained(path.read_text()) == []


def test_mathematics_is_still_where_the_list_says():
    there = {ast.unparse(each) for path in STAGES for _, around in numbers(ast.parse(path.read_text()))
             for each in around}  # fmt: skip
    assert MATHEMATICS.keys() <= there


@pytest.mark.parametrize(
    "line",
    ["return 0.3 * x", "return clip(x, -0.5, 1.0)", "return x * 0.5", "return x < 0.75", "return 3"],
)
def test_an_unnamed_number_is_seen(line):
    assert unnamed(f"def stage(x):\n    {line}\n")


def test_a_stage_has_at_most_seven_arguments_and_step_reads_as_a_table_of_contents():
    for path in STAGES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                count = len(node.args.args) - (node.args.args[:1] != [] and node.args.args[0].arg == "self")
                assert count <= 7, f"{path.name}: {node.name} has {count} arguments"
                if path.stem == "step" and node.name == "step":
                    assert node.end_lineno - node.lineno + 1 < 40
