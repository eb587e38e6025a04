"""The public functions with arguments that are right, and the kind of number that each argument is.

`tests.probes` puts wrong ones in their place.
"""

import dataclasses
import datetime
from collections.abc import Callable

import numpy as np
import pandas as pd
import undertow as ut

RNG = np.random.default_rng(7)
WRONG = ("x", "0.5", True, 1 + 2j, {}, {0.5}, object(), datetime.date(2000, 1, 1), b"1")
"""What is no number."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """What an argument may be: numbers in [low, high], one or an array, whole or not, perhaps None."""

    low: float = -np.inf
    high: float = np.inf
    array: bool = False
    scalar: bool = True  # an array argument that one number may stand for
    whole: bool = False
    optional: bool = False
    open: bool = False  # the ends are outside
    any_scale: bool = False

    def beyond(self) -> list[float]:
        """Numbers outside."""
        values = [np.nan, np.inf, -np.inf]
        for end, sign in ((self.low, -1.0), (self.high, 1.0)):
            if np.isfinite(end):
                values += [end] if self.open else []
                values += (end + sign * 10.0 ** RNG.uniform(-3.0 if not self.whole else 0.5, 9.0, 4)).tolist()
        return values + ([1.5, 2.25] if self.whole else [] if self.any_scale else [1e200, -1e200])

    def bad(self, good: object) -> list[object]:
        """Values to be refused, made from one that is not."""
        nothing = [] if self.optional else [None]
        if not self.array:
            return [*self.beyond(), *WRONG, *nothing, [good, good], [[good]]]
        values = np.asarray(good, np.float64)
        corrupted = []
        for entry in self.beyond():
            copy = values.copy()
            copy.flat[RNG.integers(copy.size)] = entry
            corrupted += [copy, copy.tolist()]
            corrupted += [frame_of(copy)] if copy.ndim <= 2 else []
        for entry in ("x", None, True, object()):
            copy = values.astype(object)
            copy.flat[0] = entry
            corrupted.append(copy)
        masked = np.ma.masked_array(values, values == values.flat[0])
        shapes = [values[:-1], values[None, None], masked]
        ragged = [[1.0], [1.0, 2.0]]
        return [
            *corrupted,
            *shapes,
            ragged,
            *WRONG,
            *nothing,
            *([] if self.scalar else [float(values.flat[0])]),
        ]


LEVEL = Kind(0.0, 1.0, open=True)
SHARE, SHARES = Kind(0.0, 1.0), Kind(0.0, 1.0, array=True)
VECTOR = Kind(array=True, scalar=False)
AMOUNT, AMOUNTS = Kind(0.0), Kind(0.0, array=True)
POSITIVE, POSITIVES = Kind(0.0, open=True), Kind(0.0, array=True, open=True)
WEIGHTS = Kind(0.0, array=True, scalar=False, any_scale=True)
COUNT, SEED = Kind(1, whole=True), Kind(0, 2.0**64 - 1, whole=True)
LOADINGS = Kind(-1.0, 1.0, array=True)
ANY = Kind()
NO_NUMBER = Kind()  # what is no number: every one is wrong


def frame_of(values: np.ndarray) -> pd.Series | pd.DataFrame:
    """A vector as a Series, a matrix as a DataFrame."""
    return pd.Series(values) if values.ndim == 1 else pd.DataFrame(values)


def fixed(kind: Kind) -> Kind:
    """An array for which no single number may stand."""
    return dataclasses.replace(kind, scalar=False)


def optional(kind: Kind) -> Kind:
    """The same, or None."""
    return dataclasses.replace(kind, optional=True)


PD, EXPOSURE, LGD = [0.01, 0.02, 0.05], [1.0, 2.0, 3.0], [0.5, 1.0, 1.0]
RING = [[0.0, 4.0, 0.0], [0.0, 0.0, 4.0], [4.0, 0.0, 0.0]]
ROW = [0.5, 0.4, 0.1]
RATES = [[-0.1, 0.1], [0.0, 0.0]]

Calls = dict[str, tuple[Callable, dict, dict[str, Kind]]]
"""By name: a function, its arguments, and the kind of each that is probed."""


def portfolios() -> Calls:
    """A portfolio and its tail."""
    book = ut.portfolio(PD, EXPOSURE, LGD, 0.4)
    result = ut.portfolio_tail(book, (0.9,), paths=512)
    tail = dict(book=book, levels=[0.9], paths=512)
    return {
        "portfolio": (
            ut.portfolio,
            dict(
                pd=PD,
                exposure=EXPOSURE,
                lgd=LGD,
                loadings=[0.1, 0.2, 0.3],
                dof=4.0,
                lgd_volatility=[0.1] * 3,
                lgd_loadings=[0.1, 0.2, 0.3],
            ),
            dict(
                pd=SHARES,
                exposure=AMOUNTS,
                lgd=SHARES,
                loadings=LOADINGS,
                dof=optional(POSITIVE),
                lgd_volatility=AMOUNTS,
                lgd_loadings=LOADINGS,
            ),
        ),
        "portfolio_tail": (ut.portfolio_tail, tail, dict(paths=COUNT)),
        "portfolio_tail levels": (
            ut.portfolio_tail,
            tail | dict(levels=0.9),
            dict(levels=dataclasses.replace(LEVEL)),
        ),
        "portfolio_tail pairs": (
            ut.portfolio_tail,
            tail | dict(sampler="antithetic", seed=7, replications=4),
            dict(seed=SEED, replications=optional(COUNT)),
        ),
        "portfolio_tail importance": (
            ut.portfolio_tail,
            tail | dict(sampler="importance", target=2.0, defensive=0.1),
            dict(target=optional(POSITIVE), defensive=SHARE),
        ),
        "euler_contributions": (
            ut.euler_contributions,
            dict(book=book, result=result, level=0.9),
            dict(level=LEVEL),
        ),
        "euler_var_contributions": (
            ut.euler_var_contributions,
            dict(book=book, result=result, level=0.9),
            dict(level=LEVEL),
        ),
    }


def exact_laws() -> Calls:
    """Laws of losses by recursion and quadrature."""
    model = ut.creditrisk_plus(PD, 1.0, weights=[[0.5]] * 3, variances=[0.8])
    law = ut.LossDistribution(np.full(4, 0.25), 1.0)
    pool = dict(pd=PD, exposure=EXPOSURE, lgd=LGD, loading=[0.3, 0.4, 0.5], unit=0.5, nodes=401)
    pool_kinds = dict(
        pd=SHARES, exposure=AMOUNTS, lgd=SHARES, loading=LOADINGS, unit=POSITIVE, nodes=optional(COUNT)
    )
    return {
        "exact_distribution": (ut.exact_distribution, pool, pool_kinds),
        "shortfall_contributions": (
            ut.shortfall_contributions,
            pool | dict(level=0.9),
            pool_kinds | dict(level=LEVEL),
        ),
        "var_contributions": (
            ut.var_contributions,
            pool | dict(level=0.9),
            pool_kinds | dict(level=LEVEL),
        ),
        "worst_probability": (
            ut.worst_probability,
            dict(losses=law, loss=1.5, radius=0.01),
            dict(loss=ANY, radius=AMOUNT),
        ),
        "creditrisk_plus": (
            ut.creditrisk_plus,
            dict(pd=PD, exposure=EXPOSURE, lgd=LGD, weights=[[0.5], [0.5], [0.2]], variances=[0.8], unit=0.5),
            dict(pd=SHARES, exposure=AMOUNTS, lgd=SHARES, weights=fixed(SHARES), unit=POSITIVE),
        ),
        "CreditRiskPlus.expected_from": (model.expected_from, dict(loss=1.0), dict(loss=ANY)),
        "CreditRiskPlus.shortfall_contributions": (
            model.shortfall_contributions,
            dict(level=0.9),
            dict(level=LEVEL),
        ),
        "LossDistribution": (
            ut.LossDistribution,
            dict(pmf=[0.5, 0.25, 0.25], unit=1.0),
            dict(pmf=fixed(SHARES), unit=POSITIVE),
        ),
        "LossDistribution.value_at_risk": (law.value_at_risk, dict(level=0.9), dict(level=LEVEL)),
        "LossDistribution.expected_shortfall": (law.expected_shortfall, dict(level=0.9), dict(level=LEVEL)),
        "LossDistribution.beyond": (law.beyond, dict(loss=1.0), dict(loss=ANY)),
    }


def baskets() -> Calls:
    """Baskets and copulas."""
    ten = ut.basket(np.full((2, 10), 0.1), [1.0, 2.0], loading=0.5)
    return {
        "basket": (
            ut.basket,
            dict(
                pd=[PD], times=[1.0], exposure=EXPOSURE, lgd=LGD, loading=[0.3, 0.4, 0.5], unit=0.5, nodes=401
            ),
            dict(
                pd=fixed(SHARES),
                times=fixed(POSITIVES),
                exposure=AMOUNTS,
                lgd=SHARES,
                loading=LOADINGS,
                unit=optional(POSITIVE),
                nodes=optional(COUNT),
            ),
        ),
        "Basket.tranche_loss_law": (
            ten.tranche_loss_law,
            dict(attachment=[0.0, 0.1], detachment=[0.1, 0.3]),
            dict(attachment=SHARES, detachment=SHARES),
        ),
        "Basket.tranche_spreads": (
            ten.tranche_spreads,
            dict(attachment=[0.0, 0.1], detachment=[0.1, 0.3], rate=0.05, running=0.01),
            dict(attachment=SHARES, detachment=SHARES, running=optional(AMOUNT)),
        ),
        "Basket.nth_to_default": (
            ten.nth_to_default,
            dict(rate=[0.04, 0.05], running=0.01),
            dict(rate=Kind(-1.0, 10.0, array=True), running=optional(AMOUNT)),
        ),
        "StudentCopula": (ut.StudentCopula, dict(dof=4.0), dict(dof=POSITIVE)),
        "DoubleT": (
            ut.DoubleT,
            dict(factor_dof=4.0, own_dof=4.0),
            dict(factor_dof=optional(Kind(2.05)), own_dof=optional(Kind(2.05))),
        ),
    }


def deals() -> Calls:
    """A pool's cash and the notes on it."""
    paid = ut.waterfall(
        ut.Deal([ut.Note("A", 0.4, 1.0, 0.05), ut.Note("B", 0.0, 0.4, 0.08)]), ut.pool_cash(100.0, 0.07, 12)
    )
    return {
        "pool_cash": (
            ut.pool_cash,
            dict(
                balance=100.0,
                rate=0.05,
                months=3,
                cpr=[0.1, 0.2, 0.3],
                cdr=[0.1, 0.0, 0.0],
                recovery=[0.4, 0.5, 0.6],
                lag=2,
                amortisation=9,
            ),
            dict(
                balance=POSITIVE,
                rate=Kind(0.0, 10.0),
                months=COUNT,
                cpr=SHARES,
                cdr=SHARES,
                recovery=SHARES,
                lag=Kind(0, whole=True),
                amortisation=optional(Kind(3, whole=True)),
            ),
        ),
        "pool_paths": (
            ut.pool_paths,
            dict(
                balance=[100.0, 60.0, 30.0, 0.0],
                interest=[1.0, 0.6, 0.3],
                principal=[30.0, 20.0, 10.0],
                recoveries=[5.0, 5.0, 10.0],
                losses=[5.0, 5.0, 10.0],
                scheduled=[30.0, 20.0, 10.0],
            ),
            dict(
                balance=fixed(AMOUNTS),
                interest=AMOUNTS,
                principal=fixed(AMOUNTS),
                recoveries=fixed(AMOUNTS),
                losses=fixed(AMOUNTS),
                scheduled=optional(AMOUNTS),
            ),
        ),
        "psa": (
            ut.psa,
            dict(speed=1.0, months=12, age=3),
            dict(speed=Kind(0.0, 1.0 / 0.06), months=COUNT, age=Kind(0, whole=True)),
        ),
        "sda": (
            ut.sda,
            dict(speed=1.0, months=12, age=3),
            dict(speed=Kind(0.0, 1.0 / 0.006), months=COUNT, age=Kind(0, whole=True)),
        ),
        "Note": (
            ut.Note,
            dict(name="A", attachment=0.2, detachment=0.5, coupon=[0.05, 0.05]),
            dict(attachment=SHARE, detachment=SHARE),
        ),
        "Trigger": (ut.Trigger, dict(test="oc", note="A", level=1.1), dict(level=POSITIVE)),
        "Reserve": (
            ut.Reserve,
            dict(initial=1.0, share=0.1, floor=0.5),
            dict(initial=AMOUNT, share=SHARE, floor=AMOUNT),
        ),
        "Call": (
            ut.Call,
            dict(share=0.1, month=12, price=1.0),
            dict(share=SHARE, month=optional(COUNT), price=Kind(0.0, 10.0)),
        ),
        "Deal": (
            ut.Deal,
            dict(notes=[ut.Note("A", 0.2, 1.0, 0.05)], fee=0.01, fixed_fee=1.0),
            dict(fee=SHARE, fixed_fee=AMOUNT),
        ),
        "DealCash.yields": (
            paid.yields,
            dict(price=[1.0, 0.9], compounding=2),
            dict(price=POSITIVES, compounding=COUNT),
        ),
    }


def closed_forms() -> Calls:
    """Vasicek's model, Basel's formulas and tranches of a few tenants."""
    return {
        "vasicek_cdf": (
            ut.vasicek_cdf,
            dict(loss=0.1, pd=0.01, rho=0.2),
            dict(loss=SHARE, pd=SHARE, rho=SHARE),
        ),
        "vasicek_quantile": (
            ut.vasicek_quantile,
            dict(level=0.9, pd=0.01, rho=0.2),
            dict(level=LEVEL, pd=SHARE, rho=SHARE),
        ),
        "vasicek_expected_shortfall": (
            ut.vasicek_expected_shortfall,
            dict(level=0.9, pd=0.01, rho=0.2),
            dict(level=LEVEL, pd=SHARE, rho=SHARE),
        ),
        "vasicek_default_count": (
            ut.vasicek_default_count,
            dict(obligors=10, pd=0.01, rho=0.2),
            dict(obligors=COUNT, pd=SHARE, rho=SHARE),
        ),
        "granularity_adjustment": (
            ut.granularity_adjustment,
            dict(level=0.9, pd=0.01, rho=0.2, lgd=0.5, herfindahl=0.01),
            dict(level=LEVEL, pd=LEVEL, rho=LEVEL, lgd=SHARE, herfindahl=SHARE),
        ),
        "basel_correlation": (
            ut.basel_correlation,
            dict(pd=0.01, turnover=10.0),
            dict(pd=SHARE, turnover=optional(AMOUNT)),
        ),
        "basel_capital": (
            ut.basel_capital,
            dict(pd=0.01, lgd=0.45, maturity=2.5),
            dict(pd=SHARE, lgd=SHARE, maturity=Kind(1.0, 5.0)),
        ),
        "basel_risk_weight": (
            ut.basel_risk_weight,
            dict(pd=0.01, lgd=0.45, maturity=2.5),
            dict(pd=SHARE, lgd=SHARE, maturity=Kind(1.0, 5.0)),
        ),
        "tranche_loss": (
            ut.tranche_loss,
            dict(pool_loss=0.2, attachment=0.1, detachment=0.5),
            dict(pool_loss=SHARE, attachment=SHARE, detachment=SHARE),
        ),
        "tranche_loss_law": (
            ut.tranche_loss_law,
            dict(
                tenants=5, default_probability=0.1, lgd=0.5, correlation=0.3, attachment=0.1, detachment=0.5
            ),
            dict(
                tenants=COUNT,
                default_probability=SHARE,
                lgd=SHARE,
                correlation=SHARE,
                attachment=SHARE,
                detachment=SHARE,
            ),
        ),
        "tranche_cliff": (
            ut.tranche_cliff,
            dict(
                tenants=[5, 1],
                default_probability=0.1,
                lgd=0.5,
                correlations=[0.3],
                tranches={"A": (0.1, 0.5)},
            ),
            dict(default_probability=SHARE, lgd=SHARE),
        ),
    }


def migration() -> Calls:
    """Ratings that move."""
    return {
        "migration_generator": (
            ut.migration_generator,
            dict(rows=[[0.9, 0.1], [0.0, 1.0]]),
            dict(rows=fixed(SHARES)),
        ),
        "migration_transition": (
            ut.migration_transition,
            dict(rates=RATES, years=1.0),
            dict(rates=VECTOR, years=AMOUNT),
        ),
        "migration_default_probabilities": (
            ut.migration_default_probabilities,
            dict(rates=RATES, years=[1.0, 2.0]),
            dict(rates=VECTOR),
        ),
        "joint_migration": (
            ut.joint_migration,
            dict(first=ROW, second=ROW, correlation=0.3),
            dict(first=fixed(SHARES), second=fixed(SHARES), correlation=Kind(-1.0, 1.0, open=True)),
        ),
        "bond_value": (
            ut.bond_value,
            dict(row=ROW, values=[100.0, 90.0, 40.0]),
            dict(row=fixed(AMOUNTS), values=VECTOR),
        ),
    }


def samples() -> Calls:
    """Tails of losses at hand."""
    return {
        "sample_tail": (
            ut.sample_tail,
            dict(losses=[1.0, 2.0, 3.0], level=0.5, weights=[1.0, 2.0, 1.0]),
            dict(losses=VECTOR, level=LEVEL, weights=optional(WEIGHTS)),
        ),
        "SampleTail.contributions": (
            ut.sample_tail([1.0, 2.0, 3.0], 0.5).contributions,
            dict(parts=[[1.0], [2.0], [3.0]]),
            dict(parts=VECTOR),
        ),
        "from_losses": (
            ut.from_losses,
            dict(losses=[1.0, 2.0, 3.0], weights=[1.0, 2.0, 1.0]),
            dict(losses=VECTOR, weights=optional(WEIGHTS)),
        ),
        "worst_case": (
            ut.worst_case,
            dict(losses=ut.from_losses([1.0, 2.0, 3.0]), level=0.5, radius=0.1),
            dict(level=LEVEL, radius=AMOUNT),
        ),
    }


def contagion() -> Calls:
    """Clearing, propagation and fire sales."""
    sale = dict(
        holdings=[[100.0], [50.0]],
        debt=[90.0, 40.0],
        leverage_limit=[12.0, 12.0],
        depth=[1000.0],
        prices=[0.98],
        other_assets=[0.0, 1.0],
        target=[10.0, 11.0],
        cash=[0.5, 0.0],
        order=[1.0],
    )
    sale_kinds = dict(
        holdings=fixed(AMOUNTS),
        debt=AMOUNTS,
        leverage_limit=Kind(1.0, array=True),
        other_assets=AMOUNTS,
        target=optional(Kind(1.0, array=True)),
        cash=AMOUNTS,
        order=optional(AMOUNTS),
    )
    return {
        "clear": (
            ut.clear,
            dict(
                liabilities=RING,
                external_assets=[1.0, 0.0, 0.0],
                external_liabilities=[0.0, 1.0, 0.0],
                rounds=50,
                tolerance=1e-12,
            ),
            dict(
                liabilities=fixed(AMOUNTS),
                external_assets=AMOUNTS,
                external_liabilities=AMOUNTS,
                tolerance=AMOUNT,
                rounds=Kind(0, whole=True),
            ),
        ),
        "default_rounds": (
            ut.default_rounds,
            dict(
                liabilities=RING,
                external_assets=[1.0, 0.0, 0.0],
                external_liabilities=[0.0, 1.0, 0.0],
                rounds=50,
                tolerance=1e-12,
            ),
            dict(
                liabilities=fixed(AMOUNTS),
                external_assets=AMOUNTS,
                external_liabilities=AMOUNTS,
                tolerance=AMOUNT,
                rounds=Kind(0, whole=True),
            ),
        ),
        "clear_dates": (
            ut.clear_dates,
            dict(
                liabilities=[RING],
                external_assets=[[1.0, 0.0, 0.0]],
                external_liabilities=[[0.0, 1.0, 0.0]],
                rounds=50,
            ),
            dict(
                liabilities=fixed(AMOUNTS),
                external_assets=AMOUNTS,
                external_liabilities=AMOUNTS,
                rounds=Kind(0, whole=True),
            ),
        ),
        "clear_holdings": (
            ut.clear_holdings,
            dict(
                liabilities=[RING],
                external_assets=[1.0, 0.0, 0.0],
                external_liabilities=[[0.0, 1.0, 0.0]],
                equity_held=[[0.0, 0.5, 0.0], [0.0] * 3, [0.0] * 3],
            ),
            dict(
                liabilities=fixed(AMOUNTS),
                external_assets=AMOUNTS,
                external_liabilities=AMOUNTS,
                equity_held=SHARES,
            ),
        ),
        "debtrank": (
            ut.debtrank,
            dict(
                liabilities=[[0, 4, 0], [0, 0, 3], [0, 0, 0]],
                buffers=[5.0, 8.0, 6.0],
                shocks=[1.0, 0.0, 0.0],
                weights=[1.0, 1.0, 2.0],
                stop=1e-9,
                rounds=100,
            ),
            dict(
                liabilities=fixed(AMOUNTS),
                buffers=POSITIVES,
                shocks=fixed(AMOUNTS),
                weights=optional(AMOUNTS),
                stop=AMOUNT,
                rounds=Kind(0, whole=True),
            ),
        ),
        "fire_sale": (ut.fire_sale, sale | dict(history=2), sale_kinds | dict(history=Kind(0, whole=True))),
        "deleverage": (
            ut.deleverage,
            sale | dict(execution=0.5, rounds=3),
            sale_kinds | dict(execution=SHARE, rounds=COUNT),
        ),
        "fail_each": (
            ut.fail_each,
            dict(
                capital=[10.0],
                debt=[10.0],
                debt_share=[[0.0], [1.0], [0.0]],
                equity_share=[[0.0], [0.0], [1.0]],
                passing=1.0,
                bankruptcy_cost=0.2,
            ),
            dict(debt_share=fixed(SHARES), equity_share=fixed(SHARES), passing=SHARE, bankruptcy_cost=SHARE),
        ),
        "RogersVeraart": (ut.RogersVeraart, dict(alpha=0.5, beta=0.5), dict(alpha=SHARE, beta=SHARE)),
    }


def networks() -> Calls:
    """Networks from totals."""
    totals = dict(rows=[3.0, 2.0, 2.0], columns=[2.0, 3.0, 2.0])
    total_kinds = dict(rows=fixed(AMOUNTS), columns=fixed(AMOUNTS))
    return {
        "maximum_entropy": (ut.maximum_entropy, totals, total_kinds),
        "minimum_density": (
            ut.minimum_density,
            totals | dict(seed=1, tries=4),
            total_kinds | dict(seed=SEED, tries=COUNT),
        ),
        "sample_fitness": (
            ut.sample_fitness,
            totals | dict(density=0.8, count=2, seed=1),
            total_kinds | dict(density=Kind(0.0, 1.0), count=COUNT, seed=SEED),
        ),
        "sample_gibbs": (
            ut.sample_gibbs,
            totals | dict(probability=0.5, rate=1.0, count=2, thin=2, seed=1),
            total_kinds
            | dict(probability=SHARE, rate=optional(POSITIVE), count=COUNT, thin=optional(COUNT), seed=SEED),
        ),
    }


def total(draws, parameters):
    """The sum of a path's normals."""
    return draws.normals.sum()


def paths() -> Calls:
    """Draws, plans and runs."""
    model = ut.PathModel(total, steps=2, factors=3)
    return {
        "PathModel": (
            ut.PathModel,
            dict(path=total, steps=2, factors=3),
            dict(path=NO_NUMBER, steps=COUNT, factors=COUNT),
        ),
        "run_paths": (
            ut.run_paths,
            dict(
                model=model,
                paths=512,
                seed=7,
                replications=2,
                level=0.99,
                defensive=0.1,
                block=256,
                save_every=9.0,
            ),  # fmt: skip
            dict(
                model=NO_NUMBER,
                paths=COUNT,
                seed=SEED,
                replications=optional(COUNT),
                level=LEVEL,
                defensive=LEVEL,
                block=COUNT,
                save_every=Kind(0.0),
            ),
        ),
        "PathRun.beyond": (ut.run_paths(model, paths=256).beyond, dict(loss=1.0), dict(loss=ANY)),
        "PathRun.replay": (
            ut.run_paths(model, paths=256).replay,
            dict(path=3),
            dict(path=Kind(0, 255, whole=True)),
        ),
        "draw": (
            ut.draw,
            dict(sampler=ut.PSEUDO_RANDOM, seed=7, path=3, steps=12, factors=3),
            dict(seed=SEED, path=Kind(0, 2.0**63, whole=True), steps=COUNT, factors=COUNT),
        ),
        "sobol": (
            ut.sobol,
            dict(replications=2, points=16, steps=2, factors=2, components=1, seed=7),
            dict(replications=COUNT, points=COUNT, steps=COUNT, factors=COUNT, components=COUNT, seed=SEED),
        ),
        "Plan": (ut.Plan, dict(paths=512, block=256, seed=7), dict(paths=COUNT, block=COUNT, seed=SEED)),
        "run": (
            ut.run,
            dict(book="worked_small", paths=512, months=12, seed=7),
            dict(paths=COUNT, months=COUNT, seed=SEED),
        ),
    }


def calls() -> Calls:
    """Of every room."""
    rooms = (
        portfolios, exact_laws, baskets, deals, closed_forms, migration, samples, contagion, networks, paths
    )  # fmt: skip
    return {name: call for room in rooms for name, call in room().items()}
