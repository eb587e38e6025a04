"""Samplers by name for a run of the full model, one for each replication."""

from engine.book.system import System
from engine.draws.samplers import PSEUDO_RANDOM, Antithetic, Sampler, sobol
from engine.run.plan import Plan


def samplers_of(
    system: System, plan: Plan, name: str, replications: int, components: int
) -> tuple[Sampler, ...]:
    """As many samplers as replications: `pseudo_random`, `antithetic` or `sobol`.

    A scrambled sequence covers the leading `components` principal components of each factor's path. Raises
    ValueError for an unknown name and where the paths do not suit the sampler.
    """
    size = plan.paths // replications
    if name == "sobol":
        months, factors = system.calendar.month.shape[0], system.economy.loading.shape[0]
        return sobol(replications, size, months, factors, components, plan.seed)
    plain: dict[str, Sampler] = {"pseudo_random": PSEUDO_RANDOM, "antithetic": Antithetic()}
    if name not in plain:
        raise ValueError(f"sampler.name: got {name!r}, expected one of {', '.join((*plain, 'sobol'))}")
    return (plain[name],) * replications
