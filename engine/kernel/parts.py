"""A long loop's body as functions of their own: compilers take them side by side, and each in less time.

The time of a compiler grows faster than the length of a function. A part is a function of a path's memory and
of the turns of the loops around it. A variable that another function reads goes through that memory.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

DEFINITION = re.compile(r"\s*(?:const )?v([a-z]) (v\d+_\d+) =")
NAME = re.compile(r"\bv\d+_\d+\b")
WORDS = 2
"""Of a variable in memory: a 64-bit integer has two."""


@dataclass(eq=False, repr=False)
class Part:
    """Lines in a function, those that open the loops around them, and the turns that these loops count."""

    name: str
    lines: list[str]
    opening: list[str] = field(default_factory=list)
    turns: list[str] = field(default_factory=list)

    @property
    def call(self) -> str:
        """The line that carries it out."""
        return f"    {self.name}({', '.join(('in', 's', *self.turns))});"

    @property
    def head(self) -> str:
        """Its declaration."""
        turns = "".join(f", long {turn}" for turn in self.turns)
        return f'extern "C" void {self.name}(const void* const* in, vf* const s{turns})'


def stretches(lines: Sequence[str], long: int) -> list[list[str]]:
    """Lines in stretches of about so many characters, cut outside of brackets alone."""
    size = sum(map(len, lines))
    count = max(1, round(size / long))
    cut: list[list[str]] = [[]]
    before = depth = 0
    for line in lines:
        if depth == 0 and before >= size * len(cut) / count:
            cut.append([])
        cut[-1].append(line)
        before += len(line)
        depth += line.count("{") - line.count("}")
    return cut


def linked(main: list[str], parts: Sequence[Part], place: int) -> tuple[list[str], list[list[str]], int]:
    """The lines of `main` and of every part, variables of others in memory from a place on; the memory's end.

    A part writes its own where it ends; `main` writes its own before it calls those that read them.
    """
    kinds: dict[str, str] = {}
    owners: dict[str, Part | None] = {}
    for owner, lines in ((None, main), *((part, part.lines) for part in parts)):
        for match in filter(None, map(DEFINITION.match, lines)):
            kinds[match[2]], owners[match[2]] = match[1].upper(), owner
    reads = {part: [name for name in names(part.lines) if owners[name] is not part] for part in parts}
    shared = list(dict.fromkeys(name for part in parts for name in reads[part]))
    place += place % WORDS
    words = {name: f"{kinds[name]}(s, {place + WORDS * n})" for n, name in enumerate(shared)}

    def inside(part: Part) -> list[str]:
        """A part's lines: others' variables read from memory, its own written there."""
        others = {name: words[name] for name in reads[part]}
        lines = [NAME.sub(lambda match: others.get(match[0], match[0]), line) for line in part.lines]
        return [*lines, *puts(name for name in shared if owners[name] is part)]

    def puts(own: Iterable[str]) -> list[str]:
        """Lines that write variables into memory."""
        return [f"    {words[name]} = {name};" for name in own]

    calls = {part.call: [name for name in reads[part] if owners[name] is None] for part in parts}
    body = [each for line in main for each in (*puts(calls.get(line, ())), line)]
    return body, [inside(part) for part in parts], place + WORDS * len(shared)


def names(lines: Iterable[str]) -> list[str]:
    """Variables that lines name, each once."""
    return list(dict.fromkeys(name for line in lines for name in NAME.findall(line)))
