"""A run whose economy follows a scenario's file: what was understood, and the same paths without it."""

from typing import Any

from experiments import sampling
from experiments.context import Context
from experiments.model import Model
from experiments.session.output import say
from experiments.session.progress import Progress


def understood(context: Context, model: Model) -> tuple[Any, Any]:
    """The scenario, and the first sampler's conditioning on it."""
    system, _, samplers = model
    assert samplers is not None  # importance sampling is refused with a file
    scenario, laws = sampling.conditioned(context.experiment, context.book, system, (samplers[0].base,))
    return scenario, laws[0]


def announce(context: Context, model: Model) -> None:
    """Say on standard error what became of every column, before any path runs."""
    from engine.report.sections.scenario import columns_of, titled, unused_of, warnings_of
    from engine.report.terminal import table_text
    from engine.results.scenario import columns_table

    scenario, law = understood(context, model)
    columns = columns_table(scenario, law)
    given = columns[columns["use"] == "given"]
    if len(given):
        table = columns_of(given, titled(scenario.file, scenario.first, scenario.last))
        say(table_text(table.brief()) + "\n")
    say("\n".join((*scenario.notes, *unused_of(columns))) + "\n")
    for warning in warnings_of(columns, context.book.about):
        say(f"undertow: {warning}")


def results(context: Context, model: Model) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables by name and the summary's entry."""
    from engine.results.scenario import free_losses, scenario_entry, scenario_tables

    system, plan, samplers = model
    free = None
    scenario, law = understood(context, model)
    if context.experiment.scenario.beside:
        tally = free_tally(context, system, plan, samplers or ())
        free = free_losses(tally, system, context.book)
    tables = scenario_tables(scenario, law, free)
    return tables, scenario_entry(scenario, tables)


def free_tally(context: Context, system: Any, plan: Any, samplers: tuple) -> Any:
    """The tally of the same paths, drawn without the scenario."""
    import jax

    from engine.paths.simulate import simulate
    from engine.run.plan import Hooks

    free = tuple(sampler.released() for sampler in samplers)
    with Progress(plan.paths, "without the scenario") as progress:
        hooks = Hooks(progress=progress.update, stopped=context.stop)
        tally, _ = simulate(system, plan, free, hooks, processes=context.processes)
    context.stop.check()
    return jax.device_get(tally)
