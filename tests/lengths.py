"""Prints files over 350 lines and functions over 60: advice of `make lint`, which never fails for it."""

import ast
import pathlib

FILE, FUNCTION = 350, 60

for room in ("engine", "experiments", "benchmarks"):
    for path in sorted(pathlib.Path(room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > FILE:
            print(f"{path}: {lines} lines, advice: at most {FILE}")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (lines := node.end_lineno - node.lineno + 1) > FUNCTION:
                print(f"{path}:{node.lineno}: {node.name} has {lines} lines, advice: at most {FUNCTION}")
