"""The examples of docs/api.md do what they say, and its headings are where its list points."""

import doctest
import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"


def test_examples_of_the_api():
    options = doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testfile(str(DOCS / "api.md"), module_relative=False, optionflags=options)
    assert tried > 40 and not failed


def test_example_of_the_page_on_securitisation():
    failed, tried = doctest.testfile(str(DOCS / "securitisation.md"), module_relative=False)
    assert tried == 3 and not failed


def test_the_worked_example_of_clearing():
    failed, tried = doctest.testfile(str(DOCS / "clearing.md"), module_relative=False)
    assert tried == 31 and not failed


def test_links_of_the_api_lead_somewhere():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\(#([a-z0-9-]+)\)", text)) == anchors


def test_modules_of_the_api_exist():
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    root = DOCS.parent
    for name in set(re.findall(r"`(engine(?:\.[a-z_]+)+)", text)):
        parts = name.split(".")
        files = [root.joinpath(*parts[:n]).with_suffix(".py") for n in range(2, len(parts) + 1)]
        assert any(file.is_file() for file in files), name


def test_tests_that_the_mechanisms_page_names_exist():
    tests = pathlib.Path(__file__).resolve().parent
    texts = [file.read_text(encoding="utf-8") for file in tests.rglob("test_*.py")]
    known = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    named = set(re.findall(r"`(test_\w+)`", (DOCS / "mechanisms.md").read_text(encoding="utf-8")))
    assert len(named) > 20 and named <= known, sorted(named - known)
