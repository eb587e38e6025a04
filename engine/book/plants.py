"""Plants of month 0: what contracts need in a year has been bought (docs/model.md, section 2)."""

import numpy as np

from engine.book.arrays import floats, integers
from engine.book.membership import Membership
from engine.book.parameters import Chips
from engine.book.system import ChipTable, ContractTable, FirmTable, PlantTable
from engine.vocabulary import HOURS


def build(
    firms: FirmTable,
    contracts: ContractTable,
    in_a_year: np.ndarray,
    pledged: np.ndarray,
    borrower: np.ndarray,
    chips: ChipTable,
    numbers: Chips,
) -> PlantTable:
    """Chips free of pledge and capacity online.

    What contracts pay `in_a_year` (USD bn) has been bought: what pledged chips cannot serve of it is owned
    free of pledge, in the mix of the pledged chips, or of the fleet where none are. By how much contracts
    grow is being installed. `borrower` is that of each collateralised loan.
    """
    rental = np.asarray(chips.rental, np.float64)
    operator = np.asarray(firms.operator, np.float64)
    by_firm = np.zeros((len(operator), len(rental)))
    np.add.at(by_firm, borrower, pledged)
    unit = HOURS * numbers.utilisation * rental  # USD bn a year of a million units
    fleet = np.asarray(chips.installed, np.float64)
    mix = np.where(by_firm.sum(axis=1, keepdims=True) > 0.0, by_firm, fleet)
    mix = mix / np.maximum(mix.sum(axis=1, keepdims=True), 1e-12)

    begun = np.asarray(contracts.start_month, np.float64) <= 0.0
    today = by_seller(contracts, np.asarray(contracts.start_annual, np.float64) * begun, operator)
    ahead = by_seller(contracts, in_a_year, operator)
    capacity = by_firm @ unit * operator
    missing, per_unit = np.maximum(ahead - capacity, 0.0), mix @ unit
    units = np.divide(missing, per_unit, out=np.zeros_like(missing), where=per_unit > 0.0)
    online = capacity + missing - np.maximum(ahead - today, 0.0)
    (places,) = np.nonzero(operator)
    return PlantTable(
        owner=Membership(integers(places), None, len(operator)),
        owned=floats((mix * units[:, None])[places]),
        online=floats(online),
    )


def by_seller(contracts: ContractTable, amount: np.ndarray, operator: np.ndarray) -> np.ndarray:
    """Sum of an amount over the compute contracts of each operator."""
    total = np.zeros(len(operator))
    np.add.at(total, np.asarray(contracts.seller), np.asarray(contracts.compute, np.float64) * amount)
    return total * operator
