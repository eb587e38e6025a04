"""Every command that a page prints composes as it stands: its keys exist, and its task reads them."""

import pathlib
import re
import shlex

import hydra
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from experiments import tasks
from experiments.config import explain, read, schema
from experiments.config.bad_input import BadInput
from experiments.config.bad_input import explain as explained
from experiments.config.overrides import short_keys, spelled_out

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md"] + [
    ROOT / "docs" / name for name in ("your-own-book.md", "getting-started.md", "gallery.md", "compare.md")
]

PLACES = ("that exists", "the folder of a run", "of an earlier run")
"""Words of a complaint about a file that the reader of the page has and this test has not."""

ELSEWHERE = ("hydra/launcher=submitit", "hydra/launcher=ray", "hydra.launcher.", "run.processes=")
"""Parts of commands that need a package or a cluster."""


def blocks(text: str) -> list[str]:
    """Lines of the indented and fenced blocks of a page, continued lines joined."""
    fenced = re.findall(r"^```(?:bash|console|sh)?\n(.*?)^```", text, re.S | re.M)
    indented = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    lines = "\n".join([*indented, *fenced]).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines]


def commands(text: str) -> list[str]:
    """Commands of a page: lines of its blocks, each part of a chain, and code within its text."""
    code = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    parts = [part.strip() for line in [*blocks(text), *code] for part in line.split("&&")]
    kept = [part for part in parts if re.match(r"(undertow|make|python) \S", part) and "..." not in part]
    return list(dict.fromkeys(" ".join(re.sub(r"\s+#.*$", "", part).split()) for part in kept))


TEXTS = {page.name: page.read_text(encoding="utf-8") for page in reversed(PAGES)}
EVERY = {command: name for name, text in TEXTS.items() for command in commands(text)}


def problems_of(command: str) -> list[str]:
    """What is wrong with a command, but for places that are not on this machine."""
    program, *arguments = shlex.split(command)
    if program == "make":
        return [] if made(arguments) else [f"no target of the Makefile: {command}"]
    if program == "python":
        return (
            [] if arguments[0].startswith("-") or (ROOT / arguments[0]).is_file() else [f"no file: {command}"]
        )
    if arguments[0] == "explain":
        return [] if explain.matches(arguments[1]) else [f"no key: {command}"]
    if arguments[0].startswith("-") and arguments[0] not in ("-m", "--multirun"):
        return []
    return composed([each for each in arguments if not each.startswith("-")], "-m" in arguments)


def made(targets: list[str]) -> bool:
    """Whether the Makefile has all of the targets."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return all("=" in each or re.search(rf"^{re.escape(each)}:", text, re.M) for each in targets)


def composed(arguments: list[str], several: bool) -> list[str]:
    """What is wrong with the overrides of a command; of a sweep, with those of its first job."""
    whole = [spelled_out(each, several, short_keys(arguments)) for each in arguments]
    parsed = OverridesParser.create().parse_overrides(whole)
    first = [
        f"{each.get_key_element()}={next(iter(each.sweep_string_iterator()))}"
        if each.is_sweep_override()
        else line
        for each, line in zip(parsed, whole, strict=True)
    ]
    try:
        read.read(hydra.compose("config", overrides=first), tasks.every(), first)
    except HydraException as error:
        return [explained(error)]
    except BadInput as error:
        return [each for each in error.problems if not any(words in each for words in PLACES)]
    return []


@pytest.fixture(scope="module", autouse=True)
def composer():
    """Hydra with the packaged configuration."""
    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        yield


@pytest.mark.parametrize("command", EVERY)
def test_a_command_of_a_page_composes(command, monkeypatch, tmp_path):
    if any(part in command for part in ELSEWHERE):
        pytest.skip("needs a launcher that is not installed, or a cluster")
    monkeypatch.chdir(tmp_path)
    assert problems_of(command) == [], EVERY[command]


def test_every_page_has_commands():
    assert min(len(commands(text)) for text in TEXTS.values()) >= 3


def test_a_command_that_does_not_compose_is_seen(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert problems_of("undertow target=300") and problems_of("undertow task=greeks greeks.steps=1")
    assert problems_of("make nothing") and problems_of("undertow -m task=policy greeks.step=0.1,0.2")
    assert commands("x\n\n    undertow a=1 \\\n        b=2   # why\n\n`undertow c=3`, `undertow ...`") == [
        "undertow a=1 b=2", "undertow c=3",
    ]  # fmt: skip


def test_the_readme_says_how_to_come_to_its_commands_and_stays_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    activation = text.index(". .venv/bin/activate")
    assert text.index("    make report") < activation < text.index("`undertow ")


def test_every_experiment_of_the_readme_has_a_finding():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| question | command | finding")[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) > 10 and all(len(row) == 3 and len(row[2].strip(" |")) > 20 for row in rows)
    shown = " ".join(row[1] for row in rows)
    missing = [name for name in tasks.names() if f"task={name}" not in shown and name not in OTHERWISE]
    assert missing == []


OTHERWISE = ("tail_risk", "network_ensemble", "search", "validate", "runs", "reproduce")
"""Tasks that the table names by an experiment or `make`, or that answer no question about losses."""
