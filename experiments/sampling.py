"""Which sampler draws the paths: what it needs of the configuration, and the law to learn first."""

import contextlib
import logging
import math
import pathlib

from engine.book.checks.problems import expected
from experiments.config.checks import whole_problems
from experiments.config.schema import Run, Sampler

SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")
WHOLE = {"replications": (1, 1024, 1), "components": (1, 120, 1), "parts": (2, 32, 1)}
"""Whole numbers of a sampler: least, most, multiple of."""

LEARNING = {"learning_paths": (8192, 2**26, 2048)}
"""Paths to learn from."""

log = logging.getLogger("undertow")


def sampler_problems(sampler: Sampler, run: Run) -> list[str]:
    """Turn the sampler's numbers into whole ones; what does not suit it or the run."""
    if sampler.name not in SAMPLERS:
        return [expected("sampler.name", sampler.name, "one of " + ", ".join(SAMPLERS))]
    found = whole_problems("sampler", sampler, WHOLE)
    if sampler.name == "importance":
        return found + importance_problems(sampler)
    return found if found or not isinstance(run.paths, int) else found + replication_problems(sampler, run)


def importance_problems(sampler: Sampler) -> list[str]:
    """What learning a law cannot do with."""
    found = whole_problems("sampler", sampler, LEARNING)
    if not 0.99 <= sampler.level < 1.0:
        found.append(expected("sampler.level", sampler.level, "from 0.99 up to but not including 1"))
    if not 0.01 <= sampler.defensive <= 0.5:
        found.append(expected("sampler.defensive", sampler.defensive, "a share from 0.01 to 0.5"))
    if sampler.replications != 1:
        wanted = "1: weighted paths are independent, and tell their error themselves"
        found.append(expected("sampler.replications", sampler.replications, wanted))
    if sampler.tilt is not None and not pathlib.Path(sampler.tilt).is_file():
        found.append(expected("sampler.tilt", sampler.tilt, "the tilt.npz of an earlier run"))
    return found


def replication_problems(sampler: Sampler, run: Run) -> list[str]:
    """Paths must be cut evenly into replications that suit the sampler."""
    found = []
    if isinstance(run.months, int) and sampler.name == "sobol" and sampler.components > run.months:
        wanted = f"at most the run's {run.months} months"
        found.append(expected("sampler.components", sampler.components, wanted))
    each, rest = divmod(run.paths, sampler.replications)
    if sampler.name == "sobol" and (rest or each < 1 or each & (each - 1)):
        near = sampler.replications << max(round(math.log2(max(each, 1))), 9)
        wanted = f"{sampler.replications} replications times a power of two, such as {near}"
        found.append(expected("run.paths", run.paths, wanted))
    elif rest or each % (2 if sampler.name == "antithetic" else 1):
        unit = sampler.replications * (2 if sampler.name == "antithetic" else 1)
        wanted = f"a multiple of {unit}, for {sampler.replications} replications of sampler={sampler.name}"
        found.append(expected("run.paths", run.paths, wanted))
    return found


def samplers(experiment, book, system, plan) -> tuple | None:
    """Those of the run; None where a law must be learned first. Raises `BadInput` for one that is refused."""
    from engine.paths.samplers import samplers_of
    from experiments import tilts

    wanted = experiment.sampler
    if wanted.name != "importance":
        return samplers_of(system, plan, wanted.name, wanted.replications, wanted.components)
    column_of(experiment, system)
    if wanted.tilt is None:
        return None
    purpose = tilts.purpose_of(experiment, book.hash)
    return (tilts.load(pathlib.Path(wanted.tilt), system, purpose)[0],)


def column_of(experiment, system) -> int:
    """Position of the loss whose tail is sampled; raises `BadInput` where there is none of that name."""
    from engine.paths.path import column_names
    from experiments.config.bad_input import BadInput

    names = column_names(system)
    if experiment.sampler.column not in names:
        wanted = "a loss column: system, class:ABS, lenders:BANK, lender:ATHENE and the like"
        raise BadInput([expected("sampler.column", experiment.sampler.column, wanted)])
    return names.index(experiment.sampler.column)


def learned(experiment, book, system, folder: pathlib.Path, stop) -> tuple[tuple, dict]:
    """(samplers, what to say of learning); the law of an interrupted run is taken up, a new one is saved."""
    from experiments import tilts

    path, purpose = folder / tilts.NAME, tilts.purpose_of(experiment, book.hash)
    wanted = experiment.sampler
    if wanted.tilt is not None:
        sampler, notes = tilts.load(pathlib.Path(wanted.tilt), system, purpose)
        tilts.save(path, sampler.tilt, notes, purpose)
        return (sampler,), notes | {"from": str(wanted.tilt)}
    if path.exists() and experiment.run.resume:
        from experiments.config.bad_input import BadInput

        with contextlib.suppress(BadInput):
            sampler, notes = tilts.load(path, system, purpose)
            if notes["asked"] == asked_for(experiment):
                log.info("going on with the law learned before")
                return (sampler,), notes
    found = learn(experiment, system, stop)
    stop.check()
    notes = {
        "asked": asked_for(experiment),
        "paths": found.paths,
        "seconds": found.seconds,
        "hits": found.hits,
    }
    tilts.save(path, found.sampler.tilt, notes, purpose)
    return (found.sampler,), notes


def asked_for(experiment) -> list:
    """What decides a learned law beside the model."""
    wanted = experiment.sampler
    return [wanted.level, wanted.parts, wanted.defensive, wanted.learning_paths, experiment.run.seed]


def learn(experiment, system, stop):
    """Run the pilots, each with its progress."""
    from engine.learn.importance.importance import Asked, learn
    from engine.run.plan import Hooks
    from experiments.session.progress import Progress

    wanted = experiment.sampler
    first = wanted.learning_paths // 4
    asked = Asked(
        column=column_of(experiment, system), level=wanted.level, parts=wanted.parts,
        defensive=wanted.defensive, paths=(first, first, wanted.learning_paths - 2 * first),
    )  # fmt: skip

    @contextlib.contextmanager
    def look(stage: int, paths: int):
        with Progress(paths, f"learning, pilot {stage + 1} of {len(asked.paths)}") as progress:
            yield Hooks(progress=progress.update, stopped=stop)

    return learn(system, asked, experiment.run.seed, min(experiment.run.block, 4096), look)
