"""Ray itself, on this machine: the jobs of a sweep say what the same jobs say at home."""

import pytest

from tests.cluster.conftest import RUN, missing, undertow
from tests.experiments.kills import results_of


@pytest.fixture
def launcher():
    """Arguments that send a sweep's jobs to a Ray that is started for them."""
    if said := missing("ray", "hydra_plugins.hydra_ray_launcher"):
        pytest.skip(said)
    return ("hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2")


def test_ray_tasks_say_what_the_same_jobs_say_at_home(launcher, book, tmp_path):
    jobs = ("-m", *book, *RUN, "scenario=baseline,bust")
    undertow(*jobs, f"run.dir={tmp_path / 'home'}")
    undertow(*jobs, f"run.dir={tmp_path / 'ray'}", *launcher)
    home, ray = sorted((tmp_path / "home").iterdir()), sorted((tmp_path / "ray").iterdir())
    assert [path.name for path in home] == [path.name for path in ray]
    assert len(home) == 2
    for one, other in zip(home, ray, strict=True):
        assert results_of(one) == results_of(other)
    assert "2 of 2 jobs are done already" in undertow(*jobs, f"run.dir={tmp_path / 'ray'}", *launcher)
