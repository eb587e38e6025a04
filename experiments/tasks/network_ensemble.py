"""Many networks of holders, all consistent with what is known of them, on the same paths.

How much of a lender's tail is the economy's doing, and how much is that nobody knows who holds what?
"""

from experiments.config.read import Experiment
from experiments.model import networks
from experiments.session.checkpoints import Checkpoints
from experiments.session.progress import Progress
from experiments.session.run_folder import RunFolder
from experiments.session.stopping import Stop
from experiments.tasks.tail_risk import carry_out, timing_of


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Run the ensemble into its folder and, unless it is one of a sweep, say so; the exit code."""
    return carry_out(experiment, stop, alone, networks, results)


def results(experiment: Experiment, book, model, folder: RunFolder, checkpoints: Checkpoints) -> dict:
    """Simulate every network and write tables, summary and page into the folder; the summary."""
    filled, systems, plan, samplers = model
    from engine.paths.networks import simulate_networks
    from engine.paths.simulate import layout_of
    from engine.report.page import write_page
    from engine.results.losses import labels_of
    from engine.results.network_ensemble import NetworkMeasures, network_summary
    from engine.results.write import write_results
    from engine.run.plan import Hooks

    collected, stop = NetworkMeasures(len(samplers)), checkpoints.stop
    with Progress(plan.paths * len(systems)) as progress:
        hooks = Hooks(progress=progress.update, replication=collected.add, stopped=stop)
        tally, timing = simulate_networks(systems, plan, samplers, hooks)
    stop.check()
    tables = collected.tables(layout_of(filled), labels_of(filled, book))
    wanted = experiment.network
    network = {
        "networks": wanted.networks, "paths_each": wanted.paths, "blocks": wanted.blocks,
        "method": wanted.method, "density": wanted.density,
    } | network_summary(tables["network_split"])  # fmt: skip
    timing = timing_of(timing, checkpoints.sessions)
    provenance = folder.provenance | {"status": "done", "timing": timing, "network": network}
    summary = write_results(
        folder.path, tally, filled, book, provenance, collected.replications(), more=tables
    )
    if experiment.report.html:
        write_page(folder.path)
    return summary
