"""What a tape does not have: every number that is assumed, with unit, grade, reason; kinds of facility.

The numbers are those of the shipped book's rows without names (docs/population.md), grade C like them.
"""

import dataclasses
import re
from collections.abc import Iterator

from engine.book.tape.values import plain


@dataclasses.dataclass(frozen=True)
class Default:
    """A number that stands for one that the tape does not give."""

    value: float
    unit: str
    why: str
    grade: str = "C"


DEFAULTS = {
    "margin": Default(0.06, "1/yr", "margin over the short rate; middle of private loans against chips"),
    "maturity": Default(48, "months", "final maturity; middle of five-year terms of which a year is gone"),
    "ltv": Default(0.65, "1", "documented LTV of a loan against chips; middle of 55 to 75%"),
    "chips_per_debt": Default(0.8, "1", "chips at list price per dollar committed, where none are counted"),
    "cover": Default(0.65, "1", "share of pledged capacity that a named off-taker has under contract"),
    "contract_months": Default(42, "months", "that a contract still runs, at least as long as the loan"),
    "contract_margin": Default(0.7, "1", "seller's cash margin of a compute contract"),
    "contract_relet": Default(0.3, "1", "of lost contract income that is recovered at market"),
    "flexibility": Default(0.5, "1", "of an AI developer's contract: falls with AI revenue below plan"),
    "coverage": Default(1.3, "x", "DSCR at today's rents to which repayment is cut"),
    "amortisation": Default(0.2, "1/yr", "most that a loan against chips repays a year, of the peak balance"),
    "short_rate": Default(0.037, "1/yr", "short rate in that DSCR and in all-in rates: economy.rate", "B"),
    "recovery_chips": Default(0.1, "1", "recovery beside the chips of a loan against chips"),
    "recovery_project": Default(0.62, "1", "recovery of a data-centre project loan before stress"),
    "recovery_corporate": Default(0.4, "1", "recovery of a loan without chips before stress"),
    "pik": Default(0.25, "1", "of interest that may be added to a loan against chips"),
    "draw_months": Default(12, "months", "over which what is undrawn of a term loan is drawn"),
    "project_yield": Default(0.0885, "1/yr", "rent of a site over its debt; middle of what banks finance"),
    "lease_margin": Default(0.95, "1", "of rent that a site keeps"),
    "leverage": Default(5.0, "x", "debt over EBITDA of a borrower whose loan has neither chips nor a site"),
    "cash": Default(0.055, "1", "cash over debt: about six months of interest, kept as a reserve"),
    "equity": Default(0.55, "1", "value of the owners' stake over debt, of a borrower with chips or none"),
    "owner": Default(0.02, "1/yr", "of debt, that an owner would pay in"),
    "hazard": Default(0.005, "1/yr", "residual default intensity without a rating: that of a cloud rated B"),
    "hazard_site": Default(0.0015, "1/yr", "residual default intensity of a site without a rating"),
    "capital": Default(1.0, "1", "lender's capital over its commitments; 0.1 for a bank or an insurer"),
}  # fmt: skip
"""Every default by name."""

HAZARDS = {
    "AAA": 1.25e-5, "AA+": 2.5e-5, "AA": 2.5e-5, "AA-": 3.75e-5, "A+": 7.5e-5, "A": 1.25e-4, "A-": 2e-4,
    "BBB+": 3e-4, "BBB": 5.25e-4, "BBB-": 7.5e-4, "BB+": 1.5e-3, "BB": 2.2e-3, "BB-": 3e-3, "B+": 3.75e-3,
    "B": 5e-3, "B-": 6.5e-3, "CCC+": 0.02, "CCC": 0.04, "CCC-": 0.07, "CC": 0.15, "C": 0.25,
}  # fmt: skip
"""Residual default intensity a year by rating (1/yr, grade C): the shipped book's rows where it has one."""

MOODYS = dict(zip(
    "AAA AA1 AA2 AA3 A1 A2 A3 BAA1 BAA2 BAA3 BA1 BA2 BA3 B1 B2 B3 CAA1 CAA2 CAA3 CA C".split(), HAZARDS,
    strict=True,
))  # fmt: skip
"""Ratings in Moody's letters."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of facility: its neutral class, the class in words, and the words of a tape that mean it."""

    word: str
    id: str
    name: str
    pattern: str


KINDS = {each.word: each for each in (
    Kind("revolver", "REVOLVING_LOAN", "Revolving loan", r"revolv|\brcf\b|\brc\b|working capital|overdraft"),
    Kind("lease", "EQUIPMENT_LEASE", "Equipment lease", r"lease|equipment"),
    Kind("project", "DATA_CENTRE_LOAN", "Data-centre project loan",
         r"construct|project|data[ -]?cent|campus|mini[ -]?perm|development|site"),
    Kind("gpu", "GPU_TERM_LOAN", "GPU term loan",
         r"ddtl|delayed|gpu|chip|accelerator|asset[ -]based|\babl\b"),
    Kind("corporate", "CORPORATE_LOAN", "Corporate loan or bond",
         r"bond|note|unsecured|corporate|convert|mezz|second lien|subordinated|holdco"),
)}  # fmt: skip
"""Kinds by the word that answers a question."""

TERM = re.compile(r"term|loan|\btl[abc]?\b|facility|unitranche|senior|lien|tranche|secured", re.IGNORECASE)
"""A loan of either kind: against chips where the row has some."""


def kind_of(facility: str, chips: bool) -> Kind | None:
    """The kind of a facility by its words and whether the row has chips; None where the words say none."""
    for kind in KINDS.values():
        if re.search(kind.pattern, plain(facility)):
            return kind
    if not facility or TERM.search(facility):
        return KINDS["gpu" if chips else "corporate"]
    return None


def hazard_of(rating: str) -> float | None:
    """Residual default intensity of a rating in S&P's or Moody's letters; None for any other text.

    >>> hazard_of("bb-"), hazard_of("Ba3"), hazard_of("NR")
    (0.003, 0.003, None)
    """
    letters = rating.strip().upper().replace(" ", "").removesuffix("(SF)")
    return HAZARDS.get(MOODYS.get(letters, letters))


def assumptions() -> Iterator[tuple[str, float, str, str, str]]:
    """Every default as a row: name, value, unit, grade, reason."""
    for name, each in DEFAULTS.items():
        yield name, each.value, each.unit, each.grade, each.why
    for rating, hazard in HAZARDS.items():
        why = "residual default intensity by rating, as the shipped book's rows"
        yield f"hazard {rating}", hazard, "1/yr", "C", why


def value(name: str) -> float:
    """The value of a default."""
    return DEFAULTS[name].value
