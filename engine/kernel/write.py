"""A body as C++ source: groups as loops and straight code, loops over turns, results to arrays of paths."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.kernel.arrays import Array, Arrays, Code, Codes, runs, step, uniform
from engine.kernel.body import FEW, Body, Copy, Group, Rows, Turns
from engine.kernel.known import Tables
from engine.kernel.operations import LETTER, literal
from engine.kernel.program import Unsupported, Value, bodies
from engine.kernel.timeline import Timeline, registers

HEAD = """\
extern "C" void undertow_paths(const void* const* in, void* const* out, long count) {
  vf* const s = memory.of(MEMORY);
  for (long first = 0; first < count; first += W) {
    const int lanes = count - first < W ? (int)(count - first) : W;
"""
FOOT = "  }\n}\n"

MANY = 256
"""Elements of a known array from which on a table has only those that are read one by one."""


class Writer:
    """Writes the source of a kernel."""

    def __init__(self, arrays: Arrays, tables: Tables):
        self.arrays, self.tables = arrays, tables
        self.numbers = {program: number for number, program in enumerate(bodies(tables.known.program))}
        self.lists: list[np.ndarray] = []
        self.list_at: dict[bytes, int] = {}
        self.list_size = 0
        self.lines: list[str] = []
        self.names = 0

    def source(self, body: Body, inputs: Sequence[Array], results: Sequence[tuple[Value, Codes]]) -> str:
        """The kernel's source, to be compiled behind `frame.h`."""
        memory = Timeline(body, self.arrays, inputs, [codes.reshape(-1) for _, codes in results]).place()
        self.lines.append("    const long t0 = 0; (void)t0;")
        self.lines.append("    const uint32_t* const k0 = (const uint32_t*)in[0];")
        for array in self.arrays.zeros.values():
            self.say(f"{LETTER[array.dtype].upper()}(s, {array.place}) = {literal(0, array.dtype)};")
        for number, array in enumerate(inputs):
            self.input(array, len(self.numbers) + number)
        self.body(body)
        for number, (value, codes) in enumerate(results):
            self.result(number, value, codes.reshape(-1))
        table = ", ".join(str(n) for part in self.lists for n in part) or "0"
        words = "".join(
            f"#define WORDS{number} {self.tables.words[program] + 1}\n"
            for program, number in self.numbers.items()
        )
        head = f"#define MEMORY {max(memory, 1)}\n{words}static const int32_t T[] = {{{table}}};\n"
        return head + HEAD + "\n".join(self.lines) + "\n" + FOOT

    def say(self, line: str) -> None:
        """Append a line to the body of the kernel."""
        self.lines.append("    " + line)

    def name(self) -> str:
        """A new name of a variable."""
        self.names += 1
        return f"n{self.names}"

    # Reading.

    def element(self, code: Code) -> str:
        """One element of a view."""
        array, at = self.arrays.at(code)
        letter = LETTER[array.dtype]
        if array.fixed is not None:
            return literal(array.fixed[at], array.dtype)
        if array.always_zero:
            return literal(0, array.dtype)
        if not array.moves:
            return self.known_element(array, at)
        if array.local:
            return f"v{array.number}_{at}"
        return f"{letter.upper()}({array.base}, {array.place + at})"

    def known_element(self, array: Array, at: int) -> str:
        """One element of a table, which has the whole array."""
        return self.from_table(array, np.arange(array.size), str(at))

    def from_table(self, array: Array, positions: np.ndarray, offset: str) -> str:
        """The element at `offset` of those that the table has from these positions of an array."""
        program = array.owner or self.tables.known.program
        assert array.value is not None
        place = self.tables.place(program, array.value, positions, array.inverse)
        wide = 2 if array.dtype == "int64" else 1
        where = str(place + wide * int(offset)) if offset.isdigit() else f"{place} + {offset}"
        return f"K{LETTER[array.dtype].upper()}(k{self.numbers[program]}, {where})"

    def operand(self, codes: Codes, inside: set[Array]) -> str:
        """Element e of a view."""
        if uniform(codes):
            return self.element(codes[0])
        arrays = self.arrays.of(codes)
        array, letter = arrays[0], LETTER[arrays[0].dtype].upper()
        positions = codes & 0xFFFFFFFF
        if not array.moves:
            whole = step(positions) == 1
            where = f"{positions[0]} + e" if whole else "e"
            return self.from_table(array, np.arange(array.size) if whole else positions, where)
        if array in inside and codes.size == array.size and np.array_equal(codes, array.codes(codes.shape)):
            return f"v{array.number}"
        places = np.array([each.place for each in arrays])[
            np.searchsorted([a.number for a in arrays], codes >> 32)
        ]
        return f"{letter}({array.base}, {self.at(places + positions)})"

    def at(self, positions: np.ndarray) -> str:
        """Position e of a list, by a formula or by a table."""
        width = step(positions)
        if width == 1:
            return f"{positions[0]} + e"
        if width is not None:
            return f"{positions[0]} + {width} * e"
        key = positions.tobytes()
        if key not in self.list_at:
            self.list_at[key] = self.list_size
            self.lists.append(positions)
            self.list_size += positions.size
        return f"T[{self.list_at[key]} + e]"

    # Writing.

    def body(self, body: Body) -> None:
        """All groups of a body, then what its loop carries on."""
        for group in body.groups:
            if group.size:
                self.loop(group)
            else:
                for item in group.items:
                    self.straight(item)
        for copy in body.end:
            self.copy(copy)

    def loop(self, group: Group) -> None:
        """A loop over elements; what it reads twice is read once."""
        inside, lines, after = registers(group), [], []
        read: dict[str, str] = {}

        def text(codes: Codes) -> str:
            source = self.operand(codes, inside)
            if source.startswith(("v", "all")):
                return source
            if source not in read:
                read[source] = self.name()
                lines.append(f"const auto {read[source]} = {source};")
            return read[source]

        for item in group.items:
            letter = LETTER[item.result.dtype]
            if isinstance(item, Copy):
                position = f"{item.result.base}, {item.result.place + item.first} + e"
                lines.append(f"{letter.upper()}({position}) = {text(item.operand)};")
            elif item.start is not None:
                total = f"v{item.result.number}_0"
                self.say(f"v{letter} {total} = {item.start};")
                lines.append(f"{total} = {item.text([total, *map(text, item.operands)])};")
                if item.result.stored:
                    after.append(f"{letter.upper()}(s, {item.result.place}) = {total};")
            else:
                own = f"v{item.result.number}"
                lines.append(f"const v{letter} {own} = {item.text(list(map(text, item.operands)))};")
                if item.result.stored:
                    lines.append(f"{letter.upper()}(s, {item.result.place} + e) = {own};")
        self.say(f"for (long e = 0; e < {group.size}; ++e) {{ " + " ".join(lines) + " }" + " ".join(after))

    def straight(self, item: Any) -> None:
        """An item outside of loops over elements."""
        if isinstance(item, Turns):
            self.turns(item)
        elif isinstance(item, Copy):
            self.copy(item)
        elif isinstance(item, Rows):
            self.rows(item)
        else:
            raise AssertionError(item)

    def rows(self, item: Rows) -> None:
        """Every element by its own expression."""
        array, letter = item.result, LETTER[item.result.dtype]
        sparse = self.sparse([code for _, codes in item.rows for code in codes])
        for row, (text, codes) in enumerate(item.rows):
            value = text([sparse.get(code) or self.element(code) for code in codes])
            if array.local:
                self.say(f"const v{letter} v{array.number}_{row} = {value};")
                value = f"v{array.number}_{row}"
            if array.stored:
                self.say(f"{letter.upper()}({array.base}, {array.place + row}) = {value};")

    def sparse(self, codes: Sequence[Code]) -> dict[int, str]:
        """Elements of large known arrays of which few are read: a table has those alone, in their order."""
        texts = {}
        order = np.array(list(dict.fromkeys(codes)), np.int64)
        for array in self.arrays.of(order):
            own = order[order >> 32 == array.number]
            if not array.moves and array.fixed is None and array.size > MANY and own.size < array.size / 2:
                for at, code in enumerate(own):
                    texts[int(code)] = self.from_table(array, own & 0xFFFFFFFF, str(at))
        return texts

    def copy(self, copy: Copy) -> None:
        """Stretches of a view put where they belong."""
        letter = LETTER[copy.result.dtype].upper()
        for first, codes in runs(copy.operand.reshape(-1)):
            place = copy.result.place + copy.first + first
            if codes.size <= FEW:
                for row, code in enumerate(codes):
                    self.say(f"{letter}({copy.result.base}, {place + row}) = {self.element(code)};")
            else:
                target = f"{letter}({copy.result.base}, {place} + e)"
                self.say(f"for (long e = 0; e < {codes.size}; ++e) {target} = {self.operand(codes, set())};")

    def turns(self, item: Turns) -> None:
        """A loop: its start, its turns, each with the rows that it reads and writes."""
        program, length = item.body.program, item.loop.params["length"]
        own = self.numbers[program]
        around = self.numbers[item.body.outer.program] if item.body.outer else 0
        for copy in item.start:
            self.copy(copy)
        turn = f"{length - 1} - c{own}" if item.loop.params["reverse"] else f"c{own}"
        self.say(f"for (long c{own} = 0; c{own} < {length}; ++c{own}) {{")
        self.say(f"const long i{own} = {turn}, t{own} = t{around} * {length} + i{own}; (void)t{own};")
        self.say(
            f"const uint32_t* const k{own} = (const uint32_t*)in[{own}] + t{own} * WORDS{own}; (void)k{own};"
        )
        for row, codes in item.rows:
            array, at = self.arrays.at(codes[0])
            self.say(f"vf* const {row.base} = {array.base} + {array.place + at} + i{own} * {row.size};")
            row.place = 0
        for row, whole in item.results:
            self.say(f"vf* const {row.base} = {whole.base} + {whole.place} + i{own} * {row.size};")
            row.place = 0
        self.body(item.body)
        self.say("}")

    def input(self, array: Array, number: int) -> None:
        """An input with the paths last, brought into memory."""
        letter = LETTER[array.dtype]
        if array.dtype == "bool":
            raise Unsupported("inputs of type bool with a path axis")
        if array.local:
            for row in range(array.size):
                size = 8 if letter == "l" else 4
                self.say(f"v{letter} v{array.number}_{row} = {{}};")
                source = f"(const char*)in[{number}] + {size} * ({row} * count + first)"
                self.say(f"memcpy(&v{array.number}_{row}, {source}, {size} * lanes);")
        if array.stored and array.local:
            for row in range(array.size):
                self.say(f"{letter.upper()}(s, {array.place + row}) = v{array.number}_{row};")
        elif array.stored:
            source = f"(const char*)in[{number}] + 4 * first"
            self.say(f"load((v{letter}*)s + {array.place}, {source}, count, {array.size}, lanes);")

    def result(self, number: int, value: Value, codes: Codes) -> None:
        """A result with the paths last."""
        put = "put_mask" if value.dtype == "bool" else "put"
        for first, part in runs(codes):
            if part.size <= FEW:
                for row, code in enumerate(part):
                    at = f"{first + row} * count + first"
                    self.say(f"{put}(out[{number}], {at}, {self.element(code)}, lanes);")
            else:
                at, source = f"({first} + e) * count + first", self.operand(part, set())
                self.say(
                    f"for (long e = 0; e < {part.size}; ++e) {put}(out[{number}], {at}, {source}, lanes);"
                )
