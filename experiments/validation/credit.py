"""Credit portfolios in closed form: CreditRisk+, CreditMetrics, generators, Basel weights, finite pools."""

import json
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from experiments.validation.checks import Check, worst

if TYPE_CHECKING:
    from engine.portfolio.creditriskplus import CreditRiskPlus


def read(folder: pathlib.Path, name: str) -> dict:
    """One of the JSON oracles."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def creditrisk_plus(folder: pathlib.Path) -> list[Check]:
    """A published two-sector example and a package's full distribution."""
    from engine.portfolio.creditriskplus import matched_variance

    oracle = read(folder, "06_creditriskplus.json")
    paper, run = oracle["A_integrating_correlations_1999"], oracle["B_GCPM_run"]
    inputs, expected, tolerances = paper["inputs"], paper["expected"], paper["expected"]["tolerances"]
    source = "Bürgisser, Kurth, Wagner and Wolf (1999)"
    sectors = [inputs["sector1"], inputs["sector2"]]
    variances = inputs["relative_default_variance"]
    variance = matched_variance(expected["sector_EL"], variances, inputs["sector_correlation"])
    whole = credit_model(sectors, np.ones((2, 1)), [variance])
    alone = [credit_model([one], np.ones((1, 1)), [v]) for one, v in zip(sectors, variances, strict=True)]
    checks = [
        worst(source, "UL of each sector", expected["sector_UL"], [one.deviation for one in alone],
              tolerances["sector_UL"]),
        worst(source, "UL", expected["UL"], whole.deviation, tolerances["UL"]),
        worst(source, "relative default variance", expected["relative_default_variance"], variance,
              tolerances["rel_var"]),
        worst(source, "VaR 99%", expected["VaR99"], whole.distribution.value_at_risk(0.99),
              tolerances["VaR99"]),
    ]  # fmt: skip
    groups, expected = [run["inputs"][key] for key in "ABC"], run["expected"]
    model = credit_model(groups, np.eye(3), [group["sector_variance"] for group in groups])
    law, source = model.distribution, "R package GCPM 1.2.2, three sectors"
    levels = [float(level) for level in expected["VaR"]]
    beyond = [float(model.expected_from(law.value_at_risk(level)).sum()) for level in levels]
    theirs = np.asarray(list(expected["ES_convention E[L|L>=VaR]"].values()))
    checks += [
        worst(source, "standard deviation", expected["SD_analytic"], model.deviation, 1e-9),
        worst(source, "VaR", list(expected["VaR"].values()), [law.value_at_risk(level) for level in levels]),
        worst(source, "E[L | L >= VaR]", theirs, beyond, 1e-9 * theirs),
        worst(source, "probabilities", list(expected["PDF"].values()),
              law.pmf[[int(k) for k in expected["PDF"]]], 1e-9),
        worst(source, "cumulative probabilities", list(expected["CDF"].values()),
              np.cumsum(law.pmf)[[int(k) for k in expected["CDF"]]], 1e-9),
    ]  # fmt: skip
    first = np.cumsum([0, *(group["n"] for group in groups)])[:-1]
    for name, parts in (("SD", model.deviation_contributions()),
                        ("ES99", model.expected_from(law.value_at_risk(0.99)))):  # fmt: skip
        each = [expected["contributions_per_name"][name][key] for key in "ABC"]
        checks.append(worst(source, f"contributions of a name to {name}", each, parts[first], 1e-9))
    return checks


def credit_model(groups: list[dict], sectors: np.ndarray, variances: ArrayLike) -> "CreditRiskPlus":
    """A CreditRisk+ portfolio of homogeneous groups, one row of sector weights each."""
    from engine.portfolio.creditriskplus import creditrisk_plus

    counts = [int(group["n"]) for group in groups]
    pds, sizes = (np.repeat([float(group[key]) for group in groups], counts) for key in ("pd", "exposure"))
    return creditrisk_plus(pds, sizes, weights=np.repeat(sectors, counts, axis=0), variances=variances)


def migration(folder: pathlib.Path) -> list[Check]:
    """Thresholds and joint migration of CreditMetrics, and the generator of a Moody's matrix."""
    from scipy import linalg

    from engine.portfolio.migration import (
        bond_value,
        default_probabilities,
        generator,
        joint_migration,
        transition_matrix,
    )

    oracle = read(folder, "08_creditmetrics_two_bonds.json")
    source, rows = "CreditMetrics (1997), two bonds", oracle["transition_matrix_pct"]
    bond, both = oracle["BBB_bond"], oracle["joint_BBB_A"]
    values = bond_value(rows["BBB"], bond["year_end_values"])
    first, second = (np.asarray(rows[rating]) / 100.0 for rating in ("BBB", "A"))
    joint = joint_migration(first, second, both["asset_correlation"])
    checks = [
        worst(source, "mean and deviation of the BBB bond", [bond["mean"], bond["sd"]], values, 0.01),
        worst(source, "P(both keep their rating)", both["P(BBB stays BBB, A stays A)"], joint[3, 2], 1e-4),
    ]
    oracle = read(folder, "09_transition_matrix_generator.json")
    source, expected = "Kreinin and Sidelnikova (2001), tables 1, 5 and 7", oracle["expected"]
    matrix = np.asarray(oracle["matrix"])
    annual = transition_matrix(np.vstack([matrix, np.eye(matrix.shape[1])[len(matrix) :]]))
    rates = generator(annual)
    distance = np.linalg.norm(rates - np.real(linalg.logm(annual)), axis=1)
    theirs = np.asarray(expected["row_euclid_distance(Q - logm)"])
    miss = np.abs(linalg.expm(rates) - annual)
    largest, mean = expected["max_abs(expm(Q)-P)"], expected["mean_abs(expm(Q)-P)"]
    years = default_probabilities(rates, [1.0, 2.0, 3.0])
    pds = [oracle["recomputed"][f"PD_{t}y"] for t in (1, 2, 3)]
    return checks + [
        worst(source, "distance of rows from the logarithm", theirs, distance[: len(theirs)],
              np.maximum(0.02 * theirs, 5e-8)),
        worst(source, "norms of expm(Q) - P", [largest, mean], [miss.max(), miss.mean()],
              0.01 * np.asarray([largest, mean])),
        worst("recomputed from the same matrix", "PDs within 1, 2 and 3 years", pds, years, 5e-7),
    ]  # fmt: skip


BASEL: dict[str, dict[str, Any]] = {
    "corp_LGD45_M2.5_turnover50": {},
    "corp_LGD45_M2.5_turnover5_SME": {"turnover": 5.0},
    "mortgage_LGD45": {"asset_class": "mortgage"},
    "mortgage_LGD25": {"asset_class": "mortgage", "lgd": 0.25},
    "other_retail_LGD45": {"asset_class": "other_retail"},
    "other_retail_LGD85": {"asset_class": "other_retail", "lgd": 0.85},
    "QRRE_LGD45": {"asset_class": "qualifying_revolving"},
    "QRRE_LGD85": {"asset_class": "qualifying_revolving", "lgd": 0.85},
}
"""Columns of Annex 5 and the assumptions of each."""


def basel(folder: pathlib.Path) -> list[Check]:
    """Every risk weight of Annex 5, in per cent."""
    from engine.portfolio.vasicek import risk_weight

    table = pd.read_csv(folder / "10_basel2_annex5_irb_risk_weights.csv")
    checks = []
    for column, options in BASEL.items():
        rows = table[["PD_pct", column]].dropna()
        ours = 100.0 * risk_weight(rows["PD_pct"].to_numpy() / 100.0, **options)
        name = column.replace("_", " ")
        checks.append(worst("Basel II, Annex 5", f"risk weights, {name}", rows[column], ours, 0.015))
    return checks


def pools(folder: pathlib.Path) -> list[Check]:
    """Finite pools and their limit, and the binomial."""
    from scipy import stats

    from engine.portfolio.recursion import exact_distribution
    from engine.portfolio.vasicek import default_count, loss_cdf, loss_quantile, unexpected_loss

    oracle = read(folder, "11_vasicek_finite_pool_and_binomial.json")["open_risk_notebook"]
    published = oracle["current_code_output"]
    law, count = default_count(10, 0.1, 0.2), np.arange(11)
    ours = {
        "N=10,k=0,pd=0.3414,rho=0.2": default_count(10, 0.3414, 0.2)[0],
        "N=10,k=4,pd=0.1,rho=0.2": law[4],
        "vasicek_lim_q(0.999,pd=0.01,rho=0.2)": loss_quantile(0.999, 0.01, 0.2),
        "vasicek_lim(theta=0.1,pd=0.01,rho=0.2)": loss_cdf(0.1, 0.01, 0.2),
        "vasicek_base_ul(N=10,pd=0.1,rho=0.2) in defaults": np.sqrt(law @ (count - 1.0) ** 2),
        "vasicek_lim_ul(pd=0.01,rho=0.2)": unexpected_loss(0.01, 0.2),
    }
    binomial = exact_distribution(np.full(100, 0.01), 1.0).pmf
    source = "open-risk portfolioAnalytics"
    return [
        worst(source, "finite pools and their limit", list(published.values()),
              [ours[k] for k in published], 1e-9),
        worst(source, "the stored notebook, correlation 0.04", oracle["stored_notebook_output"]["P"],
              default_count(10, 0.3414, 0.04)[0], 1e-9),
        worst("identity", "100 independent obligors are binomial", stats.binom(100, 0.01).pmf(np.arange(101)),
              binomial, 1e-10),
    ]  # fmt: skip
