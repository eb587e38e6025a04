"""The terms of a securitisation: its classes, and what is paid, tested, kept and called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from engine import arguments

TESTS = ("oc", "ic", "dscr")
CONSEQUENCES = ("divert", "sequential", "trap")
PRINCIPAL = ("sequential", "pro_rata")


@dataclass(frozen=True)
class Note:
    """A class of notes.

    Args: name; attachment and detachment, the part of the pool's first balance it covers, shares; coupon a
    year: one number, or [months] or [months paths] for a floater. Interest accrues monthly on its balance;
    what is not paid is carried forward at the coupon. Raises ValueError for arguments outside their range.

    Example:
        >>> Note("A", 0.2, 1.0, 0.05).width
        0.8
    """

    name: str
    attachment: float
    detachment: float
    coupon: ArrayLike

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            arguments.refuse("name", self.name, "the name of a class")
        low, high = (
            arguments.share("attachment", self.attachment),
            arguments.share("detachment", self.detachment),
        )
        if not low < high:
            raise ValueError(f"detachment: got {high:g}, expected more than the attachment, {low:g}")
        coupon = arguments.within("coupon", arguments.numbers("coupon", self.coupon), 0.0, 1.0)
        if coupon.ndim > 2 or not coupon.size:
            raise ValueError(
                f"coupon: got shape {coupon.shape}, expected one number, (months,) or (months, paths)"
            )
        object.__setattr__(self, "coupon", coupon)

    @property
    def width(self) -> float:
        """Its balance at the start, as a share of the pool's."""
        return self.detachment - self.attachment


@dataclass(frozen=True)
class Trigger:
    """A test of a class and those above it, and what follows while it fails.

        oc     (collateral + principal collected) / balances            with the month's collections
        ic     (interest collected - fees) / interest due
        dscr   (interest + principal collected - fees) / (interest due + principal scheduled)

    Args: test, one of these; note, the name of the class; level, below which it fails; consequence: divert
    interest left after that class to principal, sequentially (an OC test: until it is met; the others: all),
    pay principal "sequential" instead of pro rata, or "trap" in the reserve what would be left over; curable,
    whether it ends when the test is met again. Raises ValueError for other words and negative levels.
    """

    test: str
    note: str
    level: float
    consequence: str = "divert"
    curable: bool = True

    def __post_init__(self) -> None:
        arguments.choice("test", self.test, TESTS)
        arguments.choice("consequence", self.consequence, CONSEQUENCES)
        object.__setattr__(self, "level", arguments.positive("level", self.level))
        object.__setattr__(self, "curable", arguments.flag("curable", self.curable))


@dataclass(frozen=True)
class Reserve:
    """Cash kept for fees and interest that collections do not cover, and for principal at the end.

    Args: initial, funded at the start; share of the notes' balance, or floor, whichever is more, but never
    more than the notes: what it is filled up to from interest left over, and released down to. All at least
    0, money but for the share. Raises ValueError otherwise.
    """

    initial: float = 0.0
    share: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        for name in ("initial", "floor"):
            object.__setattr__(self, name, arguments.number(name, getattr(self, name), 0.0))
        object.__setattr__(self, "share", arguments.share("share", self.share))


@dataclass(frozen=True)
class Call:
    """The right to sell the collateral and repay all notes, used as soon as that pays them in full.

    Args: share of the pool's first balance at or below which it may be called (a clean-up call); month from
    which it may be called whatever the balance, or None; price of the collateral, as a share. Raises
    ValueError for arguments outside their range.
    """

    share: float = 0.1
    month: int | None = None
    price: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", arguments.share("share", self.share))
        object.__setattr__(self, "price", arguments.number("price", self.price, 0.0, 10.0))
        if self.month is not None:
            object.__setattr__(self, "month", arguments.count("month", self.month))


@dataclass(frozen=True)
class Deal:
    """A securitisation. Each month, from interest collected (1 to 5) and from principal and recoveries (6):

        1  fees, with what was not paid before
        2  interest of each class, senior first, with what was not paid before; after a class whose test
           fails, what is left goes to principal (`Trigger`)
        3  the reserve, which has covered what 1 and 2 were short of
        4  with `turbo`, principal of the notes, sequentially
        5  the residual holder
        6  principal of the notes, sequential or pro rata; what they no longer need, what 1 and 2 are still
           short of, then the residual holder

    Args: notes, senior first, not overlapping; what they do not cover from below is the residual holder's.
    fee, share of the pool's balance a year; fixed_fee, money a month; principal, "sequential" or "pro_rata"
    by balance; triggers; reserve; turbo; call; principal_pays_interest, whether principal covers what fees
    and interest are still short of; write_down, whether notes are written down, junior first, to the pool's
    balance (RMBS, CMBS), instead of losing what is unpaid at the end (CLO). Raises ValueError for notes that
    overlap, are out of order or have one name, triggers of no class, and values outside their range.

    Example:
        >>> deal = Deal([Note("A", 0.3, 1.0, 0.05), Note("B", 0.1, 0.3, 0.08)], fee=0.002, turbo=True)
        >>> [note.name for note in deal.notes], round(sum(note.width for note in deal.notes), 12)
        (['A', 'B'], 0.9)
    """

    notes: Sequence[Note]
    fee: float = 0.0
    fixed_fee: float = 0.0
    principal: str = "sequential"
    triggers: Sequence[Trigger] = ()
    reserve: Reserve = Reserve()
    turbo: bool = False
    call: Call | None = None
    principal_pays_interest: bool = False
    write_down: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", instances("notes", self.notes, Note))
        object.__setattr__(self, "triggers", instances("triggers", self.triggers, Trigger))
        if not self.notes:
            arguments.refuse("notes", self.notes, "one class or more")
        names = [note.name for note in self.notes]
        for place, note in enumerate(self.notes):
            if note.name in names[:place]:
                arguments.refuse(f"notes[{place}].name", note.name, "a name no other class has")
            above = self.notes[place - 1].attachment if place else 1.0
            if note.detachment > above + 1e-12:
                arguments.refuse(
                    f"notes[{place}].detachment", note.detachment, f"at most {above:g}, senior first"
                )
        for place, trigger in enumerate(self.triggers):
            if trigger.note not in names:
                arguments.refuse(f"triggers[{place}].note", trigger.note, f"one of {', '.join(names)}")
        object.__setattr__(self, "fee", arguments.number("fee", self.fee, 0.0, 1.0))
        object.__setattr__(self, "fixed_fee", arguments.number("fixed_fee", self.fixed_fee, 0.0))
        arguments.choice("principal", self.principal, PRINCIPAL)
        for name, kind in (("reserve", Reserve), ("call", Call)):
            value = getattr(self, name)
            if not isinstance(value, kind) and not (name == "call" and value is None):
                arguments.refuse(name, value, f"a {kind.__name__}")
        for name in ("turbo", "principal_pays_interest", "write_down"):
            object.__setattr__(self, name, arguments.flag(name, getattr(self, name)))

    def place(self, name: str) -> int:
        """Position of a class, senior first."""
        return [note.name for note in self.notes].index(name)

    def coupons(self, months: int, paths: int) -> list[np.ndarray]:
        """Monthly coupons of the classes, each [months, paths or 1]; ValueError for other shapes."""
        rates = []
        for place, note in enumerate(self.notes):
            given = np.asarray(note.coupon)
            coupon = given.reshape(len(given), -1) if given.ndim else np.full((months, 1), float(given))
            if len(coupon) != months or coupon.shape[1] not in (1, paths):
                expected = f"one number, ({months},) or ({months}, {paths})"
                raise ValueError(f"notes[{place}].coupon: got shape {given.shape}, expected {expected}")
            rates.append(coupon / 12.0)
        return rates


def instances(name: str, values: Any, kind: type) -> tuple[Any, ...]:
    """A sequence of one kind as a tuple; ValueError otherwise."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        arguments.refuse(name, values, f"a list of {kind.__name__}")
    values = tuple(values)
    for place, value in enumerate(values):
        if not isinstance(value, kind):
            arguments.refuse(f"{name}[{place}]", value, f"a {kind.__name__}")
    return values
