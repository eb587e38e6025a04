"""Names of a tape to firms and chips of the book below: the same name in another spelling, or a question."""

import collections
import difflib
import re
from collections.abc import Container, Mapping, Sequence

from engine.book.frames import Frame
from engine.book.tape.letters import Names
from engine.book.tape.questions import Answers, Question

LEGAL = set(
    """
    inc incorporated llc ltd limited corp corporation co company plc gmbh ag sa sas sarl bv nv lp llp
    pte pty pbc oy ab as spa srl kg se the
""".split()
)
"""Words of a name that say a legal form only."""

COMMON = set(
    """
    cloud compute computing data center centre gpu capital holdings holding group energy digital
    infrastructure power hosting systems technologies technology campus project finance funding services
    global international mining labs private credit obligor site developer stand new merchant hyperscale
    construction modelled landlords venture joint mexico texas phase single asset tenant colocation bank
""".split()
)
"""Words that many names share: they make no name like another."""

CLOSE = 0.8
"""Similarity from which a name may be a slip of another."""

SHORT = 5
"""Letters below which names that differ in one are different names."""

NEW, NONE, SAME = "new", "none", "same"
"""Answers to who a name is, beside an id: nobody of the book, nobody at all, the borrower it is nearly."""
NOBODY = {
    "spot",
    "merchant",
    "uncontracted",
    "market",
    "various",
    "multiple",
    "on demand",
    "on-demand",
    "vacant",
}
"""Off-takers that are none: the chips earn the market's rent."""


def bare(name: str) -> str:
    """A name without case, punctuation and legal form.

    >>> bare("Alpha Cloud, Inc."), bare("The x.AI Corp")
    ('alpha cloud', 'xai')
    """
    text = re.sub(r"[.’']", "", name.casefold())
    words = re.sub(r"[^\w]+", " ", text).split()
    rest = [word for word in words if word not in LEGAL]
    return " ".join(rest or words)


def known_names(firms: Frame, aliases: Mapping[str, str]) -> dict[str, str]:
    """Ids of firms by every bare name that is theirs: id, name, and aliases."""
    names = {bare(alias): firm for alias, firm in aliases.items() if firm in set(firms["firm"])}
    for firm, name in zip(firms["firm"], firms["name"], strict=True):
        names |= {bare(firm.replace("_", " ")): firm, bare(name): firm}
    return names


def near(name: str, known: Sequence[str]) -> str | None:
    """The known name that a name may be: its own words spelt nearly so, or one of them in common."""
    words = own_words(bare(name))
    spelt = {" ".join(own_words(each)): each for each in known}
    able = [each for each in spelt if len(each) >= SHORT]
    text = " ".join(words)
    if len(text) >= SHORT and (close := difflib.get_close_matches(text, able, 1, CLOSE)):
        return spelt[close[0]]
    long = {word for word in words if len(word) > 3}
    for other in known:
        own = {word for word in own_words(other) if len(word) > 3}
        if long & own and (own <= set(words) or long <= set(other.split())):
            return other
    return None


def own_words(name: str) -> list[str]:
    """The words of a bare name that it does not share with many, all where there are no others."""
    words = name.split()
    return [word for word in words if word not in COMMON] or words


def firm_of(
    name: str, known: Mapping[str, str], firms: Mapping[str, str], answers: Answers
) -> str | Question:
    """The id of a firm of the book below, "" for a name that it does not have, or the question.

    known: ids by bare name (`known_names`); firms: names by id.
    """
    answer = answers.of("firm", name)
    if answer:
        if answer.lower() in (NEW, NONE):
            return ""
        if answer.upper() in firms:
            return answer.upper()
        expected = f"an id of firms, {NEW} or {NONE}"
        return Question("firm", name, f"the book below has no firm {answer!r}", expected)
    words = bare(name)
    if words in known:
        return known[words]
    if other := near(name, list(known)):
        firm = known[other]
        why = f"{name!r} is like {firms[firm]} ({firm}) of the book below"
        return Question("firm", name, why, f"{firm} if it is the same, {NEW} if not, {NONE} if nobody")
    return ""


def same_borrowers(
    names: Sequence[str], known: Container[str], answers: Answers
) -> tuple[dict[str, str], list[Question]]:
    """A tape's borrowers by name, spelt as where each first stands; near ones are asked for.

    known: bare names of the book below, which need no question.
    """
    first: dict[str, str] = {}
    spelling: dict[str, str] = {}
    questions = []
    alike: dict[tuple[str, ...], Names] = collections.defaultdict(Names)
    for name in dict.fromkeys(names):
        words = bare(name)
        others = alike[digits(words)]
        if words not in first and words not in known and (close := others.closest(words, 0.9)):
            answer = answers.of("firm", name).lower()
            if answer == SAME:
                words = close
            elif not answer:
                why = f"{name!r} is nearly {first[close]!r}, another borrower of the tape"
                questions.append(Question("firm", name, why, f"{SAME} or {NEW}"))
        if words not in first:
            others.add(words)
        spelling[name] = first.setdefault(words, name)
    return spelling, questions


def digits(text: str) -> tuple[str, ...]:
    """Words of a name by which SPVs of one sponsor differ: with a digit, a numeral, of one or two letters."""
    return tuple(word for word in text.split() if re.search(r"\d", word) or re.fullmatch(r"[ivx]+|..?", word))


def generation_of(text: str, generations: Sequence[str], answers: Answers) -> str | Question:
    """The generation that a chip's name holds as a word, "" where none does, or the question of two."""
    answer = answers.of("chip", text)
    if answer:
        if answer.lower() == NONE:
            return ""
        if answer.upper() in generations:
            return answer.upper()
        why = f"the book below has no chip {answer!r}"
        return Question("chip", text, why, f"one of {', '.join(generations)}, or {NONE}")
    words = re.findall(r"[A-Z]*[0-9]+[A-Z]*|[A-Z0-9]+", text.upper())
    matches = [each for each in generations if each in words]
    if len(matches) > 1:
        return Question("chip", text, f"{text!r} names {' and '.join(matches)}", f"one of them, or {NONE}")
    return matches[0] if matches else ""


def identity(name: str, taken: set[str], most: int = 24) -> str:
    """An id for a name that no other has: capital letters, digits and underscores.

    >>> identity("NG-001", {"NG_001"})
    'NG_001_2'
    """
    words = (
        re.sub(r"[^A-Z0-9]+", "_", name.upper().encode("ascii", "ignore").decode())
        .strip("_")[:most]
        .strip("_")
    )
    words, number = words or "ROW", 2
    unique = words
    while unique in taken:
        unique, number = f"{words}_{number}", number + 1
    taken.add(unique)
    return unique
