"""Commands that train, list and export runs."""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mnist_dash.analysis import accuracies, test_predictions
from mnist_dash.analysis.cross_validation import validation_spread
from mnist_dash.analysis.learning_curves import History
from mnist_dash.analysis.words.number_words import accuracy_words, percent, seconds_words, spread_words
from mnist_dash.cli.group import (
    COMMAND_LINE,
    as_json_option,
    commands,
    described_run,
    emit,
    load,
    open_store,
    run_option,
)
from mnist_dash.config import load_settings
from mnist_dash.errors import TrainingError
from mnist_dash.networks.experiments import MAX_RUNS, group_replicates, plan_runs
from mnist_dash.networks.hyperparameters import FLOAT32, Setting
from mnist_dash.networks.scripts.writing import keras_notebook, keras_script
from mnist_dash.networks.variants import VARIANTS, default_settings, get_variant
from mnist_dash.store.custom_datasets import CustomDatasets
from mnist_dash.store.records import DONE, RUNNING, Epoch, Run
from mnist_dash.store.run_export import export_run
from mnist_dash.store.run_import import import_run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.device import processor
from mnist_dash.worker.groups import train_all

_POLL_INTERVAL_S = 0.25


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds an option for every setting that any variant has."""
    settings: dict[str, Setting] = {
        setting.name: setting for variant in VARIANTS.values() for setting in variant.settings
    }
    for name, setting in reversed(settings.items()):
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
    help="Number of runs per setting, with consecutive seeds.",
)
@click.option("--data", "data_name", metavar="NAME", help="Train on this dataset, added by `data --add`. [MNIST]")
@as_json_option
def train_command(
    variant: str, repeats: int, data_name: str | None, as_json: bool, **given: tuple[object, ...]
) -> None:
    """Train VARIANT in this process and record the run.

    Options given several times form a grid: every combination is trained. With k folds, all
    folds are trained unless --fold is given.
    """
    settings = load_settings()
    if not given["precision"] and not processor().bfloat16:
        given["precision"] = (FLOAT32,)  # though the network's own may be bfloat16
    planned = plan_runs(
        [variant],
        {name: values[0] for name, values in given.items() if len(values) == 1},
        vary={name: values for name, values in given.items() if len(values) > 1},
        repeats=repeats,
    )
    with open_store(settings) as store:
        dataset = load(settings) if data_name is None else CustomDatasets(store).find(data_name)
        runs = store.create_runs(
            planned,
            dataset=dataset.name,
            fingerprint=dataset.fingerprint,
            info=dataset.info,
            by=COMMAND_LINE,
            leased=True,
        )
        with _shown_progress(store, runs, quiet=as_json):
            train_all(runs, settings)
        runs = [store.get_run(run.id) for run in runs]
        histories = [History(run, tuple(store.list_epochs(run.id))) for run in runs]
    for history in histories:
        _emit_result(history.run, history.epochs, as_json=as_json)
    for group in group_replicates(run for run in runs if run.status == DONE):
        if len(group) > 1:
            _emit_spread([history for history in histories if history.run in group], as_json=as_json)
    failed = [run for run in runs if run.status != DONE]
    if failed:
        raise TrainingError(
            " ".join(run.error or f"Run {run.id} did not finish: it is {run.status}. Start it again." for run in failed)
        )


def _emit_result(run: Run, epochs: Sequence[Epoch], *, as_json: bool) -> None:
    if run.status == DONE:
        accuracy = test_predictions.of_run(run)
        emit(
            {**described_run(run), "epochs": [asdict(epoch) for epoch in epochs]},
            f"Run {run.id}: test accuracy {accuracy_words(accuracy)}, test loss {run.test_loss:.4f}, "
            f"{run.weights:,} parameters, {seconds_words(run.fit_seconds or 0.0)} training time on {run.dataset}",
            as_json=as_json,
        )


def _emit_spread(histories: Sequence[History], *, as_json: bool) -> None:
    runs = [history.run for history in histories]
    tested = accuracies.spread([run.test_accuracy or 0.0 for run in runs])
    validated = validation_spread(histories)
    described = {
        "experiment": runs[0].experiment_id,
        "variant": runs[0].variant,
        "runs": [run.id for run in runs],
        "n": tested.n,
        "mean": tested.mean,
        "sd": tested.sd,
        "val_mean": validated.mean if validated else None,
        "val_sd": validated.sd if validated else None,
        "validation": runs[0].settings["validation"],
    }
    numbers = ", ".join(str(run.id) for run in runs)
    folds = f"validation accuracy {spread_words(validated)} over the folds, " if validated else ""
    words = (
        f"Runs {numbers}: {folds}test accuracy {spread_words(tested)} (mean ± standard deviation of {tested.n} runs)"
    )
    emit(described, words, as_json=as_json)


@contextmanager
def _shown_progress(store: RunStore, runs: list[Run], *, quiet: bool) -> Iterator[None]:
    """Shows the runs' epochs on standard error while they are trained."""
    ended = threading.Event()

    def follow() -> None:
        shown = {run.id: 0 for run in runs}
        while True:
            is_last_poll = ended.wait(_POLL_INTERVAL_S)
            for run in runs:
                for epoch in store.list_epochs(run.id)[shown[run.id] :]:
                    name = f"Run {run.id}, epoch" if len(runs) > 1 else "Epoch"
                    click.echo(_epoch_words(name, epoch, int(run.settings["epochs"])), err=True)
                    shown[run.id] += 1
            if sys.stderr.isatty():
                _show_step(store.list_runs(statuses=[RUNNING], experiment_id=runs[0].experiment_id))
            if is_last_poll:
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
    return f"{words}, {seconds_words(epoch.seconds)}"


@commands.command("runs")
@as_json_option
def runs_command(as_json: bool) -> None:
    """List all runs, newest first."""
    with open_store(load_settings()) as store:
        for run in store.list_runs():
            accuracy = percent(run.test_accuracy) if run.test_accuracy is not None else ""
            words = f"{run.id:>5}  {run.variant:<12} {run.status:<10} {accuracy:>8}  {run.dataset}"
            emit({**described_run(run), "reference": run.is_reference}, words, as_json=as_json)


@commands.command("code")
@click.argument("variant", type=click.Choice(list(VARIANTS)), required=False)
@run_option
@click.option("--notebook", is_flag=True, help="Print a Jupyter notebook instead.")
def code_command(variant: str | None, run_name: str | None, notebook: bool) -> None:
    """Print a stand-alone Keras script of VARIANT or of a run."""
    if (variant is None) == (run_name is None):
        raise click.UsageError("Give either a VARIANT or a run with --run.")
    write = keras_notebook if notebook else keras_script
    if variant is not None:
        click.echo(write(get_variant(variant), get_variant(variant).check({})), nl=False)
        return
    with open_store(load_settings()) as store:
        run = store.find_run(str(run_name))
    click.echo(write(get_variant(run.variant), run.settings, data=run.dataset), nl=False)


@commands.command("export")
@click.argument("run_name", metavar="R")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False))
@as_json_option
def export_command(run_name: str, folder: Path, as_json: bool) -> None:
    """Write the models, history, description and script of run R into a folder."""
    with open_store(load_settings()) as store:
        files = [str(path) for path in export_run(store, store.find_run(run_name), folder)]
    emit({"files": files}, "\n".join(files), as_json=as_json)


@commands.command("import")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@as_json_option
def import_command(folder: Path, as_json: bool) -> None:
    """Add the run that `export` wrote into FOLDER, perhaps from another store."""
    with open_store(load_settings()) as store:
        run = import_run(store, folder, by=COMMAND_LINE)
    emit(described_run(run), f"{run.title} was imported.", as_json=as_json)
