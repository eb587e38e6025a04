"""What a loop of a traced function carries from turn to turn, as either form of JAX's `scan` says it."""

from collections.abc import Mapping
from typing import Any


def carry_range(params: Mapping[str, Any]) -> tuple[int, int]:
    """First and last place, exclusive, of the carried values among a scan's operands.

    Before them are its constants, behind them what it scans over. JAX counts them up to 0.10 and tells them
    by a tree of the operands from 0.11 on.
    """
    if "ft_in" in params:
        constants, carried, _ = (len(list(part)) for part in params["ft_in"].unpack())
    else:
        constants, carried = params["num_consts"], params["num_carry"]
    return constants, constants + carried
