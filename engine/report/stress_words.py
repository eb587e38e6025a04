"""A reverse stress in words: one line a quarter, and the names of scenarios."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.book.about import About
from engine.report.words import amount, share
from engine.results.horizons import joined
from engine.vocabulary import price_of

CAUSE_WORDS = {
    "foreclosure": "its chips are foreclosed",
    "liquidity": "it cannot pay or refinance",
    "non_payment": "it stops paying its contracts",
    "balance_sheet": "it is insolvent and shut out of the market",
    "hazard": "for reasons of its own, in bad times",
    "exchange": "it exchanges its debt below par",
    "group": "its parent defaults",
}
FACTOR_WORDS = {
    "demand": "AI demand",
    "technology": "chip technology",
    "rates": "interest rates",
    "credit": "credit spreads",
    "equity": "share prices",
    "power": "power costs",
}


def month_name(month: int, about: About) -> str:
    """Quarter of a month, counted from 1."""
    return about.quarter_name((month - 1) // 3 + 1)


def title(switches: str, about: About) -> str:
    """A scenario's name from its switches: "Bust from Q3 2033, plateau from Q1 2035"; "Boom lasts"."""
    parts = [part.split() for part in switches.split("; ")]
    if parts[0][0] != "month":
        return switches.capitalize()
    name = ", ".join(f"{regime} from {month_name(int(month), about)}" for _, month, regime in parts)
    return name[0].upper() + name[1:]


def story_lines(quarters: pd.DataFrame, names: Mapping[str, str], start: str, about: About) -> list[str]:
    """One line a quarter: regime, economy at its end, losses so far (and in it), breaches and defaults.

    `quarters` are those of one scenario, `names` of firms by id, `start` is the regime of today.
    """
    lines: list[str] = []
    chip = about.benchmarks[0]
    before, revenue = start, None
    for row in quarters.itertuples(index=False):
        regime = f"{before} turns to {row.regime}" if row.regime != before else row.regime
        growth = "" if revenue is None else f" ({row.revenue / revenue - 1.0:+.0%})"
        price = getattr(row, price_of(chip))
        economy = (
            f"AI revenue {row.revenue:,.0f}{growth}, {chip} {price:,.1f}k, rate {share(row.rate)}, "
            f"spread {row.spread:.1f}x, supply {row.supply:.2f}"
        )
        line = f"{about.quarter_name(int(row.quarter))}: {regime}. {economy}"
        losses = f"lost {amount(row.cumulative_loss)} (+{amount(row.loss)})"
        lines.append(f"{line}; {losses}.{events(row, names)}")
        before, revenue = row.regime, row.revenue
    return lines


def events(row: Any, names: Mapping[str, str]) -> str:
    """Breaches and defaults of a quarter, if any, in sentences."""
    text = ""
    kinds = ((row.breaches, "breaches", "breach"), (row.defaults, "defaults", "default"))
    for listed, singular, plural in kinds:
        firms = [names.get(firm, firm) for firm in listed.split(", ") if firm]
        text += f" {joined(firms)} {plural if len(firms) > 1 else singular}." if firms else ""
    return text
