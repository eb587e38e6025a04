"""The source for a GPU: a path on LANES threads of a warp, its memory in shared memory (`frame.cuh`).

Elements of a loop are spread over the lanes, element e on lane e modulo LANES; straight code is carried out
by every lane for itself. What another lane has written is read after a wait (`engine.kernel.syncs`).
"""

from collections.abc import Sequence

import numpy as np

from engine.kernel.arrays import Array, Arrays, Codes, runs
from engine.kernel.body import Group, Products, Rows
from engine.kernel.form import Form
from engine.kernel.known import Tables
from engine.kernel.operations import LETTER
from engine.kernel.program import Unsupported, Value
from engine.kernel.syncs import ALL, Access, Syncs
from engine.kernel.timeline import readable_as_variable, variables
from engine.kernel.write import Source, Writer

BANKS = 32
"""Words of shared memory that a warp reaches at once, each in a bank of its own."""
SHORT, TURNS = 25, 8
"""Statements and turns up to which a loop is written out: its loads overlap (simulated: docs/kernel.md)."""
C = {"f": "float", "i": "int32_t", "u": "uint32_t", "l": "int64_t"}
"""C's types by letter."""


class LaneWriter(Writer):
    """Writes a kernel in which a path has `lanes` threads."""

    def __init__(self, arrays: Arrays, tables: Tables, form: Form):
        super().__init__(arrays, tables, form)
        self.lanes, self.syncs = form.lanes, Syncs()
        self.here: set[Array] = set()

    def whole(self, words: str, inputs: int, results: int) -> Source:
        """The kernel: tables and inputs, the number of paths, results and far memory."""
        self.near_words = padded(self.near_words, self.lanes)
        ins = [f"in{number}" for number in range(len(self.numbers) + inputs)]
        outs = [f"out{number}" for number in range(results)]
        parameters = [
            *(f"const void* __restrict__ {name}" for name in ins), "const int64_t* __restrict__ counts",
            *(f"void* __restrict__ {name}" for name in outs), "uint32_t* __restrict__ scratch",
        ]  # fmt: skip
        sizes = {
            "LANES": self.lanes,
            "MEMORY": self.near_words,
            "SCRATCH": self.far_words,
            "OPERANDS": len(ins) + 1,
        }
        text = "\n".join(
            (
                *(f"#define {name} {size}" for name, size in sizes.items()),
                f"{words}static DEVICE const {self.list_type()} T[] = {{{self.list_text()}}};",
                f"KERNEL undertow_lanes({', '.join(parameters)}) {{",
                f"  const void* const in[] = {{{', '.join(ins)}}};",
                f"  void* const out[] = {{{', '.join(outs)}}};",
                "  PATHS(counts[0]) {",
                *self.lines,
                "  }\n}\n",
            )
        )
        return Source(text, self.near_words, self.far_words)

    def list_type(self) -> str:
        """The narrowest type of positions."""
        return "uint16_t" if max((int(part.max()) for part in self.lists), default=0) < 2**16 else "uint32_t"

    def input(self, array: Array, number: int) -> None:
        """An input with the paths last, brought into memory."""
        letter = LETTER[array.dtype]
        if array.dtype == "bool":
            raise Unsupported("inputs of type bool with a path axis")
        source = f"((const {C[letter]}*)in[{number}])"
        if array.local:
            for row in range(array.size):
                self.say(f"const v{letter} v{array.number}_{row} = {source}[{row} * count + path];")
            if array.stored:
                self.before([], [(array, 0, array.size, False)])
                for row in range(array.size):
                    self.say(self.put(array, row, f"v{array.number}_{row}"))
        elif array.stored:
            self.before([], [(array, 0, array.size, True)])
            self.say(f"FOR({array.size}) {self.put(array, 0, f'{source}[e * count + path]', loop=True)}")

    def result(self, number: int, value: Value, codes: Codes) -> None:
        """A result with the paths last."""
        kind = "bool" if value.dtype == "bool" else C[LETTER[value.dtype]]
        target = f"(({kind}*)out[{number}])"
        for first, part in runs(codes):
            long = part.size > 1
            self.before([(part, long)], [])
            if long:
                self.say(
                    f"FOR({part.size}) {target}[({first} + e) * count + path] = {self.operand(part, set())};"
                )
            else:
                for row, code in enumerate(part):
                    self.say(f"ONE {target}[{first + row} * count + path] = {self.element(code)};")

    def each(self, size: int, statements: int) -> str:
        """The head of a loop over so many elements; short ones are written out by the compiler."""
        short = statements <= SHORT and size <= TURNS * self.lanes
        return f"{'ALL' if short else 'FOR'}({size})"

    def together(self, total: Array, pair: str) -> str:
        """Every lane has a part of the total: all of them as one, the same on every lane."""
        name = f"v{total.number}_0"
        return f"ACROSS(d) {name} = {pair.format(name, f'other<LANES>({name}, d)')};"

    # Sums that lanes share.

    def rows(self, item: Rows) -> None:
        """Every element by its own expression; many sums by one lane each."""
        if item.products is None or len(item.rows) == 1 or not self.shareable(item.products):
            super().rows(item)
        else:
            self.shared_sums(item.result, item.products)

    def shared_sums(self, result: Array, products: list[Products]) -> None:
        """One sum a lane and round, the longest first, its terms by lists of places."""
        letter = LETTER[result.dtype]
        order = sorted(range(len(products)), key=lambda row: -len(products[row]))
        rounds = [order[at : at + self.lanes] for at in range(0, len(order), self.lanes)]
        reads, lines = [], []
        for rows in rounds:
            sums = [products[row] for row in rows]
            length = max(map(len, sums))
            texts = []
            for place in range(len(next(each[0] for each in sums if each))) if length else ():
                codes = np.array(
                    [[each[at][place] if at < len(each) else -1 for each in sums] for at in range(length)]
                )
                texts.append(self.shared_term(codes))
                reads += self.shared_reads(codes)
            term = " * ".join(texts) or "all(0.0f)"
            target = self.at(result.base, result.place + np.array(rows), "lane")
            put = f"PUT({letter.upper()}, {target}, a);"
            lines.append(f"SUM({len(rows)}, v{letter}, {length}, {term}, {put})")
        words = result.place + np.array(order)
        self.touch(reads, [Access(result.base, words, np.arange(len(order)) % self.lanes)])
        for line in lines:
            self.say(line)

    def shareable(self, sums: list[Products]) -> bool:
        """Whether lanes can share the sums: elements of near memory, or of one known array, throughout."""
        counts = {len(product) for products in sums for product in products}
        if len(counts) != 1:
            return False
        for place in range(counts.pop()):
            arrays = self.arrays.of(np.array([product[place] for products in sums for product in products]))
            near = all(array.moves and array.base == "s" for array in arrays)
            if not near and (len(arrays) > 1 or arrays[0].moves or arrays[0].dtype == "int64"):
                return False
        return True

    def shared_term(self, codes: Codes) -> str:
        """Term j of a lane's sum, of codes [terms rows]; those that are -1 add nothing."""
        wide = np.full((len(codes), self.lanes), -1, np.int64)
        wide[:, : codes.shape[1]] = codes
        arrays = self.arrays.of(codes[codes >= 0])
        if not arrays[0].moves:
            wide[wide < 0] = codes[codes >= 0][0]
            return self.from_table(arrays[0], wide.reshape(-1) & 0xFFFFFFFF, f"j * {self.lanes} + lane")
        zero = self.arrays.zeros[arrays[0].dtype]
        wide[wide < 0] = zero.number << 32
        places = {array.number: array.place for array in (*arrays, zero)}
        words = np.vectorize(places.__getitem__)(wide >> 32) + (wide & 0xFFFFFFFF)
        where = self.at("s", words.reshape(-1), f"j * {self.lanes} + lane")
        return f"{LETTER[zero.dtype].upper()}({where})"

    def shared_reads(self, codes: Codes) -> list[Access]:
        """The words that lanes read for codes [terms rows]."""
        flat, lanes = codes.reshape(-1), np.broadcast_to(np.arange(codes.shape[1]), codes.shape).reshape(-1)
        found = []
        for array in self.arrays.of(flat[flat >= 0]):
            if array.moves and not array.always_zero:
                own = flat >> 32 == array.number
                found.append(Access(array.base, array.place + (flat[own] & 0xFFFFFFFF), lanes[own]))
        return found

    # Waiting.

    def begin(self, group: Group | None) -> None:
        """Variables of straight code are read in their own group alone."""
        self.here = variables(group) if group else set()

    def in_register(self, array: Array) -> bool:
        """Whether a local array can be read as a variable here."""
        return readable_as_variable(array, self.here, self.form)

    def before(
        self, reads: Sequence[tuple[Codes, bool]], writes: Sequence[tuple[Array, int, int, bool]]
    ) -> None:
        """Wait where the statement needs it."""
        read = [access for codes, loop in reads for access in self.accesses(codes, loop)]
        written = [
            Access(array.base, array.place + np.arange(first, first + size), self.spread(size, loop))
            for array, first, size, loop in writes
        ]
        self.touch(read, written)

    def touch(self, reads: Sequence[Access], writes: Sequence[Access]) -> None:
        """Wait where these accesses need it."""
        if self.syncs.needed(reads, writes):
            self.wait()
        self.syncs.note(reads, writes)

    def accesses(self, codes: Codes, loop: bool) -> list[Access]:
        """The words that reading a view touches."""
        found = []
        for array in self.arrays.of(codes):
            if array.moves and not array.always_zero and not self.in_register(array):
                own = codes >> 32 == array.number
                lanes = self.spread(codes.size, loop)
                words = array.place + (codes[own] & 0xFFFFFFFF)
                found.append(
                    Access(array.base, words, lanes[own] if isinstance(lanes, np.ndarray) else lanes)
                )
        return found

    def spread(self, size: int, loop: bool) -> np.ndarray | int:
        """The lanes that touch so many elements."""
        return np.arange(size) % self.lanes if loop else ALL

    def wait(self) -> None:
        """All lanes of a path arrive before one goes on."""
        self.say("SYNC;")
        self.syncs.clear()

    def between_turns(self) -> None:
        """All lanes wait: a turn's accesses meet those of the turn before."""
        self.wait()


def padded(words: int, lanes: int) -> int:
    """Words of a path so that paths of one warp begin in different banks."""
    return words + (lanes - words) % BANKS if lanes < BANKS else words
