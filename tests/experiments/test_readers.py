"""A key that the chosen task does not read is refused, whatever the task and the key."""

import pytest

from experiments import tasks
from experiments.config import schema
from experiments.config.readers import own_groups, readers, reads, unread_problems

REFUSED = {
    ("target=300",): "reverse_stress.target: task=tail_risk does not read it; task=reverse_stress does",
    ("reverse_stress.target=300",): "task=reverse_stress does",
    ("tape=loans.xlsx",): "tape.file: task=tail_risk does not read it; task=import does",
    ("network=gibbs",): "network: task=tail_risk does not read it; task=network_ensemble does",
    ("task=network_ensemble", "run.paths=5"): "task=network_ensemble does not read it, but network.paths",
    ("task=template", "template.dir=x", "chips.life=5"): "chips.life: task=template does not read it",
    ("-m", "task=greeks,policy", "greeks.step=0.1"): "greeks.step: task=policy does not read it",
    ("experiment=million", "search.trials=3"): "search.trials: task=tail_risk does not read it",
}


@pytest.mark.parametrize("arguments", REFUSED)
def test_a_key_of_another_task_is_refused_with_the_task_that_reads_it(arguments, undertow, untouched):
    with untouched():
        answer = undertow(*arguments)
    assert answer.code == 2 and answer.out == "" and REFUSED[arguments] in answer.err


def test_every_key_of_a_task_s_own_is_refused_by_all_others():
    schema.register(tasks.groups())
    modules = tasks.every()
    for name, group in own_groups(modules).items():
        for field in vars(schema.group_types()[group]()):
            assert readers(modules, f"{group}.{field}") == [name]


def test_what_every_run_reads_is_nobody_s_mistake():
    modules = tasks.every()
    with_folder = [name for name, task in modules.items() if getattr(task, "RUN_FOLDER", True)]
    for key in ("chips.life", "run.seed", "scenario", "book.path", "report.html", "hydra/launcher", "task"):
        assert set(with_folder) <= set(readers(modules, key)), key
    assert reads(modules, "import", "book.name") and not reads(modules, "runs", "book.name")
    assert all(reads(modules, name, "run.devices") for name in modules)


def test_a_group_that_an_experiment_s_file_sets_is_allowed(undertow, engine):
    """`best_terms` sets keys of search; with another task on the command line they lie idle."""
    assert undertow("experiment=best_terms", "task.name=tail_risk", "run.dir=a").code == 0
    assert unread_problems("tail_risk", ["experiment=best_terms"], tasks.every()) == []
