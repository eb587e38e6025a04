"""Laws that a book draws from, each with its words for the page that lists them."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Law(Protocol):
    """A distribution."""

    def sample(self, random: np.random.Generator) -> Any:
        """One draw."""

    def words(self) -> str:
        """The law in words."""


@dataclasses.dataclass(frozen=True)
class Fixed:
    """The same number for all."""

    value: float

    def sample(self, random: np.random.Generator) -> float:
        """The number."""
        return self.value

    def words(self) -> str:
        """The number."""
        return f"{self.value:g}"


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Uniform between two numbers."""

    low: float
    high: float

    def sample(self, random: np.random.Generator) -> float:
        """A number between both."""
        return float(random.uniform(self.low, self.high))

    def words(self) -> str:
        """Its ends."""
        return f"uniform, {self.low:g} to {self.high:g}"


@dataclasses.dataclass(frozen=True)
class Beta:
    """Beta law on [0, 1]."""

    a: float
    b: float

    def sample(self, random: np.random.Generator) -> float:
        """A share."""
        return float(random.beta(self.a, self.b))

    def words(self) -> str:
        """Its parameters and mean."""
        return f"Beta({self.a:g}, {self.b:g}), mean {self.a / (self.a + self.b):.2f}"


@dataclasses.dataclass(frozen=True)
class Shares:
    """One of several names, by probability."""

    weights: Mapping[str, float]

    def sample(self, random: np.random.Generator) -> str:
        """A name."""
        return str(random.choice(list(self.weights), p=np.array(list(self.weights.values()))))

    def words(self) -> str:
        """Names with their probabilities."""
        return ", ".join(f"{name} {weight:.0%}" for name, weight in self.weights.items())


@dataclasses.dataclass(frozen=True)
class OneOf:
    """One of several names, each as likely."""

    names: tuple[str, ...]

    def sample(self, random: np.random.Generator) -> str:
        """A name."""
        return str(random.choice(self.names))

    def words(self) -> str:
        """The names."""
        return "each as likely: " + ", ".join(self.names)


@dataclasses.dataclass(frozen=True)
class Assumption:
    """A law, what it is of and why, and its grade."""

    law: Law
    why: str
    grade: str = "C"
