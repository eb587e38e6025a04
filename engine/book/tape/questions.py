"""What only the lender can say, in a small CSV file beside the tape: questions to it, answers from it.

    about,item,answer,expected,why
    cell,D10,,an amount of at least 0,"NG-007, Commitment: '(300,000,000)' is negative"

Someone fills in the column `answer` and repeats the command; rows may be added that were not asked for.
"""

import dataclasses
import pathlib
from collections.abc import Iterable, Mapping

from engine.book.checks.problems import BookError, Problem
from engine.book.sheets import Sheet, read_csv
from engine.files import write_csv

HEADER = ("about", "item", "answer", "expected", "why")

LONGEST = 150
"""Letters of what is expected that a message shows; the file has the whole."""

SUBJECTS = {
    "sheet": "which sheet has the loans",
    "header row": "the line of the header",
    "column": "what a column is: a field, or ignore",
    "unit": "unit of a column's amounts, as USD m, or of its rates: decimal, % or bp",
    "currency": "of all amounts",
    "date order": "of a column: day first or month first",
    "cell": "what a cell should say, as D10",
    "row": "what a line is: loan, or leave out",
    "firm": "which firm a name is: an id of the book below, new, none, or same as another borrower",
    "class": "which class a kind of facility is",
    "chip": "which generation a chip is: an id of the book below, or none",
    "loan": "which shipped loan a loan is part of: it is taken out there",
}
"""What a row of the file may be about."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One row of the file. `proposal` stands in `answer` until somebody changes it."""

    about: str
    item: str
    why: str
    expected: str
    proposal: str = ""

    def __str__(self) -> str:
        proposal = f" (proposed: {self.proposal})" if self.proposal else ""
        short = (
            self.expected if len(self.expected) <= LONGEST else "a field of the list in the file, or ignore"
        )
        return f"{self.about} {self.item}: {self.why}; expected {short}{proposal}"


class Unsettled(Exception):
    """A tape that cannot be read yet: `questions` have answers in the file, `problems` in the tape only."""

    def __init__(self, questions: Iterable[Question] = (), problems: Iterable[str] = ()) -> None:
        self.questions, self.problems = tuple(questions), tuple(problems)
        super().__init__("; ".join([*self.problems, *map(str, self.questions)]))


class Answers(dict[tuple[str, str], str]):
    """Answers by (about, item); items are compared without regard to case."""

    def of(self, about: str, item: object) -> str:
        """The answer, blank without one."""
        return self.get((about, str(item).strip().lower()), "")


def read_answers(file: pathlib.Path) -> tuple[Answers, list[tuple[str, ...]]]:
    """The answers of a file and its rows, none where there is no file; raises `BookError`."""
    if not file.exists():
        return Answers(), []
    sheet = read_csv(file)
    if isinstance(sheet, Problem):
        raise BookError([sheet])
    problems = header_problems(sheet)
    if problems:
        raise BookError(problems)
    place = [sheet.header.index(name) if name in sheet.header else len(sheet.header) for name in HEADER]
    answers, rows = Answers(), []
    for line, cells in sheet.rows:
        row = tuple((cells[i] if i < len(cells) else "").removeprefix("'") for i in place)
        about, item, answer = row[0].lower(), row[1].strip(), row[2].strip()
        if about not in SUBJECTS:
            problems.append(Problem(file.name, line, "about", row[0], f"one of {', '.join(SUBJECTS)}"))
        elif answer and answers.get((about, item.lower()), answer) != answer:
            problems.append(Problem(file.name, line, "item", item, "one answer to each question"))
        elif answer:
            answers[about, item.lower()] = answer
        rows.append(row)
    if problems:
        raise BookError(problems)
    return answers, rows


def header_problems(sheet: Sheet) -> list[Problem]:
    """Columns without which the file says nothing."""
    return [
        Problem(sheet.label, 1, name, "", "this column, which is missing")
        for name in HEADER[:3]
        if name not in sheet.header
    ]


def write_questions(
    file: pathlib.Path, rows: Iterable[tuple[str, ...]], questions: Iterable[Question]
) -> None:
    """The rows that are in the file already and a row for each new question, the file whole."""
    known: Mapping[tuple[str, str], int] = {(row[0].lower(), row[1].lower()): 1 for row in rows}
    asked = {(each.about, each.item.lower()): each for each in questions}
    old = [
        (*row[:3], asked[key].expected, asked[key].why)
        if (key := (row[0].lower(), row[1].lower())) in asked
        else row
        for row in rows
    ]
    new = [
        (each.about, each.item, each.proposal, each.expected, each.why)
        for key, each in asked.items()
        if key not in known
    ]
    write_csv(file, HEADER, [*old, *new])
