"""Undertow: tail losses in AI-infrastructure credit, and the classic pieces of credit risk it is made of.

    import undertow as ut

    run = ut.run("ai_credit_2025", paths=20_000, seed=7)
    run.loss                              # EL, VaR and ES by horizon, USD bn, as a pandas DataFrame
    run.lenders, run.bearers, run.borrowers, run.contributions
    run.plot.loss(), run.table("system")  # charts and tables of the report
    run.replay(17)                        # every month of one path
    run.write("out/mine")                 # tables, summary.json, report.html and report.xlsx

    ut.clear([[0, 4], [0, 0]], [2, 0])    # Eisenberg-Noe; docs/api.md lists everything by topic

`import undertow` is instant: a name imports its module at its first use. The first name that needs JAX sets
XLA's flags for this process if JAX is not imported yet (`prepare`). JAX's own settings do not change: float64
is on within each call only, and results are NumPy arrays and pandas DataFrames.
"""

# ruff: noqa: F401 (the imports are for type checkers)

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.book.build import build_system as build_system
    from engine.book.checks.problems import BookError as BookError
    from engine.book.load import Book as Book
    from engine.book.parameters import Parameters as Parameters
    from engine.book.system import System as System
    from engine.book.template import write_template as write_template
    from engine.contagion.cascade import default_rounds as default_rounds
    from engine.contagion.clearing import fail_each as fail_each
    from engine.contagion.cross_holdings import clear_holdings as clear_holdings
    from engine.contagion.dated_clearing import clear_dates as clear_dates
    from engine.contagion.debtrank import debtrank as debtrank
    from engine.contagion.deleveraging import deleverage as deleverage
    from engine.contagion.ensembles import sample_fitness as sample_fitness
    from engine.contagion.ensembles import sample_gibbs as sample_gibbs
    from engine.contagion.fire_sale import fire_sale as fire_sale
    from engine.contagion.networks import EisenbergNoe as EisenbergNoe
    from engine.contagion.networks import LinearDebtRank as LinearDebtRank
    from engine.contagion.networks import RogersVeraart as RogersVeraart
    from engine.contagion.networks import Threshold as Threshold
    from engine.contagion.networks import clear as clear
    from engine.contagion.reconstruct import maximum_entropy as maximum_entropy
    from engine.contagion.reconstruct import minimum_density as minimum_density
    from engine.contagion.waterfall import tranche_loss as tranche_loss
    from engine.deal.deal_cash import DealCash as DealCash
    from engine.deal.pool import PoolCash as PoolCash
    from engine.deal.pool import pool_cash as pool_cash
    from engine.deal.pool import pool_paths as pool_paths
    from engine.deal.speeds import psa as psa
    from engine.deal.speeds import sda as sda
    from engine.deal.terms import Call as Call
    from engine.deal.terms import Deal as Deal
    from engine.deal.terms import Note as Note
    from engine.deal.terms import Reserve as Reserve
    from engine.deal.terms import Trigger as Trigger
    from engine.deal.waterfall import waterfall as waterfall
    from engine.draws.samplers import PSEUDO_RANDOM as PSEUDO_RANDOM
    from engine.draws.samplers import Antithetic as Antithetic
    from engine.draws.samplers import draw as draw
    from engine.draws.samplers import sobol as sobol
    from engine.paths.replay import replay as replay
    from engine.paths.simulate import layout_of as layout_of
    from engine.paths.simulate import simulate as simulate
    from engine.portfolio.basket import Basket as Basket
    from engine.portfolio.basket import basket as basket
    from engine.portfolio.cliff import tranche_cliff as tranche_cliff
    from engine.portfolio.cliff import tranche_loss_law as tranche_loss_law
    from engine.portfolio.contributions import euler_contributions as euler_contributions
    from engine.portfolio.contributions import euler_var_contributions as euler_var_contributions
    from engine.portfolio.copulas import DoubleT as DoubleT
    from engine.portfolio.copulas import GaussianCopula as GaussianCopula
    from engine.portfolio.copulas import StudentCopula as StudentCopula
    from engine.portfolio.creditriskplus import CreditRiskPlus as CreditRiskPlus
    from engine.portfolio.creditriskplus import creditrisk_plus as creditrisk_plus
    from engine.portfolio.distribution import LossDistribution as LossDistribution
    from engine.portfolio.migration import bond_value as bond_value
    from engine.portfolio.migration import default_probabilities as migration_default_probabilities
    from engine.portfolio.migration import generator as migration_generator
    from engine.portfolio.migration import joint_migration as joint_migration
    from engine.portfolio.migration import transition as migration_transition
    from engine.portfolio.portfolio import Portfolio as Portfolio
    from engine.portfolio.portfolio import portfolio as portfolio
    from engine.portfolio.portfolio import read_portfolio as read_portfolio
    from engine.portfolio.recursion import exact_distribution as exact_distribution
    from engine.portfolio.recursion import shortfall_contributions as shortfall_contributions
    from engine.portfolio.recursion import var_contributions as var_contributions
    from engine.portfolio.simulate import portfolio_tail as portfolio_tail
    from engine.portfolio.vasicek import basel_correlation as basel_correlation
    from engine.portfolio.vasicek import capital as basel_capital
    from engine.portfolio.vasicek import default_count as vasicek_default_count
    from engine.portfolio.vasicek import expected_shortfall as vasicek_expected_shortfall
    from engine.portfolio.vasicek import granularity_adjustment as granularity_adjustment
    from engine.portfolio.vasicek import loss_cdf as vasicek_cdf
    from engine.portfolio.vasicek import loss_quantile as vasicek_quantile
    from engine.portfolio.vasicek import risk_weight as basel_risk_weight
    from engine.run.path_model import PathModel as PathModel
    from engine.run.path_model import PathOutcome as PathOutcome
    from engine.run.plan import Plan as Plan
    from engine.tail.measures import from_losses as from_losses
    from engine.tail.sample import sample_tail as sample_tail
    from engine.tail.worst_case import worst_case as worst_case
    from engine.tail.worst_case import worst_probability as worst_probability
    from engine.undertow.bad_input import BadInput as BadInput
    from engine.undertow.books import load_book as load_book
    from engine.undertow.isolation import prepare as prepare
    from engine.undertow.main_job import run as run
    from engine.undertow.path_run import PathRun as PathRun
    from engine.undertow.path_run import run_paths as run_paths
    from engine.undertow.simulation import Run as Run

ON_HOST = {
    "BookError": "book.checks.problems.BookError",
    "Book": "book.load.Book",
    "Parameters": "book.parameters.Parameters",
    "write_template": "book.template.write_template",
    "sample_fitness": "contagion.ensembles.sample_fitness",
    "sample_gibbs": "contagion.ensembles.sample_gibbs",
    "maximum_entropy": "contagion.reconstruct.maximum_entropy",
    "minimum_density": "contagion.reconstruct.minimum_density",
    "DealCash": "deal.deal_cash.DealCash",
    "PoolCash": "deal.pool.PoolCash",
    "pool_cash": "deal.pool.pool_cash",
    "pool_paths": "deal.pool.pool_paths",
    "psa": "deal.speeds.psa",
    "sda": "deal.speeds.sda",
    "Call": "deal.terms.Call",
    "Deal": "deal.terms.Deal",
    "Note": "deal.terms.Note",
    "Reserve": "deal.terms.Reserve",
    "Trigger": "deal.terms.Trigger",
    "waterfall": "deal.waterfall.waterfall",
    "Basket": "portfolio.basket.Basket",
    "basket": "portfolio.basket.basket",
    "tranche_cliff": "portfolio.cliff.tranche_cliff",
    "tranche_loss_law": "portfolio.cliff.tranche_loss_law",
    "DoubleT": "portfolio.copulas.DoubleT",
    "GaussianCopula": "portfolio.copulas.GaussianCopula",
    "StudentCopula": "portfolio.copulas.StudentCopula",
    "CreditRiskPlus": "portfolio.creditriskplus.CreditRiskPlus",
    "creditrisk_plus": "portfolio.creditriskplus.creditrisk_plus",
    "LossDistribution": "portfolio.distribution.LossDistribution",
    "bond_value": "portfolio.migration.bond_value",
    "migration_default_probabilities": "portfolio.migration.default_probabilities",
    "migration_generator": "portfolio.migration.generator",
    "joint_migration": "portfolio.migration.joint_migration",
    "migration_transition": "portfolio.migration.transition",
    "exact_distribution": "portfolio.recursion.exact_distribution",
    "shortfall_contributions": "portfolio.recursion.shortfall_contributions",
    "var_contributions": "portfolio.recursion.var_contributions",
    "basel_correlation": "portfolio.vasicek.basel_correlation",
    "basel_capital": "portfolio.vasicek.capital",
    "vasicek_default_count": "portfolio.vasicek.default_count",
    "vasicek_expected_shortfall": "portfolio.vasicek.expected_shortfall",
    "granularity_adjustment": "portfolio.vasicek.granularity_adjustment",
    "vasicek_cdf": "portfolio.vasicek.loss_cdf",
    "vasicek_quantile": "portfolio.vasicek.loss_quantile",
    "basel_risk_weight": "portfolio.vasicek.risk_weight",
    "sample_tail": "tail.sample.sample_tail",
    "BadInput": "undertow.bad_input.BadInput",
    "load_book": "undertow.books.load_book",
    "prepare": "undertow.isolation.prepare",
}
"""Names that need no JAX, and where they live in `engine`."""

ON_DEVICE = {
    "build_system": "book.build.build_system",
    "System": "book.system.System",
    "default_rounds": "contagion.cascade.default_rounds",
    "fail_each": "contagion.clearing.fail_each",
    "clear_holdings": "contagion.cross_holdings.clear_holdings",
    "clear_dates": "contagion.dated_clearing.clear_dates",
    "debtrank": "contagion.debtrank.debtrank",
    "deleverage": "contagion.deleveraging.deleverage",
    "fire_sale": "contagion.fire_sale.fire_sale",
    "EisenbergNoe": "contagion.networks.EisenbergNoe",
    "LinearDebtRank": "contagion.networks.LinearDebtRank",
    "RogersVeraart": "contagion.networks.RogersVeraart",
    "Threshold": "contagion.networks.Threshold",
    "clear": "contagion.networks.clear",
    "tranche_loss": "contagion.waterfall.tranche_loss",
    "Antithetic": "draws.samplers.Antithetic",
    "PSEUDO_RANDOM": "draws.samplers.PSEUDO_RANDOM",
    "draw": "draws.samplers.draw",
    "sobol": "draws.samplers.sobol",
    "replay": "paths.replay.replay",
    "layout_of": "paths.simulate.layout_of",
    "simulate": "paths.simulate.simulate",
    "euler_contributions": "portfolio.contributions.euler_contributions",
    "euler_var_contributions": "portfolio.contributions.euler_var_contributions",
    "Portfolio": "portfolio.portfolio.Portfolio",
    "portfolio": "portfolio.portfolio.portfolio",
    "read_portfolio": "portfolio.portfolio.read_portfolio",
    "portfolio_tail": "portfolio.simulate.portfolio_tail",
    "PathModel": "run.path_model.PathModel",
    "PathOutcome": "run.path_model.PathOutcome",
    "Plan": "run.plan.Plan",
    "from_losses": "tail.measures.from_losses",
    "worst_case": "tail.worst_case.worst_case",
    "worst_probability": "tail.worst_case.worst_probability",
    "PathRun": "undertow.path_run.PathRun",
    "run_paths": "undertow.path_run.run_paths",
    "Run": "undertow.simulation.Run",
    "run": "undertow.main_job.run",
}
"""Names that need JAX: functions run in double precision and give NumPy arrays back."""

__all__ = sorted({*ON_HOST, *ON_DEVICE})


def __getattr__(name: str) -> Any:
    """A public name, imported at its first use."""
    if name in ON_HOST:
        value = _import(name, ON_HOST[name])
    elif name in ON_DEVICE:
        from engine.undertow.isolation import isolated, prepared

        prepared()
        value = _import(name, ON_DEVICE[name])
        if not isinstance(value, type) and name != "PSEUDO_RANDOM":
            value = isolated(value)
    else:
        raise AttributeError(f"module 'undertow' has no attribute {name!r}; dir(undertow) lists what it has")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


def _import(name: str, place: str) -> Any:
    from engine.undertow.legible import public

    module, _, own = place.rpartition(".")
    return public(name, getattr(importlib.import_module(f"engine.{module}"), own))
