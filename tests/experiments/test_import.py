"""`undertow task=import`: from a spreadsheet to a book that runs, or to the questions in between."""

import csv
import json
import pathlib
import shlex
import shutil

import pytest

from engine.book.load import load_book, shipped_book
from engine.book.writing import write_book
from tests import tapes

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cases" / "loan_tape" / "tape.xlsx"


def answer(file: pathlib.Path, answers: dict[str, str]) -> None:
    """Fill in the column `answer` for these items."""
    with open(file, newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    with open(file, "w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows([*row[:2], answers.get(row[1], row[2]), *row[3:]] for row in rows)


def read_rows(file: pathlib.Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with open(file, newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def loans(folder: pathlib.Path) -> dict[str, dict[str, str]]:
    """Rows of the book's own loans by id."""
    return {row["loan"]: row for row in read_rows(folder / "loans.csv")}


def test_the_bank_s_extract(undertow, tmp_path):
    """Thousands, basis points, days first, Moody's letters; the debt of two shipped borrowers grows."""
    tapes.bank(tmp_path)
    said = undertow("task=import", "tape=exposure.csv", "tape.lender=First Bank", "tape.lender_class=BANK")
    assert (said.code, said.err) == (0, "")
    own = loans(tmp_path / "exposure_book")
    assert [row["borrower"] for row in own.values()] == [
        "CRWV", "NORTHSTAR_COMPUTE", "NORTHSTAR_COMPUTE", "PINEWOOD_DATA_CENTER_CAM", "ORCL"
    ]  # fmt: skip
    assert [float(row["committed"]) for row in own.values()] == [0.2, 0.08, 0.025, 0.35, 0.05]
    assert [float(row["coupon"]) for row in own.values()] == [0.045, 0.0575, 0.0425, 0.025, 0.013]
    assert [int(row["maturity_month"]) for row in own.values()] == [45, 28, 27, 60, 66]
    assert own["F_1003"]["revolver"] == "1" and own["F_1004"]["class"] == "DATA_CENTRE_LOAN"
    assert "CoreWeave (CRWV): its debt grows from 22.422 to 22.622 USD bn" in said.out
    assert "row 10, a total: 'Sub-total" in said.out and "row 12, a note: '*** END OF REPORT ***'" in said.out
    assert said.out.rstrip().endswith(
        "undertow book.path=exposure_book run.paths=2048 report.focus=lender:FIRST_BANK"
    )
    hazards = {
        row["firm"]: float(row["hazard"]) for row in read_rows(tmp_path / "exposure_book" / "firms.csv")
    }
    assert hazards == {"NORTHSTAR_COMPUTE": 0.005, "PINEWOOD_DATA_CENTER_CAM": 0.0015}


def test_the_fund_administrator_s_schedule(undertow, tmp_path):
    """A cover, sections, sub-totals, thousands in the title, `SOFR + 6.25%`, no loan numbers, no chips."""
    tapes.fund(tmp_path)
    said = undertow("task=import", "tape=harbour.xlsx", "tape.dir=mine")
    assert (said.code, said.err) == (0, "")
    own = loans(tmp_path / "mine")
    assert list(own) == ["ROW_6", "ROW_7", "ROW_10"]
    assert [(row["committed"], row["drawn"]) for row in own.values()] == [
        ("0.06", "0.042"), ("0.0305", "0.0305"), ("0.015", "0.015")
    ]  # fmt: skip
    assert [(row["floating"], row["coupon"]) for row in own.values()] == [
        ("1", "0.0625"),
        ("1", "0.07"),
        ("", "0.095"),
    ]
    assert own["ROW_7"]["pik_share"] == "1" and own["ROW_6"]["draw_months"] == "12"
    left_out = [row["what"] for row in read_rows(tmp_path / "mine" / "tape" / "left_out.csv")]
    assert {"sheet 'Cover': no loans in it", "row 5, a note: 'First lien - GPU financing'"} <= set(left_out)
    assert {"column 'Cost': not read", "column 'Fair Value': not read"} <= set(left_out)
    assert sum("a total" in each for each in left_out) == 3


def test_the_list_in_euro_millions(undertow, tmp_path):
    """Commas for decimals, points in thousands, semicolons; nothing without a rate, twice at twice."""
    tapes.euro(tmp_path)
    said = undertow("task=import", "tape=kredite.csv")
    assert said.code == 2 and "tape_fx: amounts in EUR, expected USD for one EUR, as tape_fx=1.08" in said.err
    assert "1,250 m EUR" in said.err and {each.name for each in tmp_path.iterdir()} == {"kredite.csv"}
    assert undertow("task=import", "tape=kredite.csv", "tape_fx=1.08").code == 0
    own = loans(tmp_path / "kredite_book")
    assert [float(row["committed"]) for row in own.values()] == pytest.approx(
        [0.0455 * 1.08, 1.25 * 1.08, 0.06 * 1.08]
    )
    assert float(own["E_1"]["drawn"]) == pytest.approx(0.03025 * 1.08)
    pledges = read_rows(tmp_path / "kredite_book" / "pledges.csv")
    assert [(row["generation"], row["thousand_units"]) for row in pledges] == [
        ("H200", "1.5"),
        ("H100", "2.4"),
    ]
    assert undertow("task=import", "tape=kredite.csv", "tape_fx=2.16", "tape.dir=twice").code == 0
    twice = loans(tmp_path / "twice")
    assert float(twice["E_2"]["drawn"]) == pytest.approx(2 * float(own["E_2"]["drawn"]))


@pytest.mark.skipif(not SHARED.is_file(), reason="needs ../shared/cases/loan_tape beside the repository")
def test_the_first_case(undertow, tmp_path):
    """Asks for what is not clear, shows what it read, and understands every cell once it is answered."""
    shutil.copyfile(SHARED, tmp_path / "tape.xlsx")
    said = undertow("task=import", "tape=tape.xlsx")
    assert said.code == 2 and "2 problems in the input, nothing was run" in said.err
    assert "Columns and their units" in said.err and "Left out" in said.err and "above the header" in said.err
    assert "cell D10: NG-007, Commitment (USD): '(300,000,000)' is not read" in said.err
    assert "firm Lambda Peak: 'Lambda Peak' is like Lambda (LAMB)" in said.err
    assert "S+650" in said.err and "floating, 6.5% over the reference rate" in said.err
    mapping = tmp_path / "tape.mapping.csv"
    assert {each.name for each in tmp_path.iterdir()} == {"tape.xlsx", mapping.name}
    answer(mapping, {"D10": "300,000,000", "Lambda Peak": "new"})
    said = undertow("task=import", "tape=tape.xlsx")
    assert (said.code, said.err) == (0, "")
    assert "row 18, a total: 'Total" in said.out and "row 1, above the header: 'Northgate" in said.out
    understood = read_rows(tmp_path / "tape_book" / "tape" / "understood.csv")
    read = {(row["cell"], row["as it stood"]): row["value as read"] for row in understood}
    assert read["D4", "$250,000,000"] == "250 m USD"
    assert (read["G6", "06/30/2028"], read["G15", "30/06/27"]) == ("30 Jun 2028", "30 Jun 2027")
    assert (read["G9", "Dec-27"], read["G8", "Q3 2028"]) == ("31 Dec 2027", "30 Sep 2028")
    assert read["H9", "n/a"] == "nothing" and read["J5", "5,120"] == "5,120"
    own = loans(tmp_path / "tape_book")
    assert len(own) == 12 and sum(float(row["committed"]) for row in own.values()) == pytest.approx(1.625)
    assert sum(float(row["drawn"]) for row in own.values()) == pytest.approx(1.3235)
    assert own["NG_001"]["borrower"] == own["NG_010"]["borrower"] == "ALPHA_CLOUD"
    book = load_book(tmp_path / "tape_book")
    assert len(book["loans"]) == len(load_book(shipped_book())["loans"]) + 12
    assert "loans NG_003, column ltv_target: 0.7, but USD 0.12 bn drawn on chips worth 0.0252" in " ".join(
        book.warnings
    )
    assert "loans NG_003, column ltv_target" in said.out


PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "your-own-book.md"


def blocks() -> list[list[str]]:
    """Indented blocks of the page; a blank line ends one."""
    found: list[list[str]] = [[]]
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[-1].append(line[4:])
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def test_the_walk_through(undertow, tmp_path):
    """Every import of the page in order, with its files; what the page shows is what the command says.

    Of the run, which takes minutes, the book is loaded; the test below runs one.
    """
    said, commands, codes = None, [], []
    for block in blocks():
        first = block[0]
        if first.startswith("Harbour Credit Fund"):
            (tmp_path / "loans.csv").write_text("\n".join(block) + "\n", encoding="utf-8")
        elif first == "about,item,answer":
            answer(
                tmp_path / "loans.mapping.csv", {row.split(",")[1]: row.split(",")[2] for row in block[1:]}
            )
        elif first.startswith("loan,"):
            with open(tmp_path / "loans.mapping.csv", "a", encoding="utf-8") as file:
                file.write("\n".join(block) + "\n")
        elif first.startswith("undertow "):
            [command] = block
            commands.append(command)
            if "task=import" in command:
                said = undertow(*shlex.split(command)[1:])
                codes.append(said.code)
            elif "book.path=" in command:
                folder = command.partition("book.path=")[2].split()[0]
                assert (
                    said.out.rstrip().endswith(command) and len(load_book(tmp_path / folder)["loans"]) == 118
                )
        else:
            shown = {line.strip() for line in (said.out + said.err).splitlines()}
            assert [line for line in block if line.strip() not in shown] == []
    assert codes == [2, 0, 0, 0] and len(commands) == 6


TAPE = "Loan,Borrower,Facility,Commitment,Drawn,Margin,Maturity\n1,Alder,Term loan,$100m,$90m,5%,2029-06-30\n"


def write(tmp_path, text=TAPE):
    (tmp_path / "loans.csv").write_text(text, encoding="utf-8")


def test_what_is_wrong_with_the_command_is_said(undertow, tmp_path):
    write(tmp_path)
    cases = {
        ("tape=none.xlsx",): "tape: got 'none.xlsx', expected an .xlsx or .csv file that exists",
        (): "tape: got None, expected a spreadsheet of loans, as in tape=loans.xlsx",
        ("tape=loans.csv", "tape_fx=-1"): "tape.fx: got -1.0, expected a number above 0",
        ("tape=loans.csv", "tape_fx=1.08"): "tape_fx: got 1.08, expected none: every amount",
        ("tape=loans.csv", "tape.lender_class=FUND"): "tape.lender_class: got 'FUND', expected one of",
        ("tape=loans.csv", "tape.capital=0"): "tape.capital: got 0.0, expected a number above 0",
        ("tape=loans.csv", "tape.mapping=x.csv"): "tape.mapping: got 'x.csv', expected a file that exists",
        ("tape=loans.csv", "book.path=."): "book.path: got '.', expected no path",
        ("tape=loans.csv", "tape.dir=loans.csv"): "tape.dir: got 'loans.csv', expected a folder",
    }  # fmt: skip
    for arguments, words in cases.items():
        said = undertow("task=import", *arguments)
        assert said.code == 2 and words in said.err, said.err
    assert {each.name for each in tmp_path.iterdir()} == {"loans.csv"}


def test_a_folder_is_not_written_over_unless_asked_and_an_import(undertow, tmp_path):
    write(tmp_path)
    assert undertow("task=import", "tape=loans.csv").code == 0
    said = undertow("task=import", "tape=loans.csv")
    assert said.code == 2 and "tape.replace=true" in said.err
    write(tmp_path, TAPE.replace("$90m", "$80m"))
    assert undertow("task=import", "tape=loans.csv", "tape.replace=true").code == 0
    assert loans(tmp_path / "loans_book")["1"]["drawn"] == "0.08"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("x")
    said = undertow("task=import", "tape=loans.csv", "tape.dir=other", "tape.replace=true")
    assert said.code == 2 and (tmp_path / "other" / "thesis.txt").exists()


def test_a_book_that_does_not_pass_its_checks_leaves_nothing(undertow, tmp_path):
    """More chips than are installed: the book's own check refuses, in words, and no folder is left."""
    head, row = TAPE.splitlines()
    write(tmp_path, f"{head},GPU type,GPU count\n{row},H100,900000000\n")
    said = undertow("task=import", "tape=loans.csv")
    assert said.code == 2 and "expected at most the 2600 thousand H100 installed" in said.err
    assert {each.name for each in tmp_path.iterdir()} == {"loans.csv"}


def test_text_that_would_be_a_formula_is_none(undertow, tmp_path):
    write(tmp_path, TAPE.replace("Alder", '"=HYPERLINK(""http://x"")"'))
    assert undertow("task=import", "tape=loans.csv").code == 0
    for file in (tmp_path / "loans_book").rglob("*.csv"):
        assert not any(cell.startswith("=") for row in read_rows(file) for cell in row.values() if cell), file


def test_a_tape_over_the_worked_book_runs_to_a_report(undertow, tmp_path):
    """The command that the import prints, on the smallest book: the report has its borrowers."""
    head, row = TAPE.splitlines()
    write(
        tmp_path, f"{head},GPU type,GPU count\n{row},OLD,5000\n2,GPU cloud,Notes,$50m,$50m,9%,2030-12-31,,\n"
    )
    said = undertow("task=import", "tape=loans.csv", "book.name=worked_small", "tape.lender=Harbour Fund")
    assert said.code == 0, said.err
    assert "GPU cloud (CLOUD): its debt grows from 4.000 to 4.050 USD bn" in said.out
    command = said.out.rstrip().splitlines()[-1].split()
    assert command[:2] == ["undertow", "book.path=loans_book"]
    assert command[3] == "report.focus=lender:HARBOUR_FUND"
    small = ("run.paths=512", "run.block=512", "run.months=12", "report.anatomy=false")
    said = undertow(command[1], *small, "run.dir=run", command[3])
    assert said.code in (0, 4), said.err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "<h1>Harbour Fund: " in page and "Alder 1 (1) · Alder" not in page and "Sheets of its" in page
    assert "Alder" in page and "The lender with the largest tail loss" in page
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert any("lies over worked_small" in each for each in summary["book_repairs"])
    whole = write_book(load_book(tmp_path / "loans_book"), tmp_path / "whole")
    assert load_book(whole).hash == summary["book_hash"]
