"""What has been run: a list of all runs below a folder, or any question about them in SQL."""

import pathlib
import shutil

from experiments.config.bad_input import BadInput
from experiments.config.read import Experiment
from experiments.session.exit_codes import DONE
from experiments.session.lock import busy
from experiments.session.stopping import Stop

LIST = """
    select status, started[:16] as started, scenario, paths, seed,
           horizon, round(es_99, 1) as es_99, round(es_99_se, 1) as "±",
           config_hash[:8] as config, dir
    from runs order by started
"""
ROWS, WIDTH = 10_000, 400


def run(experiment: Experiment, stop: Stop, alone: bool) -> int:
    """Print the list, or what runs.sql answers; the exit code."""
    import duckdb

    from engine.results.database import LaterSchema, open_runs

    wanted = experiment.runs
    try:
        with open_runs(pathlib.Path(wanted.root), busy) as database:
            answer = database.sql(wanted.sql or LIST)
            if answer is not None:
                width = max(shutil.get_terminal_size((WIDTH, 24)).columns, 80)
                answer.show(max_rows=ROWS, max_width=width)
    except LaterSchema as error:
        raise BadInput([str(error)]) from None
    except duckdb.Error as error:
        raise BadInput([f"runs.sql: {error}"]) from None
    return DONE
