"""What leaves the store: frozen records, never rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mnist_dash.datasets.mnist import DIGITS, KNOWN
from mnist_dash.networks.hyperparameters import Value
from mnist_dash.networks.setting_words import changed_settings, settings_words
from mnist_dash.networks.variants import VARIANTS

QUEUED = "queued"
RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
PAUSED = "paused"
ACTIVE = (QUEUED, RUNNING)  # a worker has it or will take it
UNFINISHED = (*ACTIVE, PAUSED)
STATUSES = (*UNFINISHED, DONE, FAILED, CANCELLED)

# Names of artifacts. Arrays are raw bytes in C order; their shapes follow from the data set.
MODEL_KERAS = "model.keras"
MODEL_TFLITE = "model.tflite"
TEST_PROBABILITIES = "test_probabilities"  # (n, 10) float16
TEST_LABELS = "test_labels"  # (n,) uint8
CHECKPOINT = "checkpoint"  # what training goes on from; kept by ended runs, to be continued
SNAPSHOTS = "snapshots"  # the first layer's weights after some of the epochs
BEST_WEIGHTS = "best_weights"  # of the epoch with the lowest validation loss, with early stopping


def in_turn(runs: Iterable["Run"]) -> list["Run"]:
    """Returns runs that wait or are trained in the order of training, fair between visitors.

    Running ones come first; then the first run of every visitor, then everyone's
    second, and so on; among equals the oldest.
    """
    seen: dict[str, int] = {}
    ranked = []
    for run in sorted(runs, key=lambda run: (run.status != RUNNING, run.id)):
        rank = seen[run.owner] = seen.get(run.owner, -1) + 1
        ranked.append((run.status != RUNNING, rank, run.id, run))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


@dataclass(frozen=True)
class Experiment:
    """Runs that were queued together."""

    id: int
    title: str
    owner: str
    created_at: float


@dataclass(frozen=True)
class Progress:
    """How far a running run is.

    Attributes:
        epoch: The epoch in training, from 1.
        step: Batches done in this epoch.
        steps: Batches of a whole epoch.
        loss: Mean training loss of this epoch so far.
        accuracy: Training accuracy of this epoch so far, in [0, 1].
        seconds_left: Until the last epoch ends, as far as one can tell; None at first.
        doing: What the worker is doing, in words.
    """

    epoch: int
    step: int
    steps: int
    loss: float | None = None
    accuracy: float | None = None
    seconds_left: float | None = None
    doing: str = "training"


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: losses are means over images, accuracies in [0, 1]."""

    number: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    seconds: float


def best_epoch(epochs: Iterable[Epoch]) -> Epoch | None:
    """Returns the first epoch with the lowest validation loss; None without validation."""
    validated = [epoch for epoch in epochs if epoch.val_loss is not None]
    return min(validated, key=lambda epoch: epoch.val_loss or 0.0, default=None)


@dataclass(frozen=True)
class Result:
    """What a finished run reached on the test images, and what it cost."""

    test_loss: float
    test_accuracy: float
    fit_seconds: float
    weights: int
    prediction_ms: float  # one image with LiteRT, median


@dataclass(frozen=True)
class Run:
    """A run as the store holds it. Times are Unix seconds.

    Attributes:
        train_images: How many training images its data has, those held out included.
        test_images: How many test images its data has.
        classes: The names of its data's classes 0 to 9.
        lease: What its worker names in every change; None while no worker has it.
        requested_status: What its worker is asked to bring it to, `PAUSED` or `CANCELLED`.
        lost: How often its worker was lost since its last finished epoch.
        experiment_id: The experiment that it belongs to, if it was not queued alone.
        continues: The run whose epochs it goes on from.
        device: The GPU or processor that trains or trained it last; None for a run of an earlier version.
    """

    id: int
    variant: str
    settings: Mapping[str, Value]
    dataset: str
    fingerprint: str
    train_images: int
    test_images: int
    classes: tuple[str, ...]
    status: str
    owner: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    heartbeat_at: float | None
    attempt: int
    lease: str | None
    requested_status: str | None
    lost: int
    experiment_id: int | None
    continues: int | None
    progress: Progress | None
    error: str | None
    reference: str | None
    test_loss: float | None
    test_accuracy: float | None
    fit_seconds: float | None
    weights: int | None
    prediction_ms: float | None
    device: str | None

    @property
    def is_reference(self) -> bool:
        """Whether this run ships with the project; such a run cannot be deleted."""
        return self.reference is not None

    @property
    def reads_digits(self) -> bool:
        """Whether its classes are the digits, so that drawings can be shown to it."""
        return self.classes == DIGITS

    @property
    def data_title(self) -> str:
        """How pages call its data."""
        return KNOWN[self.dataset].title if self.dataset in KNOWN else self.dataset

    @property
    def title(self) -> str:
        """How pages call this run."""
        variant = VARIANTS[self.variant].title if self.variant in VARIANTS else self.variant
        return variant if self.is_reference else f"{variant} · run {self.id}"

    @property
    def changes(self) -> str:
        """The settings that are not the tutorial's own, for instance “epochs 5, seed 3”."""
        return settings_words(self, changed_settings(self))
