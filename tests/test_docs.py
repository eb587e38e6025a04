"""Examples of the pages run, links lead somewhere, and every file, module and test a page names exists."""

import ast
import doctest
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(DOCS.glob("*.md"))
FOLDERS = ("engine", "experiments", "tests", "benchmarks", "conf", "docs")


def test_examples_of_the_api():
    options = doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(DOCS / "api.md"), module_relative=False, optionflags=options)
    assert tried > 40 and not failed


def test_example_of_the_page_on_securitisation():
    failed, tried = doctest.testfile(str(DOCS / "securitisation.md"), module_relative=False)
    assert tried == 3 and not failed


def test_the_worked_example_of_clearing():
    failed, tried = doctest.testfile(str(DOCS / "clearing.md"), module_relative=False)
    assert tried == 30 and not failed


def test_links_of_the_api_lead_somewhere():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([a-z0-9-]+)\)", text)) == anchors


def test_modules_of_the_api_exist():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"`(engine(?:\.[a-z_]+)+)", text)):
        parts = name.split(".")
        files = [ROOT.joinpath(*parts[:n]).with_suffix(".py") for n in range(2, len(parts) + 1)]
        assert any(file.is_file() for file in files), name


def test_tests_that_the_pages_name_exist():
    texts = [file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py")]
    known = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    named = {page: set(re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))) for page in PAGES}
    assert len(named[DOCS / "mechanisms.md"]) > 20
    assert sorted(set().union(*named.values()) - known) == []


PLACEHOLDER = r"(toy|NAME)\."
"""Files of a task that is yet to be added."""


def names_defined(module: pathlib.Path) -> set[str]:
    """What the top level of a module defines."""
    names = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = [part for target in targets for part in ast.walk(target)]
            names |= {part.id for part in parts if isinstance(part, ast.Name)}
    return names


def missing_paths(text: str) -> list[str]:
    """Paths from the root of the repository that do not exist: `engine/tail/tally.py`, `tests/paths/`."""
    paths = re.findall(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/]", text)
    return [path for path in paths if not (ROOT / path).exists() and not re.search(PLACEHOLDER, path)]


def exists(name: str) -> bool:
    """Whether a dotted name is a package, a module, or something that a module defines."""
    place = ROOT
    parts = name.split(".")
    for depth, part in enumerate(parts, 1):
        place = place / part
        if place.with_suffix(".py").is_file():
            return depth == len(parts) or parts[depth] in names_defined(place.with_suffix(".py"))
    return place.is_dir()


def missing_modules(text: str) -> list[str]:
    """Dotted names of the engine that do not exist."""
    names = re.findall(r"(?<![\w./-])engine(?:\.[A-Za-z_]\w*)+", text)
    return [name for name in names if not exists(name)]


def missing_functions(text: str) -> list[str]:
    """Modules without their room, or functions of them, `month/paper.py: answer`, that do not exist."""
    missing = []
    for short, names in re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)(?:: ([a-z_]+(?:, [a-z_]+)*))?`", text):
        modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob(f"*{short.rsplit('/')[-1]}")]
        modules = [path for path in modules if f"/{path.relative_to(ROOT)}".endswith(f"/{short}")]
        wanted = set(names.split(", ")) if names else set()
        if not re.search(PLACEHOLDER, short) and not any(wanted <= names_defined(each) for each in modules):
            missing.append(f"{short}: {names}" if names else short)
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_modules_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    assert [*missing_paths(text), *missing_modules(text), *missing_functions(text)] == []


@pytest.mark.parametrize("folder", ["engine", "experiments", "benchmarks"])
def test_files_that_docstrings_and_comments_name_exist(folder):
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")}
    missing = {path.name: paths for path, text in texts.items() if (paths := missing_paths(text))}
    assert len(texts) > 5 and missing == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_a_name_that_does_not_exist_is_seen():
    assert missing_paths("see engine/tail/nothing.py and tests/paths/") == ["engine/tail/nothing.py"]
    assert missing_modules("engine.month.step.step, engine.month.step.leap, engine.moth.step") == [
        "engine.month.step.leap",
        "engine.moth.step",
    ]
    assert missing_functions("`month/paper.py: answer`, `month/paper.py: folly`, `nothing.py`") == [
        "month/paper.py: folly",
        "nothing.py",
    ]
