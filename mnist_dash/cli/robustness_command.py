"""The command that measures accuracy on corrupted images."""

import sys
from typing import Any

import click

from mnist_dash.analysis.corruption_accuracy import accuracy_by_level, clean_accuracy, robustness
from mnist_dash.analysis.words.number_words import accuracy_words, percent
from mnist_dash.cli.group import COMMAND_LINE, as_json_option, commands, emit, open_store
from mnist_dash.config import Settings, load_settings
from mnist_dash.corruptions.kinds import KINDS
from mnist_dash.errors import RunStateError, TrainingError
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.measurements import Measurements
from mnist_dash.store.records import DONE, FAILED, Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.robustness import measure_run


@commands.command("robustness")
@click.argument("run_names", nargs=-1, required=True, metavar="R…")
@as_json_option
def robustness_command(run_names: tuple[str, ...], as_json: bool) -> None:
    """Show the accuracy of each run R on corrupted images, measuring it first if needed."""
    settings = load_settings()
    with open_store(settings) as store:
        for run in [store.find_run(name) for name in run_names]:
            _emit(run, _measured(store, run, settings), as_json=as_json)


def _measured(store: RunStore, run: Run, settings: Settings) -> CorruptionCounts:
    measurements = Measurements(store)
    measurements.request([run.id], by=COMMAND_LINE)
    if measurements.read([run.id])[run.id].status != DONE and sys.stderr.isatty():
        click.echo(f"Measuring {run.title} …", err=True)
    measure_run(run.id, settings)
    found = measurements.read([run.id]).get(run.id)
    if found and found.status == FAILED:
        raise TrainingError(str(found.error))
    if found is None or found.status != DONE:
        raise RunStateError(
            f"Run {run.id} is being measured by another process, or its measurement was cancelled. Try again later."
        )
    return found.counts


def _emit(run: Run, counts: CorruptionCounts, *, as_json: bool) -> None:
    overall, clean = robustness(counts), clean_accuracy(counts)
    kinds = {name: [found.value for found in accuracy_by_level(counts, name)] for name in KINDS}
    described: dict[str, Any] = {
        "run": run.id,
        "variant": run.variant,
        "pictures": counts.images,
        "clean": clean.value,
        "mean": overall.value,
        "low": overall.low,
        "high": overall.high,
        "kinds": kinds,
    }
    words = f"accuracy {accuracy_words(overall)} on corrupted images, {percent(clean.value)} on clean ones"
    table = [
        f"  {KINDS[name].title:<14} {' '.join(f'{100 * share:5.1f}' for share in shares)}"
        for name, shares in kinds.items()
    ]
    emit(described, "\n".join([f"{run.title}: {words}", *table]), as_json=as_json)
