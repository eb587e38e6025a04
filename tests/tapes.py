"""Three tapes as lenders have them: a bank's, a fund administrator's, one in EUR millions."""

import datetime
import pathlib

import openpyxl

BANK = """\
Credit Exposure Extract - Technology Infrastructure,,,,,,,,,,,,
Run date: 02-Jan-2026,As of 31-Dec-2025,,,,,,,,,,,
,,,,,,,,,,,,
Facility No,Obligor Name,Product Type,Ccy,Limit (USD 000s),Utilisation (USD 000s),Spread (bps),Maturity Dt,Int. Rating,Collateral Type,Collateral Units,LTV (%),Secured?
F-1001,CoreWeave Inc,DDTL,USD,"200,000","150,000",450,30/09/2029,Ba3,NVIDIA GB200 NVL72,"3,600",60,Y
F-1002,"NORTHSTAR COMPUTE, LLC",Term Loan A,USD,"80,000","80,000",575,03/04/2028,B2,H100 SXM5 80GB,"2,800",65,Y
F-1003,Northstar Compute LLC,Revolving Credit,USD,"25,000","5,000",425,15/03/2028,B2,n/a,,,N
F-1004,Pinewood Data Center Campus LP,Construction Loan,USD,"350,000","120,000",250,31/12/2030,Ba1,Land and buildings,,55,N
F-1005,Oracle Corporation,Senior Unsecured Notes,USD,"50,000","50,000",130,30/06/2031,Baa2,,,,N
Sub-total,,,,"705,000","405,000",,,,,,,
Grand Total,,,,"705,000","405,000",,,,,,,
*** END OF REPORT ***,,,,,,,,,,,,
"""  # noqa: E501 - a line of the export is a row
"""A bank's extract: thousands, basis points, days first, Moody's letters, sub-totals and a footer."""

EURO = """\
Kreditportfolio;;;;;;;;
Beträge in EUR Mio, Stand 31.12.2025;;;;;;;;
Loan ID;Borrower;Facility type;Commitment;Outstanding;Margin;Maturity;LTV;GPU type;GPU count
E-1;Rheincloud GmbH;DDTL;45,5;30,25;E+625;31.12.2029;62,5%;H200;1.500
E-2;Nordlicht Rechenzentrum AG;Projektfinanzierung / project loan;1.250,0;400;2,75%;30.06.2031;;;
E-3;Nebius Group N.V.;Term loan;60;60;6,00%;31.03.2028;70%;H100;2.400
Summe;;;1.355,5;490,25;;;;;
"""
"""A lender's list in EUR millions, with commas for decimals and semicolons between cells."""


def bank(folder: pathlib.Path) -> pathlib.Path:
    """The bank's extract as CSV."""
    path = folder / "exposure.csv"
    path.write_text(BANK, encoding="utf-8")
    return path


def euro(folder: pathlib.Path) -> pathlib.Path:
    """The list in EUR millions as CSV."""
    path = folder / "kredite.csv"
    path.write_text(EURO, encoding="utf-8")
    return path


def fund(folder: pathlib.Path) -> pathlib.Path:
    """A fund administrator's workbook: a cover, a schedule with sections and sub-totals, and notes."""
    workbook = openpyxl.Workbook()
    cover = workbook.active
    cover.title = "Cover"
    cover.append(["Harbour Private Credit Fund II LP"])
    cover.append(["Schedule of investments as of December 31, 2025"])
    sheet = workbook.create_sheet("Schedule of Investments")
    day = datetime.datetime
    rows = [
        ["Harbour Private Credit Fund II LP", *[None] * 8],
        ["Schedule of Investments as of December 31, 2025 ($ in thousands)", *[None] * 8],
        [],
        ["Portfolio Company", "Investment Type", "Interest Rate", "Maturity Date", "Par Amount",
         "Unfunded Commitment", "Cost", "Fair Value", "PIK?"],
        ["First lien - GPU financing", *[None] * 8],
        ["Alder Compute Holdings, LLC", "First lien DDTL (GPU)", "SOFR + 6.25%", day(2029, 6, 30), 42000,
         18000, 41500, 42000, "N"],
        ["Birch AI Cloud Inc.", "First lien term loan (GPU)", "S+700, 1.00% floor", day(2028, 12, 15), 30500,
         0, 30100, 29800, "Y"],
        ["Total first lien - GPU financing", None, None, None, 72500, 18000, 71600, 71800, None],
        ["Unsecured notes", *[None] * 8],
        ["Cedar Digital Infrastructure plc", "Senior notes", "9.50% fixed", day(2030, 3, 31), 15000, None,
         14900, 15050, "N"],
        ["Total unsecured notes", None, None, None, 15000, None, 14900, 15050, None],
        ["Total investments", None, None, None, "=SUM(E6:E7,E10)", 18000, 86500, 86850, None],
    ]  # fmt: skip
    for row in rows:
        sheet.append(row)
    notes = workbook.create_sheet("Notes")
    notes.append(["1. Fair value is determined in good faith by the adviser."])
    path = folder / "harbour.xlsx"
    workbook.save(path)
    return path
