"""What a kind of corruption is, and how it is applied."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Takes pictures, shape (n, 28, 28), uint8, random numbers, and a level's parameters; returns as many pictures.
Change = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Level:
    """One strength of a kind.

    Attributes:
        value: How strong it is, in the kind's unit.
        parameters: What the kind's function gets.
    """

    value: float
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Kind:
    """One way to make pictures harder to read without changing what they show.

    Attributes:
        name: Its id, in links and in the store.
        title: Its name on pages.
        does: What it does to a picture, in one sentence.
        levels: Its strengths in the order of their values.
        change: The function that does it.
        unit: What its levels are counted in, as the title of an axis.
        untouched: Where among them the untouched picture stands.
    """

    name: str
    title: str
    does: str
    levels: tuple[Level, ...]
    change: Change
    unit: str = "Strength"
    untouched: float = 0.0


def strengths(*parameters: tuple[float, ...]) -> tuple[Level, ...]:
    """Returns levels numbered from 1, one for each set of parameters."""
    return tuple(Level(number, given) for number, given in enumerate(parameters, 1))


def corrupt(kind: Kind, level: Level, pictures: np.ndarray) -> np.ndarray:
    """Corrupts pictures, always in the same way.

    The random numbers are those of the kind: every level of it draws the same ones, so that
    a picture that is turned to the left is turned further to the left when the strength grows.

    Args:
        kind: What is done.
        level: How much, one of the kind's levels.
        pictures: Shape (n, 28, 28), uint8, 0 is black paper and 255 white ink; n at least 1.

    Returns:
        As `pictures`; these stay as they are.
    """
    random = np.random.default_rng(zlib.crc32(kind.name.encode()))
    return kind.change(pictures, random, *level.parameters)


def as_pixels(pictures: np.ndarray) -> np.ndarray:
    """Rounds floats in about [0, 255] to uint8."""
    return np.asarray(np.clip(np.rint(pictures), 0, 255), np.uint8)
