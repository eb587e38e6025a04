"""Networks: clearing, DebtRank and reconstruction against published and computed numbers."""

import json
import pathlib

import numpy as np
import pandas as pd

from experiments.validation.checks import Check, absent, exact, worst

GREATEST = 1e-9
"""Tolerance of numbers that other packages computed in float64."""
PRINTED = 1e-8
ROUNDS_ELSEWHERE = 300_000
"""Iterations after which the other package stops; each rounds every bank's loss."""


def clearing(folder: pathlib.Path) -> list[Check]:
    """Clearing vectors and default sets with and without bankruptcy costs."""
    from engine.contagion.networks import EisenbergNoe, RogersVeraart, Threshold, clear

    oracle = json.loads((folder / "02_eisenberg_noe_rogers_veraart.json").read_text(encoding="utf-8"))
    checks = []
    three = oracle["A_systemicrisk_three_bank"]["cases"]
    rules = (
        ("Eisenberg–Noe", EisenbergNoe(), "EN_clearing_vector_total_payments", "EN_default"),
        ("Rogers–Veraart", RogersVeraart(0.5, 0.7), "RV_alpha0.5_beta0.7_clearing", "RV_default"),
        ("Furfine", Threshold(0.0), None, "cascade_zero_recovery_default"),
    )
    for name, rule, payments, defaults in rules:
        results = [
            clear(c["L_row_owes_col"], c["external_assets"], c["external_liabilities"], valuation=rule)
            for c in three
        ]
        source = "R package systemicrisk 0.4.3, three banks"
        if payments:
            theirs = [c[payments] for c in three]
            ours = [c.payments for c in results]
            checks.append(worst(source, f"{name} payments", theirs, ours, GREATEST))
        checks.append(exact(source, f"{name} defaults", [c[defaults] for c in three],
                           [c.defaulted for c in results]))  # fmt: skip
    example = oracle["B_systemicrisk_vignette"]
    pairs = (
        ("EN_clearing_run", EisenbergNoe()), ("RV_0.98_0.98_clearing_run", RogersVeraart(0.98, 0.98))
    )  # fmt: skip
    for name, rule in pairs:
        results = [
            clear(c["L"], example["external_assets"], example["external_liabilities"], valuation=rule)
            for c in example["cases"]
        ]
        label = "Eisenberg–Noe" if name.startswith("EN") else "Rogers–Veraart"
        checks.append(worst("systemicrisk vignette", f"{label} payments", [c[name] for c in example["cases"]],
                           [c.payments for c in results], PRINTED))  # fmt: skip
    paper = oracle["C_rogers_veraart_2013"]["cases"]
    vectors = [clear(liabilities_of(c), c["ea"], valuation=RogersVeraart(0.5, 0.5)).payments for c in paper]
    greatest = np.concatenate([c["greatest_clearing"] for c in paper])
    source = "Rogers and Veraart (2013), Example 3.3 and section 5.1"
    checks.append(worst(source, "greatest clearing vector", greatest, np.concatenate(vectors), GREATEST))
    return checks


def liabilities_of(case: dict) -> np.ndarray:
    """The liabilities of a case given as a matrix or by its entries."""
    firms = len(case["ea"])
    if "L" in case:
        return np.asarray(case["L"], np.float64)
    matrix = np.zeros((firms, firms))
    for pair, amount in case["L_nonzero"].items():
        matrix[tuple(int(i) for i in pair.split("->"))] = amount
    return matrix


def reconstruction(folder: pathlib.Path) -> list[Check]:
    """Maximum entropy and minimum density on the published seven banks."""
    from engine.contagion.reconstruct import maximum_entropy, minimum_density

    oracle = json.loads((folder / "12_network_reconstruction_anand2015.json").read_text(encoding="utf-8"))
    totals = oracle["assets_row_sums"], oracle["liabilities_col_sums"]
    source = "Anand, Craig and von Peter (2015), p. 628"
    links = float(np.count_nonzero(oracle["min_density_example"]))
    return [
        worst(source, "maximum entropy, cells", oracle["max_entropy_2dp"], maximum_entropy(*totals), 0.005),
        Check(source, "minimum density, links", links, float(np.count_nonzero(minimum_density(*totals)))),
    ]


def debtrank(folder: pathlib.Path | None) -> list[Check]:
    """125 banks: each fails alone, and all are shocked at once."""
    from engine.contagion.debtrank import EARLY_STOP, debtrank

    source = "R package NetworkRiskMeasures, 125 banks"
    if folder is None or not (folder / "01_debtrank_nodes.csv").exists():
        return [absent(source, "DebtRank and cascades", "data of a GPL package, not shipped")]
    nodes, edges, alone, uniform = (
        pd.read_csv(folder / f"01_debtrank_{name}.csv")
        for name in ("nodes", "edges", "expected_single_default", "expected_uniform_shock")
    )
    place = {name: i for i, name in enumerate(nodes["bank"])}
    exposures = np.zeros((len(place), len(place)))
    exposures[edges["lender"].map(place), edges["borrower"].map(place)] = edges["amount"]
    banks = {"exposures": exposures, "buffers": nodes["buffer"], "weights": nodes["weight"]}
    banks = {name: np.asarray(value, np.float64) for name, value in banks.items()}
    drift = ROUNDS_ELSEWHERE * float(np.finfo(np.float64).eps) * float(banks["buffers"].sum())
    scenarios = (
        ("linear, each alone", alone, "dr_", np.eye(len(place)), "linear", EARLY_STOP, 0.0),
        ("fixed point, each alone", alone, "dr_conv_", np.eye(len(place)), "linear", 1e-14, drift),
        ("single hit, each alone", alone, "sh_", np.eye(len(place)), "single_hit", EARLY_STOP, 0.0),
        ("cascade, each alone", alone, "th_", np.eye(len(place)), "threshold", EARLY_STOP, 0.0),
        ("linear, all shocked", uniform, "", uniform["shock"].to_numpy()[:, None] * np.ones(len(place)),
         "linear", EARLY_STOP, 0.0),
    )  # fmt: skip
    checks = []
    for name, table, prefix, shocks, rule, stop, slack in scenarios:
        outcome = debtrank(**banks, shocks=shocks, rule=rule, stop=stop)
        for what, extra in (("stress", 0.0), ("losses", slack)):
            theirs = table[f"{prefix}additional_{what}"].to_numpy(np.float64)
            tolerance = GREATEST * (1.0 + np.abs(theirs)) + extra
            ours = getattr(outcome, f"additional_{what}")
            checks.append(worst(source, f"additional {what}, {name}", theirs, ours, tolerance))
        checks.append(exact(source, f"defaults, {name}", table[f"{prefix}additional_defaults"],
                           outcome.additional_defaults))  # fmt: skip
    return checks
