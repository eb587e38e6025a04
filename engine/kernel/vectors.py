"""The source for a CPU: vectors of paths, one after the other (`frame.h`)."""

from engine.kernel.arrays import Array, Arrays, Codes, runs
from engine.kernel.form import Form
from engine.kernel.known import Tables
from engine.kernel.operations import LETTER
from engine.kernel.parts import Part, linked, stretches
from engine.kernel.program import Unsupported, Value
from engine.kernel.write import OUTERMOST, Source, Writer

HEAD = """\
extern "C" void undertow_paths(const void* const* in, void* const* out, long count) {
  const Flushed flushed;
  (void)flushed;
  vf* const s = memory.of(MEMORY);
  for (long first = 0; first < count; first += W) {
    const int lanes = count - first < W ? (int)(count - first) : W;
"""
FOOT = "  }\n}\n"
LISTS = 'extern const int32_t T[] __attribute__((visibility("hidden")))'
"""Lists of positions stand once, whatever the number of parts that read them."""


class VectorWriter(Writer):
    """Writes a kernel in which a number is a vector of W paths."""

    def __init__(self, arrays: Arrays, tables: Tables, form: Form):
        super().__init__(arrays, tables, form)
        self.parts: list[Part] = []

    def whole(self, words: str, inputs: int, results: int) -> Source:
        """The function that `bridge.cc` calls, and the parts that it calls."""
        main, parts, self.near_words = linked(self.lines, self.parts, self.near_words)
        head = f"{words}{LISTS};\n"
        lists = f"const int32_t T[] = {{{self.list_text()}}};\n"
        calls = "".join(f"{part.head};\n" for part in self.parts)
        return Source(
            f"#define MEMORY {self.near_words}\n{head}{lists}{calls}{HEAD}" + "\n".join(main) + f"\n{FOOT}",
            self.near_words,
            self.far_words,
            tuple(
                "\n".join((head + part.head + " {", *part.opening, *lines, "}\n"))
                for part, lines in zip(self.parts, parts, strict=True)
            ),
        )

    def body_of_turns(self, lines: list[str]) -> list[str]:
        """The lines of a loop's body, in functions where they are many and have no loop inside."""
        parts = stretches(lines, self.form.part)
        if len(parts) == 1 or any("TURNS(" in line for line in lines):
            return lines
        opening = [*OUTERMOST, *(line for _, opening in self.around for line in opening)]
        turns = [turn for turn, _ in self.around]
        first = len(self.parts)
        self.parts += [
            Part(f"undertow_part{first + n}", part, opening, turns) for n, part in enumerate(parts)
        ]
        return [part.call for part in self.parts[first:]]

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
                if array.stored:
                    self.say(self.put(array, row, f"v{array.number}_{row}"))
        elif array.stored:
            source = f"(const char*)in[{number}] + 4 * first"
            self.say(f"load((v{letter}*)s + {array.place}, {source}, count, {array.size}, lanes);")

    def result(self, number: int, value: Value, codes: Codes) -> None:
        """A result with the paths last."""
        put = "put_mask" if value.dtype == "bool" else "put"
        for first, part in runs(codes):
            if part.size <= self.form.few:
                for row, code in enumerate(part):
                    at = f"{first + row} * count + first"
                    self.say(f"{put}(out[{number}], {at}, {self.element(code)}, lanes);")
            else:
                at, source = f"({first} + e) * count + first", self.operand(part, set())
                self.say(f"FOR({part.size}) {put}(out[{number}], {at}, {source}, lanes);")
