"""A kernel's machine code, loops counted by hand, and the model of a multiprocessor."""

import pytest

from benchmarks.gpu import sass
from benchmarks.gpu.sass import Instruction


def line(address, text, stall=1, sets=7, reads=7, waits=0):
    """Two lines of a listing: an instruction, and its control bits."""
    bits = stall << 41 | sets << 46 | reads << 49 | waits << 52
    return f"        /*{address:04x}*/    {text} ;    /* 0x0000000000000000 */\n        /* 0x{bits:016x} */\n"


def listing():
    """Loops of paths, years and months, and one of six turns in a month."""
    lines = [
        ".L_x_1:\n", line(0x00, "MOV R1, R2"),
        ".L_x_2:\n", line(0x10, "MOV R1, R2"),
        ".L_x_3:\n", line(0x20, "FADD R3, R3, R4", stall=5),
        ".L_x_4:\n", line(0x30, "LDS R6, [R5]", sets=0), line(0x40, "VIADD R5, R5, 0x10"),
        line(0x50, "ISETP.GE.AND P0, PT, R5, 0x5c, PT"), line(0x60, "@!P0 BRA `(.L_x_4)"),
        line(0x70, "@!P1 BRA `(.L_x_3)"), line(0x80, "@!P2 BRA `(.L_x_2)"), line(0x90, "@!P3 BRA `(.L_x_1)"),
    ]  # fmt: skip
    return "".join(lines)


def test_a_month_has_the_turns_of_its_loops():
    month, size = sass.month_of(listing())
    assert size == 6 and len(month) == 2 + 6 * 4
    assert [each.name for each in month[:3]] == ["FADD", "LDS", "VIADD"] and month[0].stall == 5


def test_code_without_a_month_is_refused():
    with pytest.raises(ValueError, match="no loop of months"):
        sass.month_of(line(0, "MOV R1, R2"))


def instruction(name, stall=1, sets=7, waits=0):
    """An instruction of a unit."""
    return Instruction(name, "", name, stall, sets, 7, waits)


@pytest.mark.parametrize(
    "month, warps, cycles",
    [
        ([instruction("FADD")] * 100, 4, 100),  # a warp a scheduler, one instruction a cycle
        ([instruction("FADD")] * 100, 8, 200),  # two warps share a scheduler
        ([instruction("FADD", stall=4)] * 100, 4, 4 * 99 + 1),  # each waits for the one before
        ([instruction("FADD", stall=4)] * 100, 16, 400),  # four warps fill a scheduler
        ([instruction("LOP3")] * 100, 4, 2 * 99 + 1),  # half rate
        ([instruction("LDS", sets=0), instruction("FADD", waits=1)], 1, 1 + sass.LATENCY["LDS"] + 1),
    ],
)
def test_the_model_of_a_multiprocessor(month, warps, cycles):
    assert sass.simulated(month, warps, 0.0)[0] == cycles


def test_loads_that_miss_take_longer():
    month = [instruction("LDG", sets=0), instruction("FADD", waits=1)] * 20
    near, far = (sass.simulated(month, 1, missing)[0] for missing in (0.0, 1.0))
    assert far - near == pytest.approx(20 * (sass.FAR - sass.NEAR), abs=20)


def test_paths_a_second():
    """1,000 cycles for a month of ten paths on each multiprocessor."""
    assert sass.rate(1_000.0, 10) == pytest.approx(132 * 1.755e9 / (100 * 60))
