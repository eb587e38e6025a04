"""Horizons and small counts in words: the names that tables, files and sentences share."""

NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)


def count_words(count: int) -> str:
    """A small count in words."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else f"{count:,}"


def horizon_years(horizon: str) -> str:
    """A horizon in words: "5 years", "1 year", "18 months"."""
    number, unit = int(horizon[:-1]), "year" if horizon.endswith("y") else "month"
    return f"{number} {unit}" + ("" if number == 1 else "s")


def horizon_words(horizon: str) -> str:
    """A horizon in a sentence: "five years"."""
    number, unit = horizon_years(horizon).split()
    return f"{count_words(int(number))} {unit}"


def horizon_name(months: int) -> str:
    """Name of a horizon: "5y" for 60 months, "18m" where it is not whole years."""
    return f"{months // 12}y" if months % 12 == 0 else f"{months}m"


def horizon_months(name: str) -> int:
    """Months of a horizon name, the inverse of `horizon_name`."""
    return int(name[:-1]) * (12 if name.endswith("y") else 1)


def joined(parts: list[str]) -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
