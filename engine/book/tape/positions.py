"""Lines of a tape as loans in the book's units: USD bn, decimals, months from the book's date."""

import dataclasses
import datetime
import re
from collections.abc import Mapping, Sequence

from engine.book.about import last_month
from engine.book.frames import Tables
from engine.book.tape import names
from engine.book.tape.defaults import KINDS, Kind, hazard_of, kind_of, value
from engine.book.tape.questions import Answers, Question, Unsettled
from engine.book.tape.readers import FLOATS
from engine.book.tape.rows import Line, Tape
from engine.book.tape.values import nothing

DELAYED = re.compile(r"ddtl|delayed|capex|construct", re.IGNORECASE)
"""Facilities that are drawn over time."""

NO_LTV = "documented LTV of 65%"
NO_COUNT = "number of chips from what is committed"
"""What is assumed of a loan and decides more than its own cell."""

ROUNDING = 1e-6
"""Relative difference of two amounts that is none."""


@dataclasses.dataclass(frozen=True)
class Position:
    """One loan of the lender. `firm` is the id of its borrower below, "" for a new one named `borrower`.

    `assumed` are the names of the defaults that stand for what the tape does not say, in the words of a page.
    """

    line: int
    loan: str
    borrower: str
    firm: str
    kind: Kind
    facility: str
    committed: float  # USD bn
    drawn: float  # USD bn
    floating: bool
    coupon: float
    maturity_month: int
    amortisation: float | None
    pik: bool | None
    rating: str
    hazard: float | None
    chips: Mapping[str, float]  # thousand units by generation
    ltv: float
    buyer: str  # firm behind the contract, "" for none
    contract_annual: float | None  # USD bn
    contract_end: int
    guarantor: str
    part_of: str  # shipped loan out of which it is taken, "" for none
    assumed: tuple[str, ...]

    @property
    def draws(self) -> bool:
        """Whether what is undrawn will be drawn."""
        return self.committed > self.drawn * (1.0 + ROUNDING) and draws(self.kind, self.facility)


def draws(kind: Kind, facility: str) -> bool:
    """Whether a facility is drawn over time; what a plain term loan has undrawn was repaid."""
    return kind.word == "project" or bool(DELAYED.search(facility))


@dataclasses.dataclass
class Reader:
    """What every line is read against, and the questions that come up."""

    tape: Tape
    tables: Tables
    known: Mapping[str, str]
    answers: Answers
    rates: Mapping[str, float]  # USD for one unit of a currency
    questions: list[Question] = dataclasses.field(default_factory=list)
    problems: list[str] = dataclasses.field(default_factory=list)
    firms: dict[str, str] = dataclasses.field(default_factory=dict)  # ids by the names that have been read

    def firm(self, name: str) -> str:
        """Id of a firm of the book below, "" for none; near names are asked for."""
        if name not in self.firms:
            table = self.tables["firms"]
            known = dict(zip(table["firm"], table["name"], strict=True))
            firm = names.firm_of(name, self.known, known, self.answers)
            if isinstance(firm, Question):
                self.questions.append(firm)
                firm = ""
            self.firms[name] = firm
        return self.firms[name]

    def usd(self, line: Line, field: str) -> float | None:
        """An amount in USD bn, None where its cell is blank."""
        reading = line.readings.get(field)
        if reading is None:
            return None
        if reading.currency not in self.rates:
            name = reading.currency
            if not name:
                self.questions.append(
                    Question("currency", "all amounts", "nothing says the currency", "USD, EUR, ...")
                )
            else:
                self.problems.append(
                    f"tape_fx: amounts in {name}, expected USD for one {name}, as tape_fx=1.08"
                )
            return 0.0
        return reading.value * self.rates[reading.currency] / 1e9

    @property
    def without_currency(self) -> bool:
        """Whether some amount has no value because its currency, or the rate of it, is not known."""
        return bool(self.problems) or any(each.about == "currency" for each in self.questions)

    def month(self, day: datetime.date) -> int:
        """Months from the book's date to a day."""
        return 12 * day.year + day.month - last_month(self.tables["about"]["date"].iloc[0])

    def ask(self, line: Line, field: str, why: str, expected: str) -> None:
        """A question about the cell of a field."""
        reading = line.readings[field]
        name = line.value("loan", f"row {line.line}")
        text = f"{name}, {field}: {reading.written!r} {why}"
        self.questions.append(Question("cell", reading.cell, text, expected))


def positions_of(
    tape: Tape,
    tables: Tables,
    aliases: Mapping[str, str],
    answers: Answers,
    rates: Mapping[str, float],
) -> list[Position]:
    """Every loan of a tape; raises `Unsettled` with all that must be asked.

    tables: those of the book below; aliases: further names of its firms; rates: USD for one unit of each
    currency.
    """
    reader = Reader(tape, tables, names.known_names(tables["firms"], aliases), answers, rates)
    spelling, questions = names.same_borrowers(
        [line.value("borrower") for line in tape.lines], reader.known, answers
    )
    reader.questions += questions
    positions = [position(reader, line, spelling) for line in tape.lines]
    reader.problems += repeated(positions)
    if reader.questions or reader.problems:
        raise Unsettled(dict.fromkeys(reader.questions), dict.fromkeys(reader.problems))
    return positions


def repeated(positions: Sequence[Position]) -> list[str]:
    """Loan numbers that stand twice: a tape with a loan twice would lend it twice."""
    first: dict[str, int] = {}
    problems = []
    for each in positions:
        if first.setdefault(each.loan, each.line) != each.line:
            expected = f"each loan once (first in row {first[each.loan]})"
            problems.append(f"row {each.line}: got loan {each.loan!r} again, expected {expected}")
    return problems


def position(reader: Reader, line: Line, spelling: Mapping[str, str]) -> Position:
    """One line as a loan."""
    assumed: list[str] = []
    borrower = spelling[line.value("borrower")]
    committed, drawn = amounts(reader, line, assumed)
    kind = kind_of_line(reader, line)
    part = part_of_facility(reader, line, committed, assumed)
    chips = chips_of(reader, line, kind, committed, part, assumed)
    floating, coupon = rate_of(reader, line, assumed)
    maturity = maturity_of(reader, line, "maturity", assumed)
    if committed > drawn * (1.0 + ROUNDING) and kind.word != "revolver":
        drawn_later = draws(kind, line.value("facility", ""))
        assumed.append("undrawn part drawn in 12 months" if drawn_later else "undrawn part stays undrawn")
    rating = line.value("rating", "")
    hazard = hazard_of(rating)
    firm = reader.firm(borrower)
    if hazard is None and not firm:
        alike = "as of a site without a rating" if kind.word == "project" else "as of a cloud rated B"
        reason = f"{rating!r} is no rating" if rating else "no rating"
        assumed.append(f"default intensity {alike}: {reason}")
    buyer = offtaker(reader, line, assumed)
    if buyer and firm:
        assumed.append("off-taker not used: a shipped borrower has the contracts of the shipped book")
    elif buyer and not chips and kind.word != "project":
        assumed.append("off-taker not used: no chips are tested")
    elif chips and buyer and "contract_annual" not in line.readings:
        assumed.append("contract over 65% of capacity")
    if chips and "ltv" not in line.readings:
        assumed.append(NO_LTV)
    end = line.value("contract_end")
    ends = reader.month(end) if end else max(maturity, int(value("contract_months")))
    annual = reader.usd(line, "contract_annual")
    part_of = reader.answers.of("loan", line.value("loan", "")).upper()
    return Position(
        line=line.line, loan=line.value("loan", f"ROW-{line.line}"), borrower=borrower,
        firm=firm, kind=kind, facility=line.value("facility", ""),
        committed=committed, drawn=drawn, floating=floating, coupon=coupon, maturity_month=maturity,
        amortisation=line.value("amortisation", (None,))[0], pik=line.value("pik"), rating=rating,
        hazard=hazard, chips=chips, ltv=line.value("ltv", value("ltv")), buyer=buyer,
        contract_annual=None if annual is None else annual * part,
        contract_end=ends, guarantor=guarantor(reader, line, assumed),
        part_of=part_of, assumed=tuple(assumed),
    )  # fmt: skip


def amounts(reader: Reader, line: Line, assumed: list[str]) -> tuple[float, float]:
    """Committed and drawn, USD bn; one stands for the other where only one is given."""
    committed, drawn, undrawn = (reader.usd(line, field) for field in ("commitment", "drawn", "undrawn"))
    if committed is None and drawn is not None:
        committed = drawn + (undrawn or 0.0)
        if undrawn is None:
            assumed.append("commitment = drawn")
    if drawn is None and committed is not None:
        drawn = committed - (undrawn or 0.0)
        if undrawn is None:
            assumed.append("drawn = commitment")
    committed, drawn = committed or 0.0, drawn or 0.0
    if drawn > committed * (1.0 + ROUNDING):
        why = f"is less than what is drawn, {line.readings['drawn'].written!r}"
        reader.ask(line, "commitment" if "commitment" in line.readings else "drawn", why, "the right amount")
    elif committed <= 0.0 and not reader.without_currency:
        field = "commitment" if "commitment" in line.readings else "drawn"
        reader.ask(line, field, "is nothing lent", "an amount above 0, or `row` left out")
    return committed, min(drawn, committed)


def kind_of_line(reader: Reader, line: Line) -> Kind:
    """The kind of facility, as answered or by its words."""
    facility = line.value("facility", "")
    answer = reader.answers.of("class", facility).lower()
    if answer in KINDS:
        return KINDS[answer]
    chips = bool({"chip", "units"} & set(line.readings)) and line.value("secured", True)
    kind = kind_of(facility, bool(chips))
    if kind is None or answer:
        why = f"the kind of facility {facility!r} is not one that is known"
        reader.questions.append(Question("class", facility, why, ", ".join(KINDS)))
    return kind or KINDS["corporate"]


def part_of_facility(reader: Reader, line: Line, committed: float, assumed: list[str]) -> float:
    """The lender's part of the whole facility, 1 where it is silent; chips and contract scale with it."""
    size = reader.usd(line, "facility_size")
    if size is None or committed <= 0.0:
        return 1.0
    if size < committed * (1.0 - ROUNDING):
        reader.ask(line, "facility_size", "is less than the lender's part", "the whole facility")
        return 1.0
    part = committed / size
    if part < 1.0 - ROUNDING:
        assumed.append(f"chips and contract taken at the lender's {part:.0%} of the facility")
    return min(part, 1.0)


def chips_of(
    reader: Reader, line: Line, kind: Kind, committed: float, part: float, assumed: list[str]
) -> dict[str, float]:
    """Thousand pledged units by generation; empty where no chips are tested."""
    if kind.word not in ("gpu", "lease") or not line.value("secured", True):
        if {"chip", "units"} & set(line.readings):
            assumed.append(f"chips not tested: {kind.name.lower()}")
        return {}
    table = reader.tables["chips"]
    released = table[table["release_month"] <= 0]
    text = line.value("chip", "")
    generation = names.generation_of(text, list(table["generation"]), reader.answers) if text else ""
    if isinstance(generation, Question):
        reader.questions.append(generation)
        return {}
    if text and generation not in set(released["generation"]):
        assumed.append(f"chip {text!r} is not in the book: no chips tested, recovery assumed")
        return {}
    if not text:
        generation = reader.tables["about"]["benchmark"].iloc[0]
        assumed.append(f"chips taken as {generation}")
    units = line.value("units")
    if units is None:
        price = released.set_index("generation")["list_price_kusd"][generation]
        assumed.append(NO_COUNT)
        return {generation: value("chips_per_debt") * committed / price * 1e3}
    return {generation: units * part / 1e3} if units > 0 else {}


def rate_of(reader: Reader, line: Line, assumed: list[str]) -> tuple[bool, float]:
    """Whether the coupon floats, and the margin or fixed rate; of an all-in rate without the short rate."""
    field = next((each for each in ("margin", "coupon", "rate", "all_in") if each in line.readings), None)
    if field is None:
        assumed.append("margin of 6% over the short rate")
        return True, value("margin")
    rate, says = line.value(field)
    floating = says if says is not None else line.value("floating", FLOATS.get(field))
    if floating is None or (floating and says is None and field == "rate"):
        column = reader.tape.layout.column(field)
        why = "whether the rate floats, and has the reference rate in it, is not said"
        expected = (
            "margin (over the reference rate), coupon (fixed) or all_in (with a column that says which)"
        )
        reader.questions.append(Question("column", column.name if column else field, why, expected))
        return True, rate
    if not floating or says or field != "all_in":
        return bool(floating), rate
    assumed.append(f"margin: the all-in rate less a short rate of {value('short_rate'):.1%}")
    if rate < value("short_rate"):
        reader.ask(line, field, "is less than the short rate", "the rate with the reference rate in it")
    return True, max(rate - value("short_rate"), 0.0)


def maturity_of(reader: Reader, line: Line, field: str, assumed: list[str]) -> int:
    """Month of a date, counted from the book's; a loan that has matured is asked for."""
    day = line.value(field)
    if day is None:
        assumed.append("maturity in 48 months")
        return int(value("maturity"))
    month = reader.month(day)
    if month < 1:
        date = reader.tables["about"]["date"].iloc[0]
        reader.ask(line, field, f"is not after the book's date, {date}", "a later date, or its row left out")
        return 1
    if month > 480:
        reader.ask(line, field, "is more than 40 years away", "a date within 40 years")
    return min(month, 480)


def offtaker(reader: Reader, line: Line, assumed: list[str]) -> str:
    """The firm whose contract pays, "" where there is none or the book does not know it."""
    name = line.value("offtaker", "")
    if nothing(name) or name.strip().lower() in names.NOBODY:
        return ""
    firm = reader.firm(name)
    asked = any(each.item == name for each in reader.questions)
    if not firm and not asked:
        assumed.append(f"off-taker {name!r} is not in the book: chips taken as let on the market")
    return firm


def guarantor(reader: Reader, line: Line, assumed: list[str]) -> str:
    """The guarantor's firm, "" where there is none or the book does not know it."""
    name = line.value("guarantor", "")
    if nothing(name) or name.strip().lower() in ("n", "no"):
        return ""
    firm = reader.firm(name)
    if not firm:
        assumed.append(f"guarantor {name!r} is not in the book: no guarantee")
    return firm
