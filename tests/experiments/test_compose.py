"""Every experiment, scenario and group composes, and what it sets is what arrives."""

import dataclasses

import hydra
import pytest
from omegaconf import OmegaConf

from engine.book.parameters import Parameters
from engine.vocabulary import LEVERS
from experiments import tasks
from experiments.config import read, schema
from experiments.config.help import options
from experiments.tasks import policy

OPTIONS = options()
EVERY = [(group, name) for group, names in OPTIONS.items() for name in names if group not in ("book", "task")]


@pytest.fixture(autouse=True)
def composer():
    """Hydra with the packaged configuration."""
    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        yield


def composed(*overrides: str) -> read.Experiment:
    """The checked experiment of some overrides."""
    return read.read(hydra.compose("config", overrides=list(overrides)), tasks.every())


def settings(group: str, name: str) -> dict[str, object]:
    """Dotted keys and values that a group's file sets."""
    import importlib.resources

    path = importlib.resources.files("conf") / group / f"{name}.yaml"
    held = OmegaConf.to_container(OmegaConf.create(path.read_text(encoding="utf-8")))
    if not path.read_text(encoding="utf-8").startswith("# @package _global_"):
        held = {group: held}
    held.pop("hydra", None)
    return {f"{part}.{key}": value for part, keys in held.items() for key, value in keys.items()}


def arrived(experiment: read.Experiment, key: str) -> object:
    """The value of a dotted key in the configuration that runs."""
    group, _, name = key.partition(".")
    return experiment.config[group][name]


def test_the_defaults_are_the_engine_s_own():
    assert composed().parameters == Parameters()


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_what_an_option_sets_arrives(group, name):
    experiment = composed(f"{group}={name}")
    for key, value in settings(group, name).items():
        assert arrived(experiment, key) == value, key


@pytest.mark.parametrize("name", OPTIONS["experiment"])
@pytest.mark.parametrize("scenario", [name for name in OPTIONS["scenario"] if name != "path"])
def test_an_experiment_s_values_survive_every_story(name, scenario):
    """A file of paths goes with the main job, and only some experiments are that."""
    experiment = composed(f"experiment={name}", f"scenario={scenario}")
    for key, value in settings("experiment", name).items():
        assert arrived(experiment, key) == value, key


def test_an_experiment_comes_after_the_groups(tmp_path):
    overriding = tmp_path / "experiment" / "slow_chips.yaml"
    overriding.parent.mkdir()
    overriding.write_text("# @package _global_\nchips:\n  life: 7.0\nrun:\n  paths: 3\n")
    experiment = composed(
        f"hydra.searchpath=[file://{tmp_path}]", "scenario=chip_glut", "experiment=slow_chips"
    )
    assert (experiment.parameters.chips.life, experiment.run.paths) == (7.0, 3)
    assert experiment.parameters.chips.depth == 0.02


def test_the_command_line_has_the_last_word():
    assert composed("experiment=quick", "run.paths=7", "scenario=boom").run.paths == 7


@pytest.mark.parametrize("scenario", sorted(set(OPTIONS["scenario"]) - {"baseline"}))
def test_a_scenario_tells_its_story_and_changes_a_number(scenario):
    experiment = composed(f"scenario={scenario}")
    assert experiment.scenario.name == scenario
    assert experiment.scenario.story.endswith(".")
    assert experiment.parameters != Parameters() or experiment.scenario.file


@pytest.mark.parametrize("text", ["1e6", "1000000", "1_000_000", "1000000.0", "'1e6'"])
def test_a_million_may_be_written_as_people_write_it(text):
    paths = composed(f"run.paths={text}").run.paths
    assert paths == 1_000_000
    assert isinstance(paths, int)


def test_the_hash_follows_results_only():
    plain = composed()
    assert composed("run.dir=a", "run.devices=1", "report.html=false", "run.paths=2e5").hash == plain.hash
    for change in ("run.seed=8", "chips.life=5", "scenario=bust", "mechanisms=none", "book.name=other"):
        assert composed(change).hash != plain.hash, change


def test_the_hash_follows_what_a_task_reads():
    """The plain run reads nothing of the networks, an ensemble nothing of the plain run's paths."""
    plain, ensemble = composed(), composed("task=network_ensemble")
    assert composed("network.networks=9", "network=gibbs").hash == plain.hash
    assert composed("task=network_ensemble", "run.paths=7").hash == ensemble.hash
    assert composed("task=network_ensemble", "run.dir=a", "run.devices=1").hash == ensemble.hash
    for change in ("network.networks=9", "network=gibbs", "network.blocks=4", "run.seed=8"):
        assert composed("task=network_ensemble", change).hash != ensemble.hash, change


def test_nothing_of_hydra_goes_through_the_door():
    def walk(value):
        assert not OmegaConf.is_config(value)
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                walk(getattr(value, field.name))
        elif isinstance(value, dict | list):
            for item in value.values() if isinstance(value, dict) else value:
                walk(item)

    walk(composed("economy.growth=[1,0,-1]"))


def test_the_policy_task_pulls_every_lever_unless_told_which():
    assert policy.levers_within(composed("task=policy").parameters.policy, 60) == LEVERS
    assert policy.levers_within(composed("task=policy", "policy=bailout").parameters.policy, 60) == (
        "bailout",
    )
    assert policy.levers_within(composed().parameters.policy, 60) == ()


@pytest.mark.parametrize("lever", LEVERS)
def test_a_lever_of_its_own_is_the_lever_among_all(lever):
    alone, every = (vars(composed(f"policy={name}").parameters.policy) for name in (lever, "all"))
    assert alone == {**every, **{f"{other}_month": 0.0 for other in LEVERS if other != lever}}
