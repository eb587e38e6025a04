"""What a column of a tape may hold, the headers by which it is known, and the unit that a header names."""

import dataclasses
import difflib
import re

from engine.book.tape.values import CURRENCIES, SCALES, plain, words_of


@dataclasses.dataclass(frozen=True)
class Field:
    """One thing that a tape says of a loan. `kind` is how its cells are read; `headers` are its synonyms."""

    name: str
    kind: str
    meaning: str
    headers: tuple[str, ...]


def field(name: str, kind: str, meaning: str, headers: str) -> Field:
    """A field; `headers` are separated by commas."""
    return Field(name, kind, meaning, tuple(each.strip() for each in headers.split(",")))


FIELDS = {each.name: each for each in (
    field("loan", "text", "the lender's own number of the loan",
          "loan id, loan, facility ref, facility reference, facility number, deal ref, trade id, lxid, loan "
          "no, loan number, loan ref, facility id, facility no, deal id, asset id, id, ref, reference, "
          "position id, security id, contract id, account no, account number, loan reference, no"),
    field("borrower", "text", "who owes it",
          "borrower, borrower name, obligor, obligor name, company, company name, counterparty, "
          "counterparty name, issuer, issuer name, customer name, debtor, client, portfolio company, name, "
          "legal entity, borrower entity, kreditnehmer"),
    field("facility", "text", "kind of facility",
          "facility, facility type, type, loan type, instrument, instrument type, product, product type, "
          "asset class, asset type, tranche, tranche type, security type, facility description, investment "
          "type"),
    field("commitment", "amount", "drawn and undrawn, the lender's part",
          "commitment, committed, commitment amount, total commitment, committed amount, limit, credit "
          "limit, facility limit, facility amount, hold, hold amount, our commitment, current commitment, "
          "par commitment, zusage"),
    field("drawn", "amount", "outstanding today, the lender's part",
          "drawn, drawn amount, balance, outstanding, outstanding balance, outstanding amount, outstanding "
          "principal, principal, principal balance, principal outstanding, current balance, funded, funded "
          "amount, funded balance, utilised, utilisation, utilization, utilized, upb, par, par amount, par "
          "value, exposure, drawn balance, current principal, ead, loan balance"),
    field("undrawn", "amount", "committed and not drawn",
          "undrawn, unfunded, undrawn commitment, unfunded commitment, available, availability, undrawn "
          "amount"),
    field("facility_size", "amount", "of the whole facility, all lenders",
          "facility size, total facility, deal size, global commitment, total facility size, tranche size, "
          "global facility amount"),
    field("margin", "rate", "over the reference rate: the loan floats",
          "margin, spread, credit spread, cash spread, margin over sofr, spread over sofr, spread over "
          "euribor, margin over euribor, floating margin, marge"),
    field("coupon", "rate", "fixed rate",
          "coupon, fixed rate, fixed coupon, coupon rate, lease rate"),
    field("rate", "rate", "rate of either kind",
          "rate, interest rate, interest, pricing"),
    field("all_in", "rate", "rate of today, with the reference rate in it",
          "all in, all in rate, all in yield, all in coupon, current rate, current coupon, contract rate, "
          "cash rate, total rate"),
    field("floating", "word", "whether the rate floats",
          "rate type, floating, fixed floating, fixed or floating, interest type, fixed/floating, "
          "floating?, index type"),
    field("maturity", "date", "final maturity",
          "maturity, maturity date, final maturity, final maturity date, legal maturity, stated maturity, "
          "expiry, expiry date, termination date, maturity dt, mat date, due date, end date, fälligkeit"),
    field("ltv", "share", "documented loan to value",
          "ltv, loan to value, current ltv, ltv ratio, closing ltv, advance rate, loan to cost, ltc"),
    field("chip", "text", "generation of the pledged chips",
          "gpu type, gpu, chip, chip type, gpu model, gpu generation, accelerator, collateral type, "
          "collateral, equipment, equipment type, hardware"),
    field("units", "count", "number of pledged chips",
          "gpu count, gpus, no of gpus, number of gpus, chips, units, chip count, quantity, qty, gpu units, "
          "number of chips, gpu qty, collateral units"),
    field("offtaker", "text", "whose contract pays",
          "off taker, offtaker, off take, offtake, tenant, customer, end customer, contract counterparty, "
          "lessee, anchor tenant, key customer, compute customer, offtake counterparty"),
    field("contract_end", "date", "last payment under that contract",
          "contract end, lease expiry, lease end, contract expiry, offtake end, offtake expiry, contract "
          "maturity"),
    field("contract_annual", "amount", "what that contract pays a year",
          "annual contract revenue, contract revenue, annual rent, rent, annual revenue, contracted "
          "revenue, annual contract value, acv"),
    field("amortisation", "rate", "of the balance, a year",
          "amortisation, amortization, amortisation rate, amortization rate, annual amortisation, annual "
          "amortization, scheduled amortisation"),
    field("rating", "text", "agency's or the lender's own",
          "rating, internal rating, int rating, risk grade, internal grade, grade, "
          "credit rating, risk rating, external rating, rating s&p, s&p, s&p "
          "rating, shadow rating"),
    field("secured", "flag", "whether chips are pledged",
          "secured, secured?, collateralised, collateralized, chip collateral, asset backed"),
    field("pik", "flag", "whether interest may be added to the balance",
          "pik, pik?, pik toggle, pik allowed"),
    field("guarantor", "text", "who pays on default",
          "guarantor, guarantor name, parent guarantor, guaranteed by"),
    field("currency", "currency", "of the row's amounts",
          "currency, ccy, cur, curr, loan currency, crncy, währung"),
)}  # fmt: skip
"""Every field by name, in the order in which it is told."""

UNITS = {"%": "%", "pct": "%", "percent": "%", "bps": "bp", "bp": "bp"}
"""Units of rates, in lower case."""

NOISE = {"in", "of", "the", "as", "at", "(", ")"}
CLOSE = 0.84
"""Similarity from which a header, or a name, may be a slip of another."""


@dataclasses.dataclass(frozen=True)
class Unit:
    """What a header says of its cells: currency, scale of amounts, unit of rates; None where it is silent."""

    currency: str | None = None
    scale: float | None = None
    rate: str | None = None


def split(header: str) -> tuple[str, Unit]:
    """A header's words without its unit, and the unit.

    >>> split("Balance (USD m)")
    ('balance', Unit(currency='USD', scale=1000000.0, rate=None))
    >>> split("Commitment EUR mm")[0], split("LTV %")[1].rate
    ('commitment', '%')
    """
    text = plain(header).replace("_", " ").replace("#", " number of ").replace("’", "'").replace("?", " ")
    text = re.sub(r"(?<=[a-z])\.(?=\s|$)|[\[\](){}:;,|*]", " ", text)
    text = re.sub(r"(?<=[a-z])[-/](?=[a-z])", " ", text)
    words: list[str] = []
    currency = scale = rate = None
    for word in words_of(text):
        name = word.rstrip(".")
        if name in CURRENCIES and currency is None:
            currency = CURRENCIES[name]
        elif name in SCALES and scale is None and words:
            scale = SCALES[name]
        elif name in UNITS and rate is None:
            rate = UNITS[name]
        else:
            words.append(name)
    return " ".join(word for word in words if word not in NOISE), Unit(currency, scale, rate)


def key_of(header: str) -> str:
    """A header's words, by which it is known."""
    return split(header)[0]


KNOWN = {key_of(header): each.name for each in FIELDS.values() for header in (each.name, *each.headers)}
"""Fields by the words of a header."""


def exact(header: str) -> str | None:
    """The field whose synonym a header is."""
    return KNOWN.get(key_of(header))


def likely(header: str) -> str | None:
    """The field that a header may mean: it contains a synonym's words, or is spelt nearly like one."""
    words = key_of(header)
    if not words:
        return None
    if near := difflib.get_close_matches(words, KNOWN, n=1, cutoff=CLOSE):
        return KNOWN[near[0]]
    tokens = set(words.split())
    inside = [known for known in KNOWN if len(known) > 3 and set(known.split()) <= tokens]
    return KNOWN[max(inside, key=len)] if inside else None
