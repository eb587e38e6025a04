"""The house: what stands at the top, which floor may look at which, how large a room grows."""

import ast
import graphlib
import pathlib
import re
import subprocess
import tomllib
from collections.abc import Callable

import pytest
from packaging.requirements import Requirement

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = {"engine", "conf", "experiments", "tests", "benchmarks", "docs", ".ci"}
FILES = {
    "pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md", "constraints.txt", ".gitignore",
    "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff",
}  # fmt: skip
FLOORS = (
    "files", "arguments", "vocabulary", "numerics", "batch", "kernel", "draws", "contagion", "tail", "deal",
    "run", "book", "portfolio", "month", "paths", "learn", "results", "report", "undertow",
)  # fmt: skip
"""Each imports only itself and what stands before it."""


def kept() -> list[pathlib.Path]:
    """Files of the project: those git tracks or would track; without git, all that no build made."""
    ask = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout to know which files are the project's")
    return [path for name in answer if (path := ROOT / name).is_file()]


def imports(path: pathlib.Path) -> set[str]:
    """Full names of what a file imports, wherever in it: `from a import b` gives `a` and `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative imports hide the floor"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def sources(folder: str) -> list[pathlib.Path]:
    """Python files under a folder of the project."""
    return [path for path in kept() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]


def floor(name: str) -> str | None:
    """The floor of a dotted name of the engine."""
    parts = name.split(".")
    return parts[1] if parts[0] == "engine" and len(parts) > 1 else None


def breaches(path: pathlib.Path, names: set[str]) -> list[str]:
    """Imports of a file of the engine that look up."""
    own = floor(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own not in FLOORS:
        return []
    below = FLOORS[: FLOORS.index(own) + 1]
    seen = {other for name in names if (other := floor(name)) is not None}
    return [
        f"{path.relative_to(ROOT)} imports engine.{other}" for other in sorted(seen) if other not in below
    ]


DOOR = (
    ("experiments.config",),
    ("experiments.session",),
    (
        "experiments.proposals",
        "experiments.sampling",
        "experiments.model",
        "experiments.context",
        "experiments.focus",
        "experiments.anatomy",
        "experiments.system",
    ),
    (
        "experiments.comparison",
        "experiments.pairs",
        "experiments.scenarios",
        "experiments.flow",
        "experiments.validation",
    ),
    ("experiments.tasks",),
    ("experiments.sweeps", "experiments.composition"),
    ("experiments.main",),
)
"""Rooms of the door from the lowest to the highest, wherever in a file the import stands."""


def module_of(path: pathlib.Path) -> str:
    """The dotted name of a file of the project."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def level(name: str) -> int | None:
    """How high a module of the door stands."""
    levels = (
        height for height, rooms in enumerate(DOOR) for room in rooms if f"{name}.".startswith(f"{room}.")
    )
    return next(levels, None)


def door_graph() -> dict[str, set[str]]:
    """Modules of the door, and those each imports at its top or inside its functions."""
    files = {module_of(path): path for path in sources("experiments") if "shipped_book" not in path.parts}
    return {name: (imports(path) & files.keys()) - {name} for name, path in files.items()}


def test_the_door_imports_only_from_below():
    graph = door_graph()
    assert [name for name in graph if level(name) is None] == ["experiments"]
    upward = [f"{a} imports {b}" for a in graph for b in graph[a] if (level(b) or 0) > (level(a) or 0)]
    assert not upward, "\n".join(upward)


def test_the_door_has_no_circle_of_imports():
    graphlib.TopologicalSorter(door_graph()).prepare()


def test_nothing_else_stands_at_the_top():
    top = {path.relative_to(ROOT).parts for path in kept()}
    assert {parts[0] for parts in top if len(parts) > 1} <= FOLDERS
    assert {parts[0] for parts in top if len(parts) == 1} <= FILES


def test_each_floor_of_the_engine_is_known():
    known = {*FLOORS, "__init__"}
    found = {path.relative_to(ROOT / "engine").with_suffix("").parts[0] for path in sources("engine")}
    assert found <= known


def test_a_floor_imports_only_from_before_it():
    found = [line for path in sources("engine") for line in breaches(path, imports(path))]
    assert not found, "\n".join(found)


def test_the_rule_of_floors_sees_a_breach():
    path = ROOT / "engine/month/chips.py"
    assert breaches(path, {"engine.paths.draws"}) == ["engine/month/chips.py imports engine.paths"]
    assert breaches(path, {"engine.book.system", "engine.vocabulary", "engine.month.step"}) == []


def test_the_engine_knows_no_book():
    """Dates, chips and classes are data that ships; `ai_credit_2025` is a name that the face offers."""
    words = re.compile(r"(?<![\d.])202[56](?!\d)|H100|GB200|hyperion|xai_spv", re.IGNORECASE)
    shipped = (ROOT / "engine/book/shipped", ROOT / "engine/book/scenario/tables")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in kept()
        if path.is_relative_to(ROOT / "engine") and not any(path.is_relative_to(data) for data in shipped)
        for number, line in enumerate(read(path).replace("ai_credit_2025", "").splitlines(), 1)
        if words.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("library", ["hydra", "omegaconf"])
def test_the_configuration_stops_at_the_door(library):
    found = [path for path in sources("engine") for name in imports(path) if name.split(".")[0] == library]
    assert not found


FACE = {
    (ROOT / "engine/undertow/settings.py", "experiments.composition"),
    (ROOT / "engine/undertow/settings.py", "experiments.config.bad_input"),
}
"""What the face of the package asks of the door: settings by the command's keys, composed in one way only."""


@pytest.mark.parametrize("folder", ["engine", "conf"])
def test_nothing_below_knows_the_door(folder):
    doors = {"experiments", "tests", "benchmarks"}
    names = {(path, name) for path in sources(folder) for name in imports(path)}
    known = {(path, f"{module}.{name}") for path, module in FACE for name in ("experiment_of", "BadInput")}
    assert not {(path, name) for path, name in names if name.split(".")[0] in doors} - FACE - known


def test_the_face_looks_at_the_door_only_when_asked():
    """`import undertow`, a book and a run without settings import neither Hydra nor the door."""
    tree = ast.parse((ROOT / "engine/undertow/settings.py").read_text(encoding="utf-8"))
    top = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert not {name for name in top if name.startswith("experiments")}


def read(path: pathlib.Path) -> str:
    """Text of a file, empty if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def unannotated(function: ast.FunctionDef, method: bool) -> list[str]:
    """Arguments of a function without a type, and `return` where its result has none."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    static = any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in function.decorator_list)
    named = named[1:] if method and not static else named
    named += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    missing = [each.arg for each in named if each.annotation is None]
    return missing + ["return"] * (function.returns is None and function.name != "__init__")


def untyped(tree: ast.AST, method: bool = False) -> list[str]:
    """Public functions and methods of a module or class that are not fully annotated; not nested ones."""
    lines = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            private = node.name.startswith("_") and not node.name.endswith("__")
            if not private and (missing := unannotated(node, method)):
                lines.append(f"{node.lineno}: {node.name} has no type of {', '.join(missing)}")
        else:
            lines += untyped(node, isinstance(node, ast.ClassDef))
    return lines


def broken_lines(rule: Callable[[ast.AST], list[str]]) -> list[str]:
    """Lines of the engine that break a rule, with their files."""
    return [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources("engine")
        for line in rule(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_every_public_function_of_the_engine_is_annotated():
    lines = broken_lines(untyped)
    assert not lines, "\n".join(lines)


def test_the_rule_of_annotations_sees_each_kind_of_gap():
    text = """
def whole(a: int, *b: int, **c: int) -> int: ...
def bare(a, *b, c=1, **d): ...
def _private(a): ...
class Each:
    def __init__(self, a): ...
    @staticmethod
    def static(a) -> None: ...
    @property
    def size(self): ...
    def outer(self) -> None:
        def inner(a): ...
"""
    assert untyped(ast.parse(text)) == [
        "3: bare has no type of a, c, b, d, return", "6: __init__ has no type of a",
        "8: static has no type of a", "10: size has no type of return",
    ]  # fmt: skip


def undocumented(tree: ast.AST) -> list[str]:
    """Public functions, methods and classes of a module or class without a docstring; not nested ones."""
    lines = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not node.name.startswith("_") and not ast.get_docstring(node):
                lines.append(f"{node.lineno}: {node.name} has no docstring")
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines += undocumented(node)
    return lines


def test_every_public_function_and_class_of_the_engine_has_a_docstring():
    lines = broken_lines(undocumented)
    assert not lines, "\n".join(lines)


def test_the_rule_of_docstrings_sees_each_kind_of_gap():
    text = """
def bare(): ...
def whole(): 'Whole.'
def _private(): ...
class Each:
    def method(self): ...
    @property
    def size(self): 'Size.'
    def __len__(self): ...
    def outer(self):
        'Outer.'
        def inner(): ...
if True:
    def late(): ...
"""
    assert undocumented(ast.parse(text)) == [
        "2: bare has no docstring", "5: Each has no docstring", "6: method has no docstring",
        "14: late has no docstring",
    ]  # fmt: skip


HOSTS = "|".join(["py" + "pi", "python" + "hosted", "devpi", "artifactory"])
PLACES = "|".join(["/" + place + "/" for place in ("work", "home", "root", "Users", "tmp", "opt")])


def test_no_file_names_a_package_host_or_a_place_on_a_machine():
    host = re.compile(r"https?://[^\s/]*(" + HOSTS + ")")
    place = re.compile(r"(?<![\w.~$})/])(" + PLACES + ")")
    found = []
    for path in kept():
        for number, line in enumerate(read(path).splitlines(), 1):
            if host.search(line) or (path.suffix != ".csv" and place.search(line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    assert not found, "\n".join(found)


def test_the_references_beside_the_repository_are_named_in_tests_and_build_scripts_only():
    words = re.compile(r"\.\./" + "shared")
    allowed = (
        ROOT / "tests", ROOT / "benchmarks", ROOT / "Makefile", ROOT / "experiments" / "shipped_book"
    )  # fmt: skip
    found = [
        str(path.relative_to(ROOT))
        for path in kept()
        if words.search(read(path)) and not any(path.is_relative_to(place) for place in allowed)
    ]
    assert not found


def test_every_dependency_is_pinned_with_a_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["test"]
    pins = re.findall(r"^([a-z0-9-]+)==\S+ .*\\\n    --hash=sha256:[0-9a-f]{64}", lock(), re.M)
    missing = [entry for entry in wanted if re.split(r"[><=\[]", entry)[0] not in pins]
    assert not missing
    assert len(re.findall(r"^\S+==", lock(), re.M)) == len(pins)


@pytest.mark.parametrize("python", ["3.11.0", "3.12.1", "3.13.0"])
def test_every_python_has_one_version_of_every_dependency(python):
    pins = [Requirement(line.removesuffix("\\")) for line in re.findall(r"^\S+==.*", lock(), re.M)]
    setting = {"python_full_version": python, "sys_platform": "linux"}
    names = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(setting)]
    assert len(names) == len(set(names))
    assert {"jax", "jaxlib", "numpy", "scipy"} <= set(names)


def test_make_matrix_runs_the_oldest_and_the_newest_jax_of_the_lock_on_every_python():
    (pairs,) = re.findall(r"^PAIRS \?= (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    oldest, newest = re.findall(r"^jax==(\S+)", lock(), re.M)
    assert set(pairs.split()) == {
        f"{python}:{jax}"
        for python in ("3.11", "3.12", "3.13")
        for jax in (oldest, newest)
        if python != "3.11" or jax == oldest
    }


def test_the_lock_names_no_index_and_no_path():
    assert not re.search(r"://|^-|file:|find-links|^\.|^/", lock(), re.M)


LOCKS = ("constraints.txt", "tests/constraints.txt")


def lock() -> str:
    """The pins of a run and, beside them, those of the tests."""
    return "".join((ROOT / name).read_text(encoding="utf-8") for name in LOCKS)


def test_a_run_needs_no_package_of_the_tests():
    run, tests = (
        set(re.findall(r"^(\S+)==", (ROOT / name).read_text(encoding="utf-8"), re.M)) for name in LOCKS
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {
        name: {Requirement(line).name for line in lines}
        for name, lines in project["optional-dependencies"].items()
    }
    assert {Requirement(line).name for line in project["dependencies"]} | named["build"] <= run
    assert named["test"] <= tests
    assert not run & tests


def test_the_package_carries_its_configuration_and_its_books():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["name"] == "undertow"
    assert project["project"]["scripts"] == {"undertow": "experiments.main:main"}
    data = project["tool"]["setuptools"]["package-data"]
    for package, patterns in data.items():
        folder = ROOT / "engine" / package if package == "undertow" else ROOT / package
        assert (folder / "__init__.py").exists()
        for pattern in patterns:
            assert list(folder.glob(pattern)), f"{package}: {pattern} matches nothing"
