"""Machine code of a fused kernel counted, and a model of how long an H100's multiprocessor takes for it.

The model: four schedulers that issue in order, the compiler's own stalls, scoreboards and waits, and assumed
latencies. Instruction fetch never stalls, memory has room for all requests, and banks do not conflict. It is
no measurement.
"""

import collections
import random
import re
from typing import NamedTuple

CORES, CLOCK = 132, 1.755e9
"""Multiprocessors of an H100 SXM and their clock under load, Hz."""
MONTHS = 60
UNITS = {
    "fma": {"FADD", "FMUL", "FFMA", "IMAD", "HFMA2", "UIMAD"},
    "memory": {"LDS", "STS", "LDG", "STG", "LDL", "STL", "SHFL", "LD", "ST", "LDC"},
    "special": {"MUFU", "F2I", "I2F", "FRND", "F2F"},
    "control": {"BRA", "NOP", "BSSY", "BSYNC", "WARPSYNC", "CALL", "EXIT", "RET", "BREAK"},
}
"""Instructions by unit; all others go through the arithmetic unit of half rate."""
CYCLES = {"fma": 1, "memory": 1, "special": 8, "control": 0, "alu": 2}
"""Cycles that a warp instruction holds its unit; memory's is one for all schedulers."""
LATENCY = {"LDS": 29, "STS": 20, "SHFL": 24, "LDL": 36, "STL": 20, "STG": 20, "ST": 20, "LDC": 36}
NEAR, FAR = 38, 270
"""Cycles of a load from global memory out of the first- and the second-level cache."""
QUEUE = 24
"""Requests that wait for memory's unit before schedulers stop."""


class Instruction(NamedTuple):
    """One instruction with the compiler's control bits."""

    name: str
    predicate: str
    text: str
    stall: int
    sets: int
    reads: int
    waits: int

    @property
    def unit(self) -> str:
        """The unit that carries it out."""
        return next((unit for unit, names in UNITS.items() if self.name in names), "alu")


def instructions(text: str) -> tuple[list[Instruction], dict[str, int]]:
    """Instructions of a listing by nvdisasm -c -hex, and places of its labels."""
    found, labels, pending = [], {}, None
    for line in text.splitlines():
        if label := re.match(r"(\.L_x_\d+):", line):
            labels[label.group(1)] = len(found)
        elif match := re.match(r"\s+/\*[0-9a-f]{4,6}\*/\s+(@!?U?P\w+ )?\s*([A-Z0-9_.]+)([^;]*);", line):
            pending = match.groups()
        elif pending and (match := re.match(r"\s+/\* 0x([0-9a-f]{16}) \*/", line)):
            bits, (predicate, name, rest) = int(match.group(1), 16), pending
            fields = (max(bits >> 41 & 15, 1), bits >> 46 & 7, bits >> 49 & 7, bits >> 52 & 63)
            found.append(Instruction(name.split(".")[0], (predicate or "").strip(), f"{name}{rest}", *fields))
            pending = None
    return found, labels


def loops_of(code: list[Instruction], labels: dict[str, int]) -> list[tuple[int, int]]:
    """(first, last) of every backward branch."""
    found = []
    for place, each in enumerate(code):
        target = re.search(r"(\.L_x_\d+)", each.text)
        if each.name == "BRA" and target and labels[target.group(1)] < place:
            found.append((labels[target.group(1)], place))
    return found


def turns(code: list[Instruction], first: int, last: int) -> int:
    """Turns of a loop whose counter grows by a constant and is compared with one; 1 where that is not seen.

    >>> add = Instruction("VIADD", "", "VIADD R5, R5, 0x10", 1, 7, 7, 0)
    >>> compare = Instruction("ISETP", "", "ISETP.GE.AND P0, PT, R5, 0x4c, PT", 1, 7, 7, 0)
    >>> turns([compare, add, compare._replace(name="BRA", predicate="@!P0")], 0, 2)
    6
    >>> turns([add, compare, compare._replace(name="BRA", predicate="@!P0")], 0, 2)
    5
    """
    predicate = code[last].predicate.strip("@!")
    pattern = rf"ISETP\S* {predicate}, PT, (R\d+)\S*, (0x[0-9a-f]+)"
    for place in range(last - 1, first - 1, -1):
        if match := re.match(pattern, code[place].text):
            counter, limit = match.group(1), int(match.group(2), 16)
            for at in range(first, last):
                add = re.match(r"(?:VIADD|IADD3|UIADD3) (R\d+), (R\d+)\S*, (0x[0-9a-f]+)", code[at].text)
                if add and counter in add.group(1, 2):
                    step = int(add.group(3), 16)
                    before = place < at or add.group(1) != counter
                    return max(1, -(-(limit + (step if before else 0)) // step))
            return 1
    return 1


def unrolled(
    code: list[Instruction], loops: list[tuple[int, int]], first: int, last: int
) -> list[Instruction]:
    """The instructions of a stretch as they are carried out, with the turns of the loops in it."""
    result: list[Instruction] = []
    place = first
    while place <= last:
        inner = max(
            (loop for loop in loops if loop[0] == place and loop[1] <= last and loop != (first, last)),
            default=None,
        )
        if inner:
            once = unrolled(code, [loop for loop in loops if loop != inner], *inner)
            result += once * turns(code, *inner)
            place = inner[1] + 1
        else:
            result.append(code[place])
            place += 1
    return result


def month_of(text: str) -> tuple[list[Instruction], int]:
    """(instructions of a warp in a month, of its code): the longest loop that two others enclose.

    Raises ValueError where there is none.
    """
    code, labels = instructions(text)
    loops = loops_of(code, labels)
    inside = [
        loop for loop in loops
        if sum(other[0] <= loop[0] and loop[1] <= other[1] and other != loop for other in loops) == 2
    ]  # fmt: skip
    if not inside:
        raise ValueError("the machine code has no loop of months within one of years within one of paths")
    first, last = max(inside, key=lambda loop: loop[1] - loop[0])
    return unrolled(code, loops, first, last), last - first + 1


def simulated(month: list[Instruction], warps: int, missing: float) -> tuple[float, collections.Counter]:
    """(cycles of a month of so many warps on one multiprocessor, what the schedulers' slots went to).

    `missing`: the share of global loads that the first-level cache does not have.
    """
    random.seed(1)
    ready, place = [0.0] * warps, [0] * warps
    boards = [[0.0] * 6 for _ in range(warps)]
    busy, units = 0.0, [collections.defaultdict(float) for _ in range(4)]
    why: collections.Counter = collections.Counter()
    last, cycle, left = [0] * 4, 0, warps
    decoded = [(each, each.unit, LATENCY.get(each.name, NEAR)) for each in month]
    while left:
        for scheduler in range(4):
            own = range(scheduler, warps, 4)
            reason = "idle"
            for turn in range(len(own)):
                warp = own[(last[scheduler] + turn) % len(own)]
                if place[warp] == len(month):
                    continue
                each, unit, latency = decoded[place[warp]]
                if ready[warp] > cycle:
                    reason = "fixed latency"
                elif each.waits and any(each.waits >> b & 1 and boards[warp][b] > cycle for b in range(6)):
                    reason = "waiting for memory or a special unit"
                elif unit not in ("memory", "control") and units[scheduler][unit] > cycle:
                    reason = "unit busy"
                elif unit == "memory" and busy - cycle > QUEUE:
                    reason = "memory's queue"
                else:
                    reason = "issued"
                    begin = float(cycle)
                    if unit == "memory":
                        busy = max(busy, cycle) + CYCLES[unit]
                        begin = busy
                        if each.name in ("LDG", "LD"):
                            latency = FAR if random.random() < missing else NEAR
                    else:
                        units[scheduler][unit] = cycle + CYCLES[unit]
                        latency = 24
                    if each.sets < 6:
                        boards[warp][each.sets] = max(boards[warp][each.sets], begin + latency)
                    if each.reads < 6:
                        boards[warp][each.reads] = max(boards[warp][each.reads], begin + 12)
                    ready[warp] = cycle + each.stall
                    place[warp] += 1
                    left -= place[warp] == len(month)
                    last[scheduler] = (last[scheduler] + turn) % len(own)
                    break
            why[reason] += 1
        cycle += 1
    return float(cycle), why


def rate(cycles: float, paths: int) -> float:
    """Paths/s of a device whose multiprocessors each take so many cycles for a month of so many paths."""
    return CORES * CLOCK * paths / (cycles * MONTHS)
