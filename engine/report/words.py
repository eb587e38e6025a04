"""Names and number formats for readers: classes, kinds and mechanisms in words, amounts with their errors."""

import math

from engine.book.about import in_words

CLEAR = 2.0
"""Standard errors beyond which a change is told from zero."""

CLASS_NAMES = {
    "PRIVATE_CREDIT": "Private credit",
    "BANK": "Banks",
    "INSURER": "Insurers",
    "PENSION": "Pensions and endowments",
    "HEDGE_FUND": "Hedge funds",
    "MUTUAL_FUND": "Mutual funds and ETFs",
    "VENDOR": "Vendors",
    "FOREIGN": "Foreign and official",
}
KIND_NAMES = {
    "lab": "AI labs",
    "neocloud": "Neoclouds",
    "host": "Hosts and miners",
    "project": "Projects and SPVs",
    "hyperscaler": "Hyperscalers",
    "vendor": "Vendors",
    "synthetic": "Unnamed borrowers",
}
VARIANT_NAMES = {
    "base": "None",
    "backstop": "Liquidity backstop",
    "bailout": "Support of AI labs",
    "capital_rule": "Bank-to-nonbank rule",
    "disclosure": "Disclosure rule",
    "savers": "401(k) plans barred",
    "advance_cap": "Advance-rate cap",
    "all": "All together",
}
MECHANISM_NAMES = {
    "fire_sale": "Fire sale of chips",
    "circular_contracts": "Circular contracts",
    "funding_loop": "Funding loop (credit supply)",
    "lender_network": "Lender network",
    "step_in": "Sponsors step in",
    "build_up": "Build-up of new debt",
    "pool_links": "Pools linked to refinancing and chips",
    "subscription_loop": "Subscription loop",
    "cross_default": "Cross-default",
    "payment_in_kind": "Interest in kind",
    "look_through": "Look-through at hidden debt",
    "vendor_purse": "Vendors' purse",
    "paper_sales": "Forced sales of paper",
    "credit_lines": "Bank lines to funds",
    "redemptions": "Redemptions and runs",
    "other_assets": "Losses on lenders' other assets",
    "screening": "Looser terms as a boom lasts",
    "recession": "Recession",
    "plant": "Operators are paid for what they deliver",
    "own_shocks": "Firms' own equity shocks",
    "rounds": "Rounds of labs that can fail",
    "orders": "Fees for orders cancelled",
    "conduct": "Lenders' conduct, four together",
    "all": "All of them",
}
METHOD_NAMES = {
    "maximum_entropy": "maximum entropy",
    "minimum_density": "minimum density",
    "fitness": "the fitness model",
    "gibbs": "Gibbs sampling",
}


def class_name(key: str) -> str:
    """Reader's name of a lender class; an unknown key in words."""
    return CLASS_NAMES.get(key) or in_words(str(key))


def kind_name(key: str) -> str:
    """Reader's name of a kind of firm."""
    return KIND_NAMES.get(key) or in_words(str(key))


def method_name(key: str) -> str:
    """Reader's name of a method that draws networks."""
    return METHOD_NAMES.get(key, key)


def level_name(key: str) -> str:
    """The level in the name of a measure: "es_99_97" is at 99.97%."""
    return key.partition("_")[2].replace("_", ".") + "%"


def lower_first(text: str) -> str:
    """The text with a small first letter, to go on with in a sentence; OpenAI and US stay as they are."""
    first = text.split(" ", 1)[0]
    return text if first[1:] != first[1:].lower() else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """The text with a capital first letter, to begin with."""
    return text[:1].upper() + text[1:]


def known(value: float | None) -> bool:
    """Whether a number is there and finite."""
    return value is not None and math.isfinite(value)


def amount(value: float | None) -> str:
    """An amount to three significant figures, at least whole units: 0.42, 3.1, 25.8, 148, 1,204."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    places = 0 if size >= 99.95 or size < 0.005 else 1 if size >= 0.995 else 2
    return "0" if size < 0.005 else f"{value:,.{places}f}"


def multiple(value: float | None) -> str:
    """A ratio with two places: 1.02x, 5.31x."""
    return f"{value:.2f}x" if known(value) else "–"


def error(value: float | None, quantity: float | None) -> str:
    """An error with as many places as the quantity it belongs to and at least one figure of its own."""
    if value is None or not math.isfinite(value):
        return "–"
    text = amount(quantity)
    places = len(text.split(".")[1]) if "." in text else 0
    while places < 4 and 0 < value < 0.5 * 10.0**-places:
        places += 1
    return f"{value:,.{places}f}"


def signed(value: float, text: str) -> str:
    """The text of a change's size with its sign; none where it rounds to nothing.

    >>> signed(-17.2, "17.2"), signed(0.31, "0.31"), signed(-0.001, "0")
    ('-17.2', '+0.31', '0')
    """
    return text if text == amount(0.0) else f"{'-' if value < 0.0 else '+'}{text}"


def measured(value: float | None, standard_error: float | None) -> str:
    """An amount with its standard error, if there is one: "275 ± 0.9"."""
    return f"{amount(value)} ± {error(standard_error, value)}" if known(standard_error) else amount(value)


def share(value: float | None) -> str:
    """A share in percent: 0.05%, 3.1%, 26%; from ten times the whole on, where it is none, 12x."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 9.995:
        return f"{value:,.0f}x"
    size = abs(value) * 100.0
    places = 0 if size >= 9.95 else 1 if size >= 0.0995 else 2 if size > 0 else 0
    text = f"{size:,.{places}f}"
    return f"{'-' if value < 0.0 and float(text.replace(',', '')) > 0.0 else ''}{text}%"


def bound(value: float) -> str:
    """An upper bound of a share in percent, two figures rounded up: 0.15%, 30%.

    >>> bound(3 / 2048), bound(3 / 1_000_000)
    ('0.15%', '0.0003%')
    """
    percent = 100.0 * min(value, 1.0)
    step = 10.0 ** (math.floor(math.log10(percent)) - 1)
    return f"{math.ceil(round(percent / step, 6)) * step:.2g}%"


def seconds(value: float | None) -> str:
    """A duration: 0.8 s, 42 s, 3 min 20 s."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 120:
        return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """A ratio, or None where a part is unknown or the denominator is not positive."""
    if numerator is None or denominator is None:
        return None
    if not (math.isfinite(numerator) and math.isfinite(denominator) and denominator > 0):
        return None
    return numerator / denominator
