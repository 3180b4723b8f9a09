"""What was measured of the robustness of runs, as it leaves the store."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mnist_dash.corruptions.kinds import CORRUPTIONS, SUITE


@dataclass(frozen=True)
class CorruptionCounts:
    """How many corrupted images a network classified correctly, so far.

    Attributes:
        images: How many test images were classified at each level; 0 as long as none was.
        correct: From the name of each kind that was measured, `CLEAN` among them, to
            how many images were classified correctly at each of its levels.
        correct_per_image: At how many strengths of the 15 kinds each image was classified
            correctly, a byte each.
    """

    images: int = 0
    correct: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    correct_per_image: bytes = b""

    @property
    def mean(self) -> float | None:
        """Mean accuracy over all strengths of the 15 kinds, in [0, 1]; None until all are measured."""
        if any(kind.name not in self.correct for kind in CORRUPTIONS):
            return None
        correct = sum(sum(self.correct[kind.name]) for kind in CORRUPTIONS)
        return correct / (self.images * sum(len(kind.levels) for kind in CORRUPTIONS))

    def as_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads."""
        correct = {kind: list(counts) for kind, counts in self.correct.items()}
        correct_per_image = base64.b64encode(self.correct_per_image).decode()
        return {"suite": SUITE, "pictures": self.images, "right": correct, "hits": correct_per_image}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> "CorruptionCounts":
        """Returns what was described; of another suite of corruptions nothing is known."""
        if described.get("suite") != SUITE:
            return cls()
        correct = {kind: tuple(counts) for kind, counts in described["right"].items()}
        return cls(described["pictures"], correct, base64.b64decode(described["hits"]))


@dataclass(frozen=True)
class Measurement:
    """Where the measuring of one run stands.

    Attributes:
        run_id: The run.
        status: `QUEUED`, `RUNNING`, `DONE` or `FAILED`.
        owner: The visitor who asked for it.
        attempt: How often a worker took it.
        lease: What its worker names in every change; None while no worker has it.
        counts: What was measured so far.
        error: Why it failed, in words.
    """

    run_id: int
    status: str
    owner: str
    attempt: int
    lease: str | None
    counts: CorruptionCounts
    error: str | None
