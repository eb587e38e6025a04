"""The source for a CPU: vectors of paths, one after the other (`frame.h`)."""

from engine.kernel.arrays import Array, Codes, runs
from engine.kernel.operations import LETTER
from engine.kernel.program import Unsupported, Value
from engine.kernel.write import Writer

HEAD = """\
extern "C" void undertow_paths(const void* const* in, void* const* out, long count) {
  vf* const s = memory.of(MEMORY);
  for (long first = 0; first < count; first += W) {
    const int lanes = count - first < W ? (int)(count - first) : W;
"""
FOOT = "  }\n}\n"


class VectorWriter(Writer):
    """Writes a kernel in which a number is a vector of W paths."""

    def frame(self, words: str, lines: str, inputs: int, results: int) -> str:
        """The function that `bridge.cc` calls."""
        head = (
            f"#define MEMORY {self.near_words}\n{words}static const int32_t T[] = {{{self.list_text()}}};\n"
        )
        return head + HEAD + lines + "\n" + FOOT

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
