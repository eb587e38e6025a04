"""Elementwise primitives as C++ expressions of `frame.h`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.kernel.program import Unsupported

LETTER = {"float32": "f", "int32": "i", "uint32": "u", "bool": "b", "int64": "l"}
"""Types of a kernel's numbers, as `frame.h` calls their vectors."""

PLAIN = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}",
    "square": "{0} * {0}", "add_any": "{} + {}",
    "and": "{} & {}", "or": "{} | {}", "xor": "{} ^ {}", "not": "~{}", "eq": "equal({}, {})",
    "ne": "~equal({}, {})", "lt": "less({}, {})", "le": "at_most({}, {})", "gt": "less({1}, {0})",
    "ge": "at_most({1}, {0})", "shift_left": "{} << {}", "shift_right_logical": "logical_shift({}, {})",
    "shift_right_arithmetic": "{} >> {}", "exp": "exponential({})", "exp2": "power_of_two({})",
    "log": "logarithm({})", "log1p": "logarithm_1p({})", "expm1": "exponential_m1({})",
    "pow": "power({}, {})",
    "sqrt": "root({})", "rsqrt": "1.0f / root({})", "tanh": "tangent({})", "logistic": "logistic({})",
    "abs": "magnitude({})", "sign": "sign({})", "floor": "down({})", "ceil": "up({})",
    "is_finite": "finite({})", "copy": "{}", "stop_gradient": "{}", "max": "larger({}, {})",
    "min": "smaller({}, {})", "clamp": "smaller(larger({1}, {0}), {2})", "rem": "{} % {}",
}  # fmt: skip
"""Primitives that need no look at their parameters."""
FLOATING = {
    "exp",
    "exp2",
    "log",
    "log1p",
    "expm1",
    "pow",
    "sqrt",
    "rsqrt",
    "tanh",
    "logistic",
    "floor",
    "ceil",
}
WHOLE = {"rem", "shift_left", "shift_right_logical", "shift_right_arithmetic"}
SPECIAL = {
    "select_n", "convert_element_type", "bitcast_convert_type", "integer_pow", "round", "polynomial"
}  # fmt: skip
WORDS = {"float32", "int32", "uint32"}
"""Types of 32 bits, each of which can be read as another."""
ELEMENTWISE = PLAIN.keys() | SPECIAL

Text = Callable[[Sequence[str]], str]
"""The C++ expression on those of the operands."""


def expression(name: str, params: dict[str, Any], types: Sequence[str], result: str) -> Text:
    """The expression of an elementwise primitive on operands of these types."""
    for dtype in (*types, result):
        letter(dtype)
    if name in FLOATING and types[0] != "float32" or name in WHOLE and types[0] == "float32":
        raise Unsupported(f"{name} of {types[0]}")
    if name == "select_n":
        return one_of(types)
    if name == "convert_element_type":
        return conversion(types[0], result)
    if name == "bitcast_convert_type":
        if not {types[0], result} <= WORDS:
            raise Unsupported(f"bits of {types[0]} as {result}")
        return lambda texts: f"bits_as<v{LETTER[result]}>({texts[0]})"
    if name == "polynomial":
        return horner
    if name == "integer_pow":
        return whole_power(params["y"])
    if name == "round":
        if params["rounding_method"].value != 1:
            return lambda texts: f"nearest_away({texts[0]})"
        return lambda texts: f"nearest({texts[0]})"
    return lambda texts: PLAIN[name].format(*texts)


def one_of(types: Sequence[str]) -> Text:
    """The case that a mask or a position, the first operand, chooses of the others."""
    if types[0] == "bool" and len(types) == 3:
        return lambda texts: f"choose({texts[0]}, {texts[2]}, {texts[1]})"
    if types[0] != "int32":
        raise Unsupported(f"select_n of {len(types) - 1} cases by {types[0]}")

    def text(texts: Sequence[str]) -> str:
        position, *cases, last = texts
        for place, case in reversed(list(enumerate(cases))):
            last = f"choose(at_most({position}, all({place})), {case}, {last})"
        return last

    return text


def horner(texts: Sequence[str]) -> str:
    """A polynomial of the first operand, its coefficients from the lowest degree on."""
    x, *coefficients, value = texts
    for coefficient in reversed(coefficients):
        value = f"({value} * {x} + {coefficient})"
    return value


def letter(dtype: str) -> str:
    """The letter of a type; raises Unsupported for those a kernel does not have."""
    if dtype not in LETTER:
        raise Unsupported(f"numbers of type {dtype}")
    return LETTER[dtype]


def conversion(start: str, end: str) -> Text:
    """From one type to another."""
    if end == "bool":
        return lambda texts: f"~equal({texts[0]}, zero({texts[0]}))"
    if start == "bool":
        return lambda texts: f"mask_to_{LETTER[end]}({texts[0]})"
    return lambda texts: f"to_{LETTER[end]}({texts[0]})"


def whole_power(exponent: int) -> Text:
    """x^n by multiplication."""
    if exponent == 0:
        return lambda texts: "all(1.0f)"
    product = f"whole_power<{abs(exponent)}>({{}})"
    text = product if exponent > 0 else f"1.0f / {product}"
    return lambda texts: text.format(texts[0])


def literal(number: Any, dtype: str) -> str:
    """A number in C++, on all paths."""
    if dtype == "bool":
        return f"all({-1 if number else 0})"
    if dtype == "float32":
        number = np.float32(number)
        if np.isnan(number):
            return "all(NAN)"
        if np.isinf(number):
            return "all(INFINITY)" if number > 0 else "all(-INFINITY)"
        return f"all({float(number)!r}f)"
    if dtype == "int64":
        return f"all({int(number)}ll)"
    return f"all({int(number) & 0xFFFFFFFF}u)" if dtype == "uint32" else f"all({least(int(number))})"


def least(number: int) -> str:
    """A 32-bit integer; C++ has no literal for the least one."""
    return f"{number}" if number > -(2**31) else "(-2147483647 - 1)"
