"""What provenance.json holds: what was run, on what, from which inputs; one definition for all who use it."""

from typing import TypedDict


class Origin(TypedDict):
    """What provenance.json and summary.json both hold."""

    run: str  # the run's id
    task: str
    scenario: str
    story: str
    paths: int
    block: int
    seed: int
    months: int
    config_hash: str
    book: str
    book_hash: str
    book_repairs: list[str]
    command: list[str]
    versions: dict[str, str]
    sources: str  # sha256 of the engine's source files
    commit: str | None
    device: str  # number and kind of devices, processor, cores
    processes: int
    platform: str


class Provenance(Origin):
    """provenance.json, all of it known before the first path runs."""

    sampler: str


def machine(origin: Origin) -> str:
    """The machine in words: devices, processor, platform."""
    return ", ".join(part for part in (origin["device"], origin["platform"]) if part)
