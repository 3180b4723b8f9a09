"""The command line: everything that works without a browser."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

from mnist_dash import data, evaluation, images, wording
from mnist_dash.data import Dataset
from mnist_dash.errors import MnistDashError, PictureError, TrainingError, VariantError
from mnist_dash.experiments import MAX_RUNS, alike_but_for_chance, plan_runs
from mnist_dash.models import RECOMMENDED_FOR_PICTURES, VARIANTS, Setting, default_settings, get_variant
from mnist_dash.novelty import NoveltyDetector
from mnist_dash.prediction import Predictor
from mnist_dash.recognition import described, recognise
from mnist_dash.runs import (
    DONE,
    MODEL_TFLITE,
    RUNNING,
    Epoch,
    Run,
    RunStore,
    ensure_reference_runs,
    export_run,
)
from mnist_dash.scripts import keras_script
from mnist_dash.settings import Settings, load_settings
from mnist_dash.training import train_all

_LOOK_EVERY_S = 0.25
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line, and nothing else.")
_run_option = click.option(
    "--run", "run_name", metavar="R", help="A run's number, or a variant for its best run.", default=None
)


def main() -> None:
    """Runs the command line; errors of ours become one sentence and exit status 1."""
    try:
        commands(prog_name="python -m mnist_dash")
    except MnistDashError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, VariantError) else 1)  # a setting out of range is bad usage


@click.group(help="Train the networks of five MNIST tutorials and use them, without a browser.")
def commands() -> None:
    """The group that all commands belong to."""


@commands.command("data")
@click.option("--download", is_flag=True, help="Fetch the full MNIST first (11 MB).")
@_as_json
def data_command(download: bool, as_json: bool) -> None:
    """Say which data is in use."""
    settings = load_settings()
    if download:
        with click.progressbar(length=1000, label="Downloading MNIST", file=sys.stderr) as bar:
            data.download(settings, progress=lambda part: bar.update(int(1000 * part) - bar.pos))
    dataset = _load(settings)
    found = {
        "dataset": dataset.name,
        "source": str(dataset.source),
        "train": len(dataset.x_train),
        "test": len(dataset.x_test),
    }
    words = f"{dataset.known.title}: {found['train']:,} to train, {found['test']:,} to test, from {found['source']}"
    _say(found, words, as_json=as_json)


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds an option for every setting that any variant has."""
    known: dict[str, Setting] = {setting.name: setting for variant in VARIANTS.values() for setting in variant.settings}
    for name, setting in reversed(known.items()):
        kind: Any = click.Choice(setting.choices) if setting.choices else _range_of(setting)
        defaults = ", ".join(
            f"{variant.name} {default_settings(variant.name)[name]}"
            for variant in VARIANTS.values()
            if name in default_settings(variant.name)
        )
        flag = f"--{name.replace('_', '-')}"
        option = click.option(flag, name, type=kind, multiple=True, help=f"{setting.help} [{defaults}]")
        command = option(command)
    return command


def _range_of(setting: Setting) -> click.ParamType:
    kind = click.IntRange if isinstance(setting.default, int) else click.FloatRange
    return kind(setting.minimum, setting.maximum)  # type: ignore[arg-type]


@commands.command("train")
@click.argument("variant", type=click.Choice(list(VARIANTS)))
@_setting_options
@click.option(
    "--repeats",
    type=click.IntRange(1, MAX_RUNS),
    default=1,
    help="Train with so many seeds: the chosen one and those that follow it.",
)
@_as_json
def train_command(variant: str, repeats: int, as_json: bool, **given: tuple[object, ...]) -> None:
    """Train VARIANT in this process and record the run.

    A setting that is given several times is varied: every combination is trained. With k
    folds each of them is trained, unless --fold says which.
    """
    settings = load_settings()
    planned = plan_runs(
        [variant],
        {name: values[0] for name, values in given.items() if len(values) == 1},
        vary={name: values for name, values in given.items() if len(values) > 1},
        repeats=repeats,
    )
    dataset = _load(settings)
    with _store(settings) as store:
        runs = store.create_runs(
            planned, dataset=dataset.name, fingerprint=dataset.fingerprint, owner="command line", claim=True
        )
        with _shown_progress(store, runs, quiet=as_json):
            train_all(runs, settings.database_url)
        runs = [store.get_run(run.id) for run in runs]
        for run in runs:
            _say_result(run, store.list_epochs(run.id), as_json=as_json)
    for alike in _alike(runs):
        _say_spread(alike, as_json=as_json)
    failed = [run for run in runs if run.status != DONE]
    if failed:
        raise TrainingError(
            " ".join(run.error or f"Run {run.id} did not finish: it is {run.status}. Start it again." for run in failed)
        )


def _say_result(run: Run, epochs: list[Epoch], *, as_json: bool) -> None:
    if run.status == DONE:
        accuracy = evaluation.of_run(run)
        _say(
            {**_described(run), "epochs": [asdict(epoch) for epoch in epochs]},
            f"Run {run.id}: test accuracy {wording.accuracy_words(accuracy)}, test loss {run.test_loss:.4f}, "
            f"{run.weights:,} weights, {wording.seconds_words(run.fit_seconds or 0.0)} of training on {run.dataset}",
            as_json=as_json,
        )


def _alike(runs: list[Run]) -> list[list[Run]]:
    """Returns the finished runs that differ only in seed or fold, where there are several."""
    groups: dict[object, list[Run]] = {}
    for run in runs:
        if run.status == DONE:
            groups.setdefault(alike_but_for_chance(run), []).append(run)
    return [group for group in groups.values() if len(group) > 1]


def _say_spread(runs: list[Run], *, as_json: bool) -> None:
    found = evaluation.spread([run.test_accuracy or 0.0 for run in runs])
    validated = [run.settings["validation"] for run in runs]
    described = {
        "experiment": runs[0].experiment_id,
        "variant": runs[0].variant,
        "runs": [run.id for run in runs],
        "n": found.n,
        "mean": found.mean,
        "sd": found.sd,
        "validation": validated[0],
    }
    numbers = ", ".join(str(run.id) for run in runs)
    words = f"Runs {numbers}: test accuracy {wording.spread_words(found)}, mean ± standard deviation of {found.n} runs"
    _say(described, words, as_json=as_json)


@contextmanager
def _shown_progress(store: RunStore, runs: list[Run], *, quiet: bool) -> Iterator[None]:
    """Shows the runs' epochs on standard error while they are trained."""
    ended = threading.Event()

    def follow() -> None:
        shown = {run.id: 0 for run in runs}
        while True:
            last_look = ended.wait(_LOOK_EVERY_S)
            for run in runs:
                for epoch in store.list_epochs(run.id)[shown[run.id] :]:
                    name = f"Run {run.id}, epoch" if len(runs) > 1 else "Epoch"
                    click.echo(_epoch_words(name, epoch, int(run.settings["epochs"])), err=True)
                    shown[run.id] += 1
            if sys.stderr.isatty():
                _show_step(store.list_runs(statuses=[RUNNING], experiment_id=runs[0].experiment_id))
            if last_look:
                return

    thread = threading.Thread(target=follow, daemon=True)
    if not quiet:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if not quiet:
            thread.join()


def _show_step(runs: list[Run]) -> None:
    progress = next((run.progress for run in runs if run.progress), None)
    if progress:
        click.echo(f"  {progress.doing}: epoch {progress.epoch}, batch {progress.step}\r", err=True, nl=False)


def _epoch_words(name: str, epoch: Epoch, total: int) -> str:
    words = f"{name} {epoch.number} of {total}: loss {epoch.loss:.4f}, accuracy {epoch.accuracy:.4f}"
    if epoch.val_loss is not None:
        words += f", validation loss {epoch.val_loss:.4f}, accuracy {epoch.val_accuracy:.4f}"
    return f"{words}, {wording.seconds_words(epoch.seconds)}"


@commands.command("runs")
@_as_json
def runs_command(as_json: bool) -> None:
    """List all runs, newest first."""
    with _store(load_settings()) as store:
        for run in store.list_runs():
            accuracy = wording.percent(run.test_accuracy) if run.test_accuracy is not None else ""
            words = f"{run.id:>5}  {run.variant:<12} {run.status:<10} {accuracy:>8}  {run.dataset}"
            _say({**_described(run), "reference": run.is_reference}, words, as_json=as_json)


@commands.command("predict")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PICTURE…")
@_run_option
@_as_json
def predict_command(pictures: tuple[Path, ...], run_name: str | None, as_json: bool) -> None:
    """Read the digits in each PICTURE file."""
    with _store(load_settings()) as store:
        run, predictor = _network(store, run_name)
    detector = NoveltyDetector.shipped()
    refused = [path for path in pictures if not _predict(path, run, predictor, detector, as_json=as_json)]
    if refused:
        sys.exit(1)


def _predict(path: Path, run: Run, predictor: Predictor, detector: NoveltyDetector, *, as_json: bool) -> bool:
    """Reads one picture and says what is in it; returns whether there was a digit."""
    try:
        answers = recognise(images.redraw_file(_read_file(path)).digits, run, predictor, detector)
        found = {**described(answers), "run": run.id}
    except PictureError as error:
        answers, found = (), {"error": str(error)}
    if "error" in found:
        click.echo(f"Error: {click.format_filename(path)}: {found['error']}", err=True)
    sure = wording.percent(answers[0].probability) if len(answers) == 1 else f"{len(answers)} digits"
    words = None if "error" in found else f"{click.format_filename(path)}: {found['number']} ({sure})"
    _say({"picture": str(path), **found}, words, as_json=as_json)
    return "error" not in found


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(images.MAX_FILE_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The file cannot be read ({error.strerror}). Name an existing picture file.") from error


@commands.command("evaluate")
@click.argument("file", type=click.Path(path_type=Path))
@_run_option
@_as_json
def evaluate_command(file: Path, run_name: str | None, as_json: bool) -> None:
    """Measure the accuracy on the arrays x (n, 28, 28) uint8 and y (n,) of FILE.npz."""
    arrays = data.read_arrays(file, ("x", "y"))
    data.check_pictures(arrays["x"], arrays["y"], where=str(file))
    with _store(load_settings()) as store:
        run, predictor = _network(store, run_name)
    parts = np.array_split(arrays["x"], -(-len(arrays["x"]) // 1000))
    predictions = np.concatenate([predictor.probabilities(part).argmax(1) for part in parts])
    accuracy = evaluation.accuracy(int((predictions == arrays["y"]).sum()), len(predictions))
    found = {
        "run": run.id,
        "n": accuracy.n,
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "confusion": evaluation.confusion_matrix(arrays["y"], predictions).tolist(),
    }
    _say(found, f"{run.title}: {wording.accuracy_words(accuracy)} of {accuracy.n:,} pictures", as_json=as_json)


@commands.command("code")
@click.argument("variant", type=click.Choice(list(VARIANTS)), required=False)
@_run_option
def code_command(variant: str | None, run_name: str | None) -> None:
    """Print a stand-alone Keras script of VARIANT or of a run."""
    if (variant is None) == (run_name is None):
        raise click.UsageError("Name either a VARIANT or a run with --run.")
    if variant is not None:
        click.echo(keras_script(get_variant(variant), get_variant(variant).check({})), nl=False)
        return
    with _store(load_settings()) as store:
        run = store.find_run(str(run_name))
    click.echo(keras_script(get_variant(run.variant), run.settings), nl=False)


@commands.command("export")
@click.argument("run_name", metavar="R")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@_as_json
def export_command(run_name: str, folder: Path, as_json: bool) -> None:
    """Write the models, history, description and script of run R into a folder."""
    with _store(load_settings()) as store:
        files = [str(path) for path in export_run(store, store.find_run(run_name), folder)]
    _say({"files": files}, "\n".join(files), as_json=as_json)


def _load(settings: Settings) -> Dataset:
    dataset = data.load_dataset(settings)
    for problem in dataset.problems:
        click.echo(f"Warning: {problem} Using {dataset.known.title} from {dataset.source} instead.", err=True)
    return dataset


@contextmanager
def _store(settings: Settings) -> Iterator[RunStore]:
    store = RunStore(settings.database_url)
    try:
        ensure_reference_runs(store)
        yield store
    finally:
        store.close()


def _network(store: RunStore, run_name: str | None) -> tuple[Run, Predictor]:
    run = store.find_run(run_name or RECOMMENDED_FOR_PICTURES)
    return run, Predictor(store.read_artifact(run.id, MODEL_TFLITE))


def _described(run: Run) -> dict[str, Any]:
    names = ("variant", "status", "dataset", "test_loss", "test_accuracy", "fit_seconds", "weights", "error")
    return {"run": run.id, **{name: getattr(run, name) for name in names}, "settings": dict(run.settings)}


def _say(found: dict[str, Any], words: str | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
    elif words is not None:
        click.echo(words)
