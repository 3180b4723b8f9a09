"""What several commands need: the group, the store, how results are printed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from mnist_dash.config import Settings
from mnist_dash.datasets import mnist
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.store.records import Run
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.visitors import Visitor

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, and nothing else.")
COMMAND_LINE = Visitor("command line")
run_option = click.option(
    "--run", "run_name", metavar="R", help="A run's number, or a variant for its best run.", default=None
)


@click.group(help="Train the networks of five MNIST tutorials and classify images with them.")
def commands() -> None:
    """The group that all commands belong to."""


def load(settings: Settings) -> Dataset:
    """Returns the data in use, after warnings of what was wrong with other sources."""
    dataset = mnist.load_dataset(settings)
    for problem in dataset.problems:
        click.echo(f"Warning: {problem} Using {dataset.info.title} from {dataset.source} instead.", err=True)
    return dataset


@contextmanager
def open_store(settings: Settings) -> Iterator[RunStore]:
    """Opens the store, with the reference runs in it."""
    store = RunStore(settings.database_url)
    try:
        ensure_reference_runs(store)
        yield store
    finally:
        store.close()


def described_run(run: Run) -> dict[str, Any]:
    """Returns what commands print about a run, as JSON values."""
    names = ("variant", "status", "dataset", "test_loss", "test_accuracy", "fit_seconds", "weights", "device", "error")
    return {"run": run.id, **{name: getattr(run, name) for name in names}, "settings": dict(run.settings)}


def emit(found: dict[str, Any], words: str | None, *, as_json: bool) -> None:
    """Prints a result, as one JSON object or in words."""
    if as_json:
        click.echo(json.dumps(found))
    elif words is not None:
        click.echo(words.replace("\u00a0", " "))  # lines are not broken here, and may be searched
