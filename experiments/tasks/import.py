"""A lender's own spreadsheet of loans, read and laid over a shipped book: import, then run."""

import dataclasses
import os
import pathlib
from typing import Any

from engine.book.checks.problems import expected
from experiments.config.bad_input import BadInput
from experiments.config.checks import folder_problems, number
from experiments.config.overrides import at_home
from experiments.config.schema import Config
from experiments.context import Context
from experiments.session.run_folder import refuse_unwritable

RUN_FOLDER = False
GROUP = "tape"
READ = {"book": None}


@dataclasses.dataclass
class Options:
    """Options of `task=import`: the spreadsheet, whose it is, and where its book goes."""

    file: str | None = None  # .xlsx or .csv; tape=loans.xlsx for short
    dir: str | None = None  # folder of the book; null: FILE_book in the current folder
    mapping: str | None = None  # answers to what the file does not say; null: FILE.mapping.csv beside it
    fx: float | None = None  # USD for one unit of the tape's currency; tape_fx=1.08 for short
    lender: str | None = None  # whose loans these are; null: "Lender of FILE"
    lender_class: str = "PRIVATE_CREDIT"  # holder class of the lender
    capital: float | None = None  # USD bn that absorb the lender's losses; null: from its loans
    replace: bool = False  # write over the folder of an earlier import


def problems(config: Config, options: Options) -> list[str]:
    """A file that is not there, a rate or capital that is none, a class that no holder has."""
    from engine.book.tables import LENDER_CLASSES

    options.file, options.dir, options.mapping = (
        at_home(each) for each in (options.file, options.dir, options.mapping)
    )
    if not options.file:
        return [expected("tape", options.file, "a spreadsheet of loans, as in tape=loans.xlsx")]
    file = pathlib.Path(options.file)
    found = [] if file.is_file() else [expected("tape", options.file, "an .xlsx or .csv file that exists")]
    for key in ("fx", "capital"):
        value = getattr(options, key)
        if value is not None and not 0.0 < (number(value) or 0.0) < 1e6:
            found.append(expected(f"tape.{key}", value, "a number above 0"))
    if options.lender_class not in LENDER_CLASSES:
        found.append(
            expected("tape.lender_class", options.lender_class, f"one of {', '.join(LENDER_CLASSES)}")
        )
    if options.mapping and not os.path.isfile(options.mapping):
        found.append(expected("tape.mapping", options.mapping, "a file that exists"))
    if config.book.path is not None or not config.book.name:
        found.append(
            expected("book.path", config.book.path, "no path: a tape lies over a shipped book, by name")
        )
    options.dir = options.dir or f"{file.stem}_book"
    return found + folder_problems("tape.dir", options.dir, needed=True) + folder_in_use(options)


def folder_in_use(options: Options) -> list[str]:
    """A folder that something else is in, or an earlier import that may not be written over."""
    from engine.book.tape.folder import is_import

    folder = pathlib.Path(options.dir or "")
    if not folder.is_dir() or not any(folder.iterdir()) or (options.replace and is_import(folder)):
        return []
    hint = ", or tape.replace=true to write over that import" if is_import(folder) else ""
    return [expected("tape.dir", options.dir, f"a folder that does not exist yet{hint}")]


def model(context: Context) -> dict[str, Any]:
    """The tape as read and as rows of a book; raises `BadInput`, with a file of questions where some help."""
    from engine.book.checks.problems import BookError
    from engine.book.tape.questions import Unsettled, read_answers, write_questions
    from experiments.session.output import say

    options = context.options
    refuse_unwritable(pathlib.Path(options.dir), "tape.dir")
    file = pathlib.Path(options.file)
    mapping = pathlib.Path(options.mapping or file.with_name(f"{file.stem}.mapping.csv"))
    read: dict[str, Any] = {"mapping": mapping, "tape": None}
    rows: list[tuple[str, ...]] = []
    try:
        answers, rows = read_answers(mapping)
        understand(context, read, answers)
    except BookError as error:
        raise BadInput(str(each) for each in error.problems) from None
    except Unsettled as error:
        if read["tape"] is not None:
            from engine.report.tape import draft

            say(draft(read["tape"]))
        if error.questions:
            try:
                write_questions(mapping, rows, error.questions)
            except OSError as failure:
                kind = (
                    f"a file that can be written ({failure.strerror}), for {len(error.questions)} questions"
                )
                raise BadInput([expected("tape.mapping", str(mapping), kind)]) from None
        raise BadInput(asked(error, mapping)) from None
    return read


def understand(context: Context, read: dict[str, Any], answers: Any) -> None:
    """Read the tape into `read`, as far as it goes: tape, positions, overlay."""
    from engine.book.load import load_book, shipped_book
    from engine.book.tape.book import Lender, overlay_of
    from engine.book.tape.grid import grids_of
    from engine.book.tape.layout import layout_of
    from engine.book.tape.positions import positions_of
    from engine.book.tape.questions import Unsettled
    from engine.book.tape.rows import Unread, read_lines
    from experiments.shipped_book.aliases import ALIASES

    options, name = context.options, context.experiment.book.name or ""
    file = pathlib.Path(options.file)
    try:
        below = load_book(shipped_book(name))
    except ValueError as error:
        raise BadInput([f"book.name: {error}"]) from None
    pending: Any = Unsettled()
    try:
        tape = read["tape"] = read_lines(layout_of(grids_of(file), answers), answers)
    except Unread as error:
        tape, pending = error.tape, error
        read["tape"] = tape
    currencies = {reading.currency for line in tape.lines for reading in line.readings.values()} - {"", "USD"}
    if len(currencies) > 1:
        raise Unsettled(problems=[expected("tape", ", ".join(sorted(currencies)), "one currency beside USD")])
    if options.fx is not None and not currencies:
        raise Unsettled(
            problems=[expected("tape_fx", options.fx, "none: every amount of the tape is in USD")]
        )
    rates = {"USD": 1.0} | (dict.fromkeys(currencies, options.fx) if options.fx else {})
    try:
        positions = positions_of(tape, below.tables, ALIASES.get(name, {}), answers, rates)
    except Unsettled as error:
        raise both(pending, error) from None
    if pending.questions or pending.problems:
        raise pending
    lender = Lender(options.lender or f"Lender of {file.stem}", options.lender_class, options.capital)
    overlay = overlay_of(positions, below.tables, name, f"{lender.name}, over {name}", lender)
    if overlay.problems:
        raise Unsettled(problems=overlay.problems)
    read |= {"below": below, "positions": positions, "overlay": overlay, "lender": lender}


def both(pending: Any, error: Any) -> Any:
    """What must be asked of cells and of names, at once; of a row that is half read only its names."""
    from engine.book.tape.questions import Unsettled

    if not (pending.questions or pending.problems):
        return error
    named = [each for each in error.questions if each.about in ("firm", "class", "chip")]
    return Unsettled([*pending.questions, *named], pending.problems)


def asked(error: Any, mapping: pathlib.Path) -> list[str]:
    """The problems, then the questions, then where the answers go."""
    lines = [*error.problems, *map(str, error.questions)]
    if error.questions:
        lines[-1] += f"\nfill in or change the column `answer` of {mapping}, then repeat the command"
    return lines


def results(context: Context, model: dict[str, Any]) -> dict[str, Any]:
    """Write the book and what was understood; raises `BadInput` where the book does not pass its checks."""
    from engine.book.checks.problems import BookError, sentences
    from engine.book.tape.folder import write_folder

    folder = pathlib.Path(context.options.dir)
    try:
        written = write_folder(folder, model["overlay"], model["tape"], model["positions"])
    except BookError as error:
        raise BadInput(
            f"the book of {context.options.file}: {line}" for line in sentences(error.problems)
        ) from None
    return {**model, "folder": folder, "book": written.book}


def show(context: Context, summary: dict[str, Any]) -> None:
    """What was understood, cell by cell; what was left out and assumed; the next command."""
    from engine.report.tape import page

    print(page(summary["tape"], summary["positions"], summary["overlay"], summary["below"], summary["book"]))
    print(f"\n{summary['folder']}/ is the book; {summary['folder']}/tape/ says what was understood\n")
    [lender] = summary["overlay"].rows["lenders"]
    command = f"undertow book.path={summary['folder']} run.paths=2048"
    print(f"{command} report.focus=lender:{lender['lender']}")
