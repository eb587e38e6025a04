"""What `undertow --help` prints; Hydra's own help takes a second to list the groups."""

import importlib.resources
from collections.abc import Mapping

HEAD = """\
undertow: if the AI build-out disappoints, who loses how much, how fast, and through which channel?

First steps
  undertow experiment=quick                      a first look at the shipped book, 20,000 paths
  undertow                                       the same with 200,000 paths: the tail at 99.9% too
  undertow scenario=bust chips.life=5            another scenario, another number
  undertow explain chips.life                    what a key means: unit, value now, range, grade, who reads it
  undertow task=runs                             every run in out/

Two runs, many runs
  undertow run.dir=out/a run.paths=1e6           more paths, results in out/a; the same command resumes it
  undertow task=compare compare.runs=[out/a,out/b]                   what changes, with paired errors
  undertow -m scenario=baseline,plateau hydra/launcher=joblib        a sweep, jobs side by side
  undertow -m chips.life=4,6 credit.waiver=0.4,0.8 run.paths=16384   a grid; its page has the heat map
  undertow task=reproduce run=out/a              a run again from its folder: the same to the bit, or why not

Questions
  undertow task=policy                           six policy levers, alone and together, on the same paths
  undertow task=attribution                      what each mechanism adds, by running without it
  undertow task=greeks                           the sensitivity of the tail to every number, ranked by effect
  undertow task=reverse_stress target=140        the likeliest paths to a loss of 140 bn, quarter by quarter
  undertow task=replay replay.paths=worst:20     the worst paths month by month: who falls when, how, and why
  undertow experiment=best_terms                 the advance and margin that pay a lender best within a limit
  undertow task=calibrate                        growth, rents and default intercepts from the book's history
  undertow task=network_ensemble                 the error from not knowing who holds what
  undertow task=band                             how sure ES 99% is: simulation, parameters, holders

Your own loans
  undertow task=import tape=loans.xlsx           your own spreadsheet of loans, laid over the shipped book
  undertow book=own book.path=my_book/           your own book, a folder of CSV files or an .xlsx
  undertow task=template template.dir=my_book    an empty and a worked book to start from

Tasks (task=name):
"""

GROUPS = "Groups (group=option):"

FOOT = """
Any single number: group.key=value. `undertow --cfg job` shows every key and its value; a key that the task
does not read is refused. Keys complete at TAB after: eval "$(undertow -sc install=bash)"
Exit codes: 0 done, 2 bad input, 3 interrupted, 4 finished but unreliable,
5 another process of the run was lost, 1 anything else.
Start with docs/getting-started.md; run folder, sweeps and environment variables: docs/operations.md"""


def text(tasks: Mapping[str, str]) -> str:
    """The help: examples, one line for each task, groups with their options."""
    jobs = [f"  {name:<17} {line}" for name, line in tasks.items()]
    groups = [f"  {group:<17} {', '.join(names)}" for group, names in options().items()]
    return HEAD + "\n".join([*jobs, "", GROUPS, *groups]) + "\n" + FOOT


def options() -> dict[str, list[str]]:
    """Options of every configuration group, from the packaged files."""
    root = importlib.resources.files("conf")
    folders = sorted(
        (entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("_")),
        key=lambda entry: entry.name,
    )
    return {
        folder.name: sorted(file.name[:-5] for file in folder.iterdir() if file.name.endswith(".yaml"))
        for folder in folders
    }
