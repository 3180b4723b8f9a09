"""What was measured of how well runs read corrupted pictures, as it leaves the store."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mnist_dash.corruptions.kinds import CORRUPTIONS, SUITE


@dataclass(frozen=True)
class CorruptionCounts:
    """How many corrupted pictures a network read right, so far.

    Attributes:
        pictures: How many test pictures were read at each level; 0 as long as none was.
        right: From the name of each kind that was measured, `CLEAN` among them, to
            how many pictures were read right at each of its levels.
        hits: At how many strengths of the 15 kinds each picture was read right, a byte each.
    """

    pictures: int = 0
    right: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    hits: bytes = b""

    @property
    def mean(self) -> float | None:
        """Mean accuracy over all strengths of the 15 kinds, in [0, 1]; None until all are measured."""
        if any(kind.name not in self.right for kind in CORRUPTIONS):
            return None
        right = sum(sum(self.right[kind.name]) for kind in CORRUPTIONS)
        return right / (self.pictures * sum(len(kind.levels) for kind in CORRUPTIONS))

    def as_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads."""
        right = {kind: list(counts) for kind, counts in self.right.items()}
        hits = base64.b64encode(self.hits).decode()
        return {"suite": SUITE, "pictures": self.pictures, "right": right, "hits": hits}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> "CorruptionCounts":
        """Returns what was described; of another suite of corruptions nothing is known."""
        if described.get("suite") != SUITE:
            return cls()
        right = {kind: tuple(counts) for kind, counts in described["right"].items()}
        return cls(described["pictures"], right, base64.b64decode(described["hits"]))


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
