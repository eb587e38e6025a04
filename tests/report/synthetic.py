"""A small made-up world for the report's tests: a book, a system and paths with a common factor.

About 45 lenders, 95 instruments and 90 entities; every number is invented, only the shapes and names are
those of a run.
"""

import dataclasses
import types

import jax.numpy as jnp
import numpy as np
import pandas as pd

from engine.book.links import links
from engine.book.system import Names
from engine.book.tables import CLASSES, LENDER_CLASSES
from engine.vocabulary import SERIES

MONTHS = 60
HORIZONS = (12, 36, 60)
NAMED = (
    ("CRWV", "CoreWeave", "neocloud", "B+", 643.0, 21.4, "GPU_DDTL_1_2", 0.045),
    ("LAMB", "Lambda", "neocloud", "B", np.nan, 0.5, "GPU_DDTL_3_PLUS", 0.05),
    ("CRUS", "Crusoe", "neocloud", "B", np.nan, 1.5, "GPU_DDTL_3_PLUS", 0.04),
    ("NBIS", "Nebius", "neocloud", "B+", np.nan, 4.5, "HY_CONV", 0.03),
    ("NSCL", "Nscale", "neocloud", "B", np.nan, 1.0, "GPU_DDTL_3_PLUS", 0.04),
    ("FLUI", "Fluidstack", "neocloud", "B-", np.nan, 4.0, "GPU_DDTL_3_PLUS", 0.05),
    ("IREN", "IREN", "host", "B+", np.nan, 3.3, "HY_CONV", 0.03),
    ("WULF", "TeraWulf", "host", "BB-", np.nan, 6.3, "HY_CONV", 0.015),
    ("CIFR", "Cipher", "host", "BB-", np.nan, 2.9, "HY_CONV", 0.015),
    ("APLD", "Applied Digital", "host", "B+", np.nan, 3.0, "HY_CONV", 0.025),
    ("ORCL", "Oracle", "hyperscaler", "BBB", 151.0, 108.0, "IG_TECH", 0.006),
    ("META", "Meta", "hyperscaler", "AA-", np.nan, 30.0, "IG_TECH", 0.0002),
    ("AMZN", "Amazon", "hyperscaler", "AA", np.nan, 15.0, "IG_TECH", 0.0002),
    ("GOOG", "Alphabet", "hyperscaler", "AA+", np.nan, 25.0, "IG_TECH", 0.0002),
    ("MSFT", "Microsoft", "hyperscaler", "AAA", np.nan, 0.0, "IG_TECH", 0.0001),
    ("NVDA", "Nvidia", "vendor", "AA-", np.nan, 0.0, "IG_TECH", 0.0002),
    ("OAI", "OpenAI", "lab", "", np.nan, 2.0, "RCF_OEM_OTHER", 0.02),
    ("ANTH", "Anthropic", "lab", "", np.nan, 1.0, "RCF_OEM_OTHER", 0.015),
    ("XAI", "xAI", "lab", "B-", np.nan, 5.0, "XAI_SPV", 0.07),
    ("XSPV", "xAI compute SPV", "project", "", np.nan, 8.0, "XAI_SPV", 0.05),
    ("BEIG", "Beignet (Hyperion)", "project", "A+", np.nan, 27.3, "HYPERION", 0.0005),
    ("VANT_TX", "Vantage Shackelford", "project", "BB+", np.nan, 9.0, "PROJECT_LOANS", 0.008),
    ("VANT_WI", "Vantage Port Washington", "project", "BB+", np.nan, 6.0, "PROJECT_LOANS", 0.008),
    ("NM_ORCL", "New Mexico", "project", "BBB-", np.nan, 4.0, "PROJECT_LOANS", 0.006),
    ("ABIL", "Abilene joint venture", "project", "BBB-", np.nan, 7.3, "PROJECT_LOANS", 0.006),
)
MANAGERS = ("Apollo", "Ares", "Blackstone", "Blue Owl", "KKR", "Carlyle", "Magnetar")
OTHERS = {
    "BANK": ("JPMorgan", "Morgan Stanley", "MUFG", "SMBC", "Other US banks", "Other foreign banks"),
    "INSURER": ("Athene", "Other PE-owned insurers", "Mutual insurers", "Prudential", "MetLife"),
    "PENSION": ("Public pensions", "Corporate pensions", "Endowments"),
    "HEDGE_FUND": ("Hedge funds A", "Hedge funds B"),
    "MUTUAL_FUND": ("PIMCO", "BlackRock funds", "Other bond funds", "High-yield funds"),
    "VENDOR": ("Dell Financial", "Nvidia credit"),
    "FOREIGN": ("Sovereign funds", "Foreign official"),
}
GRADE_OF = {"IG_TECH": "B", "HY_CONV": "A", "HYPERION": "A"}


def make_book(seed: int = 1):
    """A book with the columns that the report reads."""
    rng = np.random.default_rng(seed)
    firms = [dict(firm=f, name=n, kind=k, rating=r, cds_bps=c, pool="") for f, n, k, r, c, *_ in NAMED]
    loans = [
        dict(loan=f"L{place:02d}", name=f"{n} debt", borrower=f, drawn=d, grade=GRADE_OF.get(c, "C"))
        | {"class": c, "new_money": 0, "committed": 1.2 * d}
        for place, (f, n, _, _, _, d, c, _) in enumerate(NAMED)
        if d
    ]
    for place, (firm, name, amount) in enumerate(
        (("ORCL", "Oracle new", 0.0), ("CRWV", "CoreWeave new", 0.0))
    ):
        loans.append(
            dict(
                loan=f"N{place:02d}",
                name=name,
                borrower=firm,
                drawn=amount,
                grade="C",
                new_money=1,
                committed=0.0,
            )
            | {"class": ("IG_TECH", "GPU_DDTL_3_PLUS")[place]}
        )
    named_loans = len(loans)
    for pool, count, total in (
        ("UNNAMED_PC", 34, 120.0),
        ("OTHER_CONSTRUCTION", 14, 60.0),
        ("CMBS", 17, 15.0),
    ):
        sizes = rng.lognormal(0.0, 0.4, count)
        for place, size in enumerate(total * sizes / sizes.sum()):
            firm = f"{pool}_{place + 1:02d}"
            firms.append(
                dict(
                    firm=firm,
                    name=firm.replace("_", " ").title(),
                    kind="synthetic",
                    rating="",
                    cds_bps=np.nan,
                    pool=pool,
                )
            )
            loans.append(
                dict(
                    loan=f"O_{firm}",
                    name=firm,
                    borrower=firm,
                    drawn=size,
                    grade="C",
                    new_money=0,
                    committed=size,
                )
                | {"class": pool}
            )
    tranches = pd.DataFrame(
        [
            dict(
                tranche=f"{pool}_{name}",
                name=f"{pool} class {name}",
                pool=pool,
                attachment=a,
                detachment=d,
                grade="B",
            )
            | {"class": pool.partition("_")[0]}
            for pool in ("ABS_COLO", "ABS_HYPER", "CMBS")
            for name, a, d in (("B", 0.0, 0.15), ("A2", 0.15, 0.6), ("A1", 0.6, 1.0))
        ]
    )
    pools = pd.DataFrame(dict(pool=["ABS_COLO", "ABS_HYPER", "CMBS"], balance=[21.0, 12.0, 15.0], grade="C"))
    quarters = [f"{year}Q{quarter}" for year in (2023, 2024, 2025) for quarter in (1, 2, 3, 4)]
    rents = (8.0, 8.0, 6.5, 5.0, 4.0, 3.6, 3.2, 2.99, 2.6, 2.4, 2.2, 2.1)
    history = pd.DataFrame(
        dict(date=quarters, series="H100", value=rents, unit="USD per GPU-hour", grade="A")
    )
    tables = dict(
        firms=pd.DataFrame(firms).assign(grade="B", ebitda_ttm=2.0), tranches=tranches,
        loans=pd.DataFrame(loans).assign(guarantor="", guarantee_cover=0.0), contracts=make_contracts(),
        pools=pools, lenders=make_lenders(rng), history=history, bearers=make_bearers(),
        incidence=pd.DataFrame(dict(bearer=list(BORNE), grade="C")),
    )  # fmt: skip
    return types.SimpleNamespace(
        tables=tables, hash="5b7f" * 16, name="synthetic", repairs=(), named_loans=named_loans
    )


def make_contracts():
    """One lease that runs and one that has not begun."""
    return pd.DataFrame(dict(
        contract=["HALL", "TOWER"], buyer=["CRWV", "ORCL"], seller=["LANDLORD"] * 2, kind="lease",
        flow="operating", annual=[0.5, 9.0], start_annual=[0.5, 0.0], start_month=[0, 12],
        ramp_months=[0, 0], end_month=[60, 180], grade="C",
    ))  # fmt: skip


BORNE = {
    "PENSIONERS": {"PENSION": 1.0, "MUTUAL_FUND": 0.4, "PRIVATE_CREDIT": 0.5},
    "POLICYHOLDERS": {"INSURER": 1.0, "PRIVATE_CREDIT": 0.3},
    "BANK_SHAREHOLDERS": {"BANK": 1.0, "PRIVATE_CREDIT": 0.15},
    "FOREIGN_HOLDERS": {"FOREIGN": 1.0, "PRIVATE_CREDIT": 0.05},
    "FUND_INVESTORS": {"MUTUAL_FUND": 0.6, "HEDGE_FUND": 1.0, "VENDOR": 1.0},
}
"""Shares of the losses of each class of lenders that fall on a group."""


def make_bearers() -> pd.DataFrame:
    """Groups of final bearers, with names a reader understands."""
    names = [name.replace("_", " ").capitalize() for name in BORNE]
    return pd.DataFrame(dict(bearer=list(BORNE), name=names, wealth=5000.0, grade="C"))


def make_lenders(rng) -> pd.DataFrame:
    """Funds of the managers first, then the others."""
    rows = [
        dict(
            lender=f"{manager.upper().replace(' ', '_')}_{sleeve.upper()}",
            name=f"{manager} {words}",
            vehicle=1,
        )
        | {"class": "PRIVATE_CREDIT", "capital": capital, "manager": manager}
        for manager in MANAGERS
        for sleeve, words, capital in (
            ("DIV", "diversified", 9.0),
            ("AI1", "AI fund I", 3.0),
            ("AI2", "AI fund II", 2.0),
        )
    ]
    for lender_class, names in OTHERS.items():
        rows += [
            dict(lender=name.upper().replace(" ", "_").replace("-", "_"), name=name, vehicle=0, manager="")
            | {"class": lender_class, "capital": float(rng.lognormal(3.2, 0.7))}
            for name in names
        ]
    return pd.DataFrame(rows).assign(grade="C")


def exact_links(matrix):
    """The entries of a matrix in float64, where a System has float32."""
    return dataclasses.replace(links(matrix), share=jnp.asarray(matrix[matrix != 0.0]))


def make_system(book, seed: int = 2):
    """What the report reads of a System: names, holdings and month-0 exposure."""
    rng = np.random.default_rng(seed)
    tables = book.tables
    loans, obligors = tables["loans"][: book.named_loans], tables["loans"][book.named_loans :]
    named = tables["firms"][tables["firms"]["kind"] != "synthetic"]
    synthetic = tables["firms"][tables["firms"]["kind"] == "synthetic"]
    names = Names(
        generations=("H100",), firms=tuple(named["firm"]), contracts=(), loans=tuple(loans["loan"]),
        obligors=tuple(synthetic["firm"]), obligor_loans=tuple(obligors["loan"]),
        pools=tuple(tables["pools"]["pool"]), tranches=tuple(tables["tranches"]["tranche"]),
        lenders=tuple(tables["lenders"]["lender"]), instrument_classes=CLASSES, lender_classes=LENDER_CLASSES,
        bearers=tuple(BORNE),
    )  # fmt: skip
    lenders = tables["lenders"]
    taste = (
        rng.gamma(0.15, size=(len(lenders), len(names.instruments))) * lenders["capital"].to_numpy()[:, None]
    )
    holdings = taste / taste.sum(axis=0)
    size = tables["tranches"].merge(tables["pools"], on="pool")
    direct = tables["loans"]["drawn"].where(tables["loans"]["class"] != "CMBS", 0.0)
    slices = (size["detachment"] - size["attachment"]) * size["balance"]
    exposure = np.concatenate([direct, slices])
    vehicles = int(lenders["vehicle"].sum())
    claims = rng.random((2, len(lenders), vehicles)) * (lenders["vehicle"].to_numpy() == 0)[:, None]
    debt_share, equity_share = claims / claims.sum(axis=1, keepdims=True)
    capital = lenders["capital"].to_numpy()
    table = types.SimpleNamespace(
        holdings=holdings, capital=capital, debt=lenders["vehicle"].to_numpy() * capital,
        debt_share=exact_links(debt_share), equity_share=exact_links(equity_share),
    )  # fmt: skip
    numbers = types.SimpleNamespace(
        mechanisms=types.SimpleNamespace(lender_network=1.0),
        lenders=types.SimpleNamespace(bankruptcy_cost=0.05),
    )
    return types.SimpleNamespace(
        names=names, lenders=table, exposure_start=exposure.sum(), instrument_exposure=exposure,
        numbers=numbers,
    )  # fmt: skip


def make_paths(book, system, count: int = 4096, seed: int = 3):
    """Paths of the made-up world: a common factor drives default times, losses and the monthly series.

    Returns arrays with paths leading: columns [paths, horizons, columns], components [paths, horizons,
    components], default_month and cause [paths, entities], series [paths, months, series], names of both.
    """
    rng = np.random.default_rng(seed)
    factor = np.where(rng.random(count) < 0.15, 1.6, -0.3) + 0.6 * rng.standard_normal(count)
    month, cause = defaults(system, factor, rng)
    components = component_losses(book, system, factor, month)
    names, columns = column_losses(book, system, components)
    return types.SimpleNamespace(
        columns=columns, column_names=names, components=components,
        component_names=tuple(f"instrument:{name}" for name in system.names.instruments),
        default_month=month, cause=cause, series=make_series(system, factor, columns, rng),
    )  # fmt: skip


def defaults(system, factor, rng):
    """Month of default (0 = alive at the end) and cause of each entity."""
    entities = system.names.firms + system.names.obligors
    hazard = np.array([row[-1] for row in NAMED] + [0.02] * len(system.names.obligors)) / 12.0
    times = rng.exponential(size=(len(factor), len(entities))) / (
        hazard * np.exp(0.9 * factor[:, None] - 0.4)
    )
    month = np.where(times < MONTHS, np.ceil(np.maximum(times, 1e-6)), 0).astype(np.int64)
    cause = np.where(
        month > 0, rng.choice([1, 2, 3, 4, 5, 6], p=[0.1, 0.3, 0.1, 0.1, 0.3, 0.1], size=month.shape), 0
    )
    return month, cause


def component_losses(book, system, factor, month):
    """Cumulative loss of each instrument at the horizons, USD bn."""
    entities = system.names.firms + system.names.obligors
    loans = book.tables["loans"]
    owner = np.array([entities.index(firm) for firm in loans["borrower"]])
    size = system.instrument_exposure[: len(loans)] + np.where(
        loans["new_money"] == 1, 40.0 * month.shape[1] / 90.0, 0.0
    )
    severity = np.clip(0.45 + 0.12 * factor, 0.1, 0.9)[:, None]
    parts = []
    for horizon in HORIZONS:
        dead = (month[:, owner] > 0) & (month[:, owner] <= horizon)
        debt = dead * size * severity * np.where(loans["new_money"] == 1, horizon / 60.0, 1.0)
        tranche = (
            np.clip((factor[:, None] - 2.0) * 0.4, 0, 1)
            * system.instrument_exposure[len(loans) :]
            * horizon
            / 60
        )
        parts.append(np.concatenate([debt, tranche], axis=1))
    return np.stack(parts, axis=1)


def column_losses(book, system, components):
    """Names and losses of the layout's columns."""
    loans, tranches = book.tables["loans"], book.tables["tranches"]
    new = np.concatenate([loans["new_money"].to_numpy(), np.zeros(len(tranches))]) == 1
    classes = np.concatenate([loans["class"].to_numpy(), tranches["class"].to_numpy()])
    lender_class = book.tables["lenders"]["class"].to_numpy()
    lender = components @ system.lenders.holdings.T
    total = components.sum(axis=-1)
    parts = {
        "system": total,
        "legacy": components[..., ~new].sum(-1),
        "new_money": components[..., new].sum(-1),
    }
    parts |= {f"class:{name}": components[..., classes == name].sum(-1) for name in CLASSES}
    parts |= {f"lenders:{name}": lender[..., lender_class == name].sum(-1) for name in LENDER_CLASSES}
    parts |= {
        f"bearer:{name}": sum(part * parts[f"lenders:{kind}"] for kind, part in shares.items())
        for name, shares in BORNE.items()
    }
    parts |= {f"lender:{name}": lender[..., place] for place, name in enumerate(system.names.lenders)}
    return tuple(parts), np.stack(list(parts.values()), axis=-1)


def make_series(system, factor, columns, rng):
    """Monthly series in the order of `vocabulary.SERIES`."""
    month = np.arange(1, MONTHS + 1)
    noise = rng.standard_normal((len(factor), MONTHS)).cumsum(axis=1) / np.sqrt(12.0)
    growth = np.minimum(month / 24.0, 1.0 + 0.2 * month / 60.0) * np.log(7.0)
    years = month / 12.0
    bust = rng.random((len(factor), MONTHS)) < np.clip(0.03 * years + 0.06 * factor[:, None], 0, 1)
    plateau = rng.random((len(factor), MONTHS)) < np.clip(0.12 * years, 0, 1)
    stress = np.clip(factor, -1, 3)[:, None]
    loss = np.stack([np.interp(month, (0, *HORIZONS), (0.0, *row)) for row in columns[:, :, 0]])
    series = {
        "revenue": 60.0 * np.exp(growth - 0.35 * stress * years / 2.0 + 0.2 * noise),
        "regime": np.where(bust, 2, np.where(plateau, 1, 0)),
        "rent_h100": 2.1 * np.exp(-0.2 * years - 0.08 * stress * years + 0.12 * noise),
        "price_h100": np.maximum(18.0 * np.exp(-0.4 * years - 0.1 * stress * years + 0.2 * noise), 2.5),
        "price_gb200": np.maximum(42.0 * np.exp(-0.33 * years - 0.1 * stress * years + 0.15 * noise), 6.0),
        "utilisation": 0.72 * np.exp(-0.05 * stress * years + 0.06 * noise),
        "supply": np.clip(1.0 - 0.12 * np.maximum(stress, 0) * years / 2.0 + 0.01 * noise, 0.25, 1.0),
        "spread": np.exp(0.2 * stress * np.ones_like(years) + 0.2 * noise),
        "rate": 0.037 + 0.004 * noise,
        "equity": np.exp(0.05 * years - 0.15 * stress * years + 0.2 * noise),
        "exposure": system.exposure_start * (1.0 + 0.12 * years - 0.05 * stress * years),
        "accounting_gap": 2.0 + 6.0 * years * (0.5 + stress),
        "loss": loss,
    }
    return np.stack([np.broadcast_to(series[name], (len(factor), MONTHS)) for name in SERIES], axis=-1)
