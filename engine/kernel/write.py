"""A body as source: groups as loops and straight code, loops over turns.

What CPU and GPU share. `FOR(n)` is a loop over elements e, `PUT` writes a word of a path's memory, and types
and functions have the names of `frame.h`; the writers of `vectors.py` and `lanes.py` know the rest of a
frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.kernel.arrays import Array, Arrays, Code, Codes, runs, step, uniform
from engine.kernel.body import Body, Copy, Group, Rows, Turns
from engine.kernel.form import Form
from engine.kernel.known import Tables
from engine.kernel.operations import LETTER, literal
from engine.kernel.program import Program, Value, bodies
from engine.kernel.timeline import Timeline, registers

OUTERMOST = ["    const long t0 = 0; (void)t0;", "    TABLE(k0, in[0], 0);"]
"""The lines that open a kernel, as those that open a loop."""
MANY = 256
"""Elements of a known array from which on a table has only those that are read one by one."""


@dataclass(frozen=True, repr=False)
class Source:
    """A kernel's source, to be compiled behind its frame, and the words of a path's memory.

    `parts` are sources of functions that it calls.
    """

    text: str
    near: int
    far: int
    parts: tuple[str, ...] = ()


class Writer:
    """Writes the source of a kernel of a form; a subclass knows its frame."""

    def __init__(self, arrays: Arrays, tables: Tables, form: Form):
        self.arrays, self.tables, self.form = arrays, tables, form
        self.numbers = {program: number for number, program in enumerate(bodies(tables.known.program))}
        self.lists: list[np.ndarray] = []
        self.list_at: dict[bytes, int] = {}
        self.whole_at: dict[Array, int] = {}
        self.list_size = 0
        self.lines: list[str] = []
        self.names = 0
        self.near_words = self.far_words = 0
        self.around: list[tuple[str, list[str]]] = []  # of every loop: its turn, and the lines that open it

    def source(self, body: Body, inputs: Sequence[Array], results: Sequence[tuple[Value, Codes]]) -> Source:
        """The kernel's source."""
        views = [codes.reshape(-1) for _, codes in results]
        timeline = Timeline(body, self.arrays, inputs, views, self.form)
        self.near_words = max(timeline.place("s"), 1)
        self.far_words = timeline.place(self.form.far) if self.form.far != "s" else 0
        self.lines += OUTERMOST
        for array in self.arrays.zeros.values():
            self.before([], [(array, 0, 1, False)])
            self.say(self.put(array, 0, literal(0, array.dtype)))
        for number, array in enumerate(inputs):
            self.input(array, len(self.numbers) + number)
        self.body(body)
        for number, (value, codes) in enumerate(results):
            self.result(number, value, codes.reshape(-1))
        words = "".join(
            f"#define WORDS{number} {self.tables.words[program] + 1}\n"
            for program, number in self.numbers.items()
        )
        return self.whole(words, len(inputs), len(results))

    def list_text(self) -> str:
        """The elements of all lists of positions."""
        return ", ".join(str(n) for part in self.lists for n in part) or "0"

    def whole(self, words: str, inputs: int, results: int) -> Source:
        """The source around the lines of the kernel."""
        raise NotImplementedError

    def body_of_turns(self, lines: list[str]) -> list[str]:
        """The lines of a loop's body, or lines that call functions which have them."""
        return lines

    def input(self, array: Array, number: int) -> None:
        """An input with the paths last, brought into memory."""
        raise NotImplementedError

    def result(self, number: int, value: Value, codes: Codes) -> None:
        """A result with the paths last."""
        raise NotImplementedError

    def each(self, size: int, statements: int) -> str:
        """The head of a loop over so many elements."""
        return f"FOR({size})"

    def together(self, total: Array, pair: str) -> str:
        """What a loop's total still needs after the loop."""
        return ""

    def in_register(self, array: Array) -> bool:
        """Whether a local array can be read as a variable here."""
        return array.local

    def before(
        self, reads: Sequence[tuple[Codes, bool]], writes: Sequence[tuple[Array, int, int, bool]]
    ) -> None:
        """Called before a statement is written.

        `reads` are the views that it reads from memory, `writes` stretches of arrays (array, first, size);
        each with whether it is in a loop over elements.
        """

    def between_turns(self) -> None:
        """Called where a loop begins, between its turns, and where it ends."""

    def say(self, line: str) -> None:
        """Append a line to the body of the kernel."""
        self.lines.append("    " + line)

    def put(self, array: Array, at: int, value: str, loop: bool = False) -> str:
        """The statement that writes one element into memory, element `at` + e in a loop."""
        base = f"{array.base} + e" if loop else array.base
        return f"PUT({LETTER[array.dtype].upper()}, {base}, {array.place + at}, {value});"

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
        if self.in_register(array):
            return f"v{array.number}_{at}"
        return f"{letter.upper()}({array.base}, {array.place + at})"

    def known_element(self, array: Array, at: int) -> str:
        """One element of a table, which has the whole array."""
        if array not in self.whole_at:
            self.whole_at[array] = self.place(array, np.arange(array.size))
        return self.in_table(array, self.whole_at[array], str(at))

    def from_table(self, array: Array, positions: np.ndarray, offset: str) -> str:
        """The element at `offset` of those that the table has from these positions of an array."""
        return self.in_table(array, self.place(array, positions), offset)

    def place(self, array: Array, positions: np.ndarray) -> int:
        """Where the table has these positions of an array."""
        assert array.value is not None
        return self.tables.place(self.owner(array), array.value, positions, array.inverse)

    def owner(self, array: Array) -> Program:
        """The program whose table has an array."""
        return array.owner or self.tables.known.program

    def in_table(self, array: Array, place: int, offset: str) -> str:
        """The element at `offset` of what the table has of an array from a place on."""
        name = f"k{self.numbers[self.owner(array)]}"
        if offset.isdigit():
            place, offset = place + (2 if array.dtype == "int64" else 1) * int(offset), ""
        return f"K{LETTER[array.dtype].upper()}({name}{offset and ' + '}{offset}, {place})"

    def operand(self, codes: Codes, inside: set[Array]) -> str:
        """Element e of a view."""
        if uniform(codes):
            return self.element(codes[0])
        arrays = self.arrays.of(codes)
        array, letter = arrays[0], LETTER[arrays[0].dtype].upper()
        positions = codes & 0xFFFFFFFF
        if not array.moves:
            whole = step(positions) == 1
            if not whole:
                return self.from_table(array, positions, "e")
            return self.from_table(
                array, np.arange(array.size), f"{positions[0]} + e" if positions[0] else "e"
            )
        if array in inside and codes.size == array.size and np.array_equal(codes, array.codes(codes.shape)):
            return f"v{array.number}"
        places = np.array([each.place for each in arrays])[
            np.searchsorted([a.number for a in arrays], codes >> 32)
        ]
        return f"{letter}({self.at(array.base, places + positions)})"

    def at(self, base: str, positions: np.ndarray, e: str = "e") -> str:
        """A memory and element e of a list of positions in it, by a formula or by a table.

        What changes from turn to turn is added to the base: the rest fits into instructions that read.
        """
        width = step(positions)
        if width is not None:
            return f"{base} + {e if width == 1 else f'{width} * ({e})'}, {positions[0]}"
        key = positions.tobytes()
        if key not in self.list_at:
            self.list_at[key] = self.list_size
            self.lists.append(positions)
            self.list_size += positions.size
        return f"{base}, (T + {e})[{self.list_at[key]}]"

    # Writing.

    def body(self, body: Body) -> None:
        """All groups of a body, then what its loop carries on."""
        for group in body.groups:
            self.begin(group)
            if group.size:
                self.loop(group)
            else:
                for item in group.items:
                    self.straight(item)
        self.begin(None)
        for copy in body.end:
            self.copy(copy)

    def begin(self, group: Group | None) -> None:
        """Called before a group is written, and with none where one has ended."""

    def loop(self, group: Group) -> None:
        """A loop over elements; what it reads twice is read once."""
        inside, after = registers(group), []
        lines: list[str] = []
        head: list[str] = []
        late: list[str] = []
        read: dict[str, str] = {}
        reads, writes = [], []

        def text(codes: Codes) -> str:
            source = self.operand(codes, inside)
            if source.startswith(("v", "all")):
                return source
            alone = uniform(codes)
            reads.append((codes[:1] if alone else codes, not alone))
            if source not in read:
                read[source] = self.name()
                line = f"const auto {read[source]} = {source};"
                (head if alone and self.form.spread else lines).append(line)
            return read[source]

        for item in group.items:
            result = item.result
            letter = LETTER[result.dtype]
            if isinstance(item, Copy):
                lines.append(self.put(result, item.first, text(item.operand), loop=True))
                writes.append((result, item.first, group.size, True))
            elif item.start is not None:
                total = f"v{result.number}_0"
                head.append(f"v{letter} {total} = {item.start};")
                lines.append(f"{total} = {item.text([total, *map(text, item.operands)])};")
                after.append(self.together(result, item.pair))
                if result.stored:
                    after.append(self.put(result, 0, total))
                    writes.append((result, 0, 1, False))
            else:
                own = f"v{result.number}"
                lines.append(f"const v{letter} {own} = {item.text(list(map(text, item.operands)))};")
                if result.stored:
                    (late if result.home else lines).append(self.put(result, 0, own, loop=True))
                    writes.append((result, 0, group.size, True))
        self.before(reads, writes)
        for line in head:
            self.say(line)
        self.say(
            f"{self.each(group.size, len(lines + late))} {{ "
            + " ".join(lines + late)
            + " } "
            + " ".join(after)
        )

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
        codes = np.concatenate([np.zeros(0, np.int64), *(codes for _, codes in item.rows)])
        self.before([(codes, False)], [(array, 0, len(item.rows), False)] if array.stored else [])
        sparse = self.sparse(codes)
        for row, (text, codes) in enumerate(item.rows):
            value = text([sparse.get(code) or self.element(code) for code in codes])
            if array.local:
                self.say(f"const v{letter} v{array.number}_{row} = {value};")
                value = f"v{array.number}_{row}"
            if array.stored:
                self.say(self.put(array, row, value))

    def sparse(self, codes: Sequence[Code] | Codes) -> dict[int, str]:
        """Elements of large known arrays of which few are read: a table has those alone, in their order."""
        texts = {}
        order = np.array(list(dict.fromkeys(codes)), np.int64)
        for array in self.arrays.of(order):
            own = order[order >> 32 == array.number]
            if not array.moves and array.fixed is None and array.size > MANY and own.size < array.size / 2:
                place = self.place(array, own & 0xFFFFFFFF)
                for at, code in enumerate(own):
                    texts[int(code)] = self.in_table(array, place, str(at))
        return texts

    def copy(self, copy: Copy) -> None:
        """Stretches of a view put where they belong."""
        for first, codes in runs(copy.operand.reshape(-1)):
            if self.in_place(codes, copy.result, copy.first + first):
                continue
            place, long = copy.first + first, codes.size > self.form.few
            self.before([(codes, long)], [(copy.result, place, codes.size, long)])
            if long:
                put = self.put(copy.result, place, self.operand(codes, set()), loop=True)
                self.say(f"{self.each(codes.size, 1)} {put}")
            else:
                for row, code in enumerate(codes):
                    self.say(self.put(copy.result, place + row, self.element(code)))

    def in_place(self, codes: Codes, result: Array, first: int) -> bool:
        """Whether elements lie where they are to be put."""
        array, at = self.arrays.at(codes[0])
        here = array.moves and not array.always_zero and array.stored and array.base == result.base
        return here and array.place + at == result.place + first and (codes.size == 1 or step(codes) == 1)

    def turns(self, item: Turns) -> None:
        """A loop: its start, its turns, each with the rows that it reads and writes."""
        program, length = item.body.program, item.loop.params["length"]
        own = self.numbers[program]
        around = self.numbers[item.body.outer.program] if item.body.outer else 0
        for copy in item.start:
            self.copy(copy)
        self.between_turns()
        turn = f"{length - 1} - c{own}" if item.loop.params["reverse"] else f"c{own}"
        self.say(f"TURNS(c{own}, {length}) {{")
        first = len(self.lines)
        self.say(f"const long i{own} = {turn}, t{own} = t{around} * {length} + i{own}; (void)t{own};")
        self.say(f"TABLE(k{own}, in[{own}], t{own} * WORDS{own});")
        for row, codes in item.rows:
            array, at = self.arrays.at(codes[0])
            self.say(f"auto* const {row.base} = {array.base} + {array.place + at} + i{own} * {row.size};")
            row.place = 0
        for row, whole in item.results:
            self.say(f"auto* const {row.base} = {whole.base} + {whole.place} + i{own} * {row.size};")
            row.place = 0
        self.around.append((f"c{own}", self.lines[first:]))
        first = len(self.lines)
        self.body(item.body)
        self.lines[first:] = self.body_of_turns(self.lines[first:])
        self.around.pop()
        self.between_turns()
        self.say("}")
