"""The System of the same book under other parameters, without rebuilding all of it."""

import dataclasses

from engine.book import calendar, plants
from engine.book.arrays import floats
from engine.book.build import (
    arrays_of,
    borrowers,
    chip_table,
    contract_table,
    economy_table,
    pledges,
    positions,
    security_weight,
)
from engine.book.calibration import collateral_scale
from engine.book.load import Book
from engine.book.parameters import Parameters
from engine.book.system import System


class Variants:
    """Systems of one book over the months of `system`, by parameters: `variants(parameters)`.

    Each equals `build_system(book, parameters, months)` in a tenth of its time: only what reads a parameter
    is rebuilt: the numbers, economy, chips, plants, calendar, what loans are to come to and the scale of
    collateral.
    """

    def __init__(self, system: System, book: Book) -> None:
        tables, names = book.tables, system.names
        self.system, self.chips, self.correlation = system, tables["chips"], tables["correlation"]
        self.named, _, self.loans, _ = borrowers(tables)
        self.contracts = contract_table(tables["contracts"], self.named, names)
        count = int(self.loans["collateral"].sum())
        self.pledged, self.security = pledges(tables, names, count)
        self.weight = security_weight(self.security, self.contracts)
        self.borrower = positions(self.loans["borrower"], names.firms)[:count]

    def __call__(self, parameters: Parameters) -> System:
        """The System under these parameters."""
        system, months = self.system, self.system.calendar.month.shape[0]
        chips = chip_table(self.chips, parameters)
        dates = calendar.build(self.loans, self.named, self.contracts, parameters, months)
        scale = collateral_scale(
            self.loans, self.pledged, self.security, self.weight, self.contracts, chips, dates, parameters
        )
        planned = calendar.planned(self.loans, parameters)
        return dataclasses.replace(
            system,
            numbers=arrays_of(parameters),
            economy=economy_table(self.correlation, parameters),
            chips=chips,
            loans=dataclasses.replace(system.loans, planned=floats(planned), collateral_scale=floats(scale)),
            plants=plants.build(
                system.firms,
                self.contracts,
                dates["term_ahead"][0],
                self.pledged,
                self.borrower,
                chips,
                parameters.chips,
            ),
            calendar=calendar.window(dates, months),
        )
