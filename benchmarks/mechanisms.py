"""What does each mechanism of the story add to the loss? The shipped book with it, and without.

    python benchmarks/mechanisms.py [paths] [months] [name ...]

One line of Markdown for each of docs/mechanisms.md: what is switched off or made harmless, and what it adds
to the expected loss, ES 95% and ES 99% (with it less without), with paired standard errors on common draws.
"""

import functools
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

# The engine need not be installed.
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

Change = Callable[[Any], Any]
"""From the System to one without the mechanism, of the same shapes."""


def put(**values: Any) -> Change:
    """Set leaves by dotted path, `__` for a dot: a number, or a function of the leaf."""

    def change(system: Any) -> Any:
        import equinox as eqx
        import jax.numpy as jnp

        for path, value in values.items():
            leaf = functools.partial(functools.reduce, getattr, path.split("__"))
            old = leaf(system)
            new = value(old) if callable(value) else jnp.full_like(old, value)
            system = eqx.tree_at(leaf, system, new)
        return system

    return change


def off(*switches: str) -> Change:
    """Mechanism switches at zero."""
    return put(**{f"numbers__mechanisms__{switch}": 0.0 for switch in switches})


def leases(flexible: float) -> Change:
    """Leases as flexible as given: they shrink with the tenant's revenue."""

    def change(system: Any) -> Any:
        fixed = (system.contracts.senior > 0.0) & (system.contracts.compute == 0.0)
        return put(contracts__flexibility=lambda old: np.where(fixed, np.float32(flexible), old))(system)

    return change


def insurers(system: Any) -> Any:
    """Life insurers that neither mark paper nor meet surrenders nor have a limit."""
    names = system.names.lender_classes
    member = np.asarray(system.lenders.membership.matrix)[names.index("INSURER")] > 0
    none, never = np.float32(0.0), np.float32(1e3)
    return put(
        lenders__mark_weight=lambda old: np.where(member, none, old),
        lenders__withdrawal_slope=lambda old: np.where(member, none, old),
        lenders__limit_start=lambda old: np.where(member, never, old),
    )(system)


def always_boom(system: Any) -> Any:
    """The regime of month 0 for ever."""
    return put(economy__transition=lambda old: np.triu(np.ones_like(old)))(system)


WITHOUT: dict[str, tuple[str, Change]] = {
    "M01": ("no new debt for capex", off("build_up")),
    "M02": ("whatever falls due is extended", put(loans__extension_probability=1.0)),
    "M03": ("leases shrink with the tenant's revenue", leases(1.0)),
    "M04, M07, M09": ("sellers are paid in full whatever becomes of buyers", off("circular_contracts")),
    "M05": ("no guarantees of contracts", put(contracts__cover=0.0)),
    "M06": ("no equity for chips, no warrants", put(contracts__equity=0.0, contracts__warrant=0.0)),
    "M08": ("start-ups keep their subscriptions", off("subscription_loop")),
    "M11": ("no guarantee of projects' loans", off("step_in")),
    "M12": ("lenders never count hidden debt", off("look_through")),
    "M13": ("no cash trap on ABS", put(numbers__credit__abs_trap=0.0)),
    "M14": ("losses are seen at once", put(lenders__recognition_months=1.0)),
    "M14, kind": ("interest is due in cash", off("payment_in_kind")),
    "M15": ("chips pledged are worth nothing to lenders", put(loans__pledged=0.0)),
    "M16": ("releases devalue nothing", put(numbers__chips__release_effect=0.0)),
    "M17": ("no covenants", put(numbers__credit__ltv_covenant=1e3, numbers__credit__dscr_default=-1.0)),
    "M18, M19": ("forced sales of chips leave prices alone", off("fire_sale")),
    "M21": ("no new lending by the sector", put(calendar__origination=0.0, pools__origination_share=0.0)),
    "M22": ("vehicles keep their losses", off("lender_network")),
    "M23": ("no lines to funds", off("credit_lines")),
    "M24": ("insurers do not react", insurers),
    "M25": ("failures of vehicles cost nothing", put(numbers__lenders__bankruptcy_cost=0.0)),
    "M26": ("hazards do not know the regime", put(numbers__credit__hazard_regime=1.0)),
    "M27": ("less credit slows no revenue", off("recession")),
    "M28": ("equity does not jump with the regime", put(economy__jump=0.0)),
    "M28, own": ("firms' equity moves with the sector alone", off("own_shocks")),
    "M28, rounds": ("labs raise equity at any time", off("rounds")),
    "M29": ("the boom lasts", always_boom),
    "M30": ("nothing is ordered ahead", off("orders")),
    "M33": ("terms do not loosen in a boom", off("screening")),
    "plants": ("revenue needs no chips", off("plant")),
    "credit supply": ("lenders' losses do not come back", off("funding_loop")),
    "forced sales": ("nobody sells paper", off("paper_sales")),
    "redemptions": ("no investor leaves", off("redemptions")),
    "other assets": ("a bust takes nothing elsewhere", off("other_assets")),
    "cross-default": ("a loan's call calls no other", off("cross_default")),
}
"""Mechanisms of docs/mechanisms.md that act on losses of instruments, by what is without them."""


def main(paths: int = 32_768, months: int = 60, *names: str) -> None:
    """Print the table."""
    from engine.run.host import prepare_devices

    prepare_devices()
    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.ledger import ledger
    from engine.run.plan import Plan
    from engine.tail.paired import change, influence

    system = build_system(load_book(shipped_book()), Parameters(), months)
    plan = Plan(paths=paths, block=min(paths, 8192), seed=7)
    base = ledger(system, plan).loss
    print(f"{paths:,} paths, {months} months; with everything: ", end="")
    print(", ".join(f"{x.mean():.1f}" for x in (base, influence(base, 0.95), influence(base, 0.99))))
    print("| | without it | expected loss | ES 95% | ES 99% |\n|---|---|---|---|---|")
    for name in names or WITHOUT:
        words, without = WITHOUT[name]
        other = ledger(without(system), plan).loss
        added = [
            change(other, base),
            change(other, base, functools.partial(influence, level=0.95)),
            change(other, base, functools.partial(influence, level=0.99)),
        ]
        cells = " | ".join(f"{each.value:.2f} ± {each.standard_error:.2f}" for each in added)
        print(f"| {name} | {words} | {cells} |", flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]), *sys.argv[3:])
