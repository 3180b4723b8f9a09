"""Commands for the store as a whole: backup, restore, check."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.cli.group import as_json_option, commands, emit, open_store
from mnist_dash.config import load_settings
from mnist_dash.store import backup, cleaning, integrity, status


@commands.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json_option
def backup_command(file: Path, as_json: bool) -> None:
    """Write everything in the store into FILE, while it is used."""
    with open_store(load_settings()) as store:
        runs = backup.back_up(store, file)
    emit({"file": str(file), "runs": runs}, f"{file} holds {count_words(runs, 'run')}.", as_json=as_json)


@commands.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json_option
def restore_command(file: Path, as_json: bool) -> None:
    """Bring what `backup` wrote into an empty store."""
    with open_store(load_settings()) as store:
        runs = backup.restore(store, file)
    emit({"file": str(file), "runs": runs}, f"{count_words(runs, 'run')} restored from {file}.", as_json=as_json)


@commands.command("check")
@as_json_option
def check_command(as_json: bool) -> None:
    """Compare everything in the store with its checksums."""
    with open_store(load_settings()) as store:
        found = integrity.check(store)
    for problem in found.problems:
        click.echo(f"Error: {problem}", err=True)
    unknown = f"; {found.unknown:,} have no checksum, as an earlier version wrote them" if found.unknown else ""
    words = f"{count_words(found.blobs, 'blob')} read, {count_words(len(found.problems), 'problem')}{unknown}."
    emit({"blobs": found.blobs, "unknown": found.unknown, "problems": list(found.problems)}, words, as_json=as_json)
    if found.problems:
        sys.exit(1)


@commands.command("clean")
@click.option("--older-than", "days", required=True, type=click.FloatRange(min=0), metavar="DAYS")
@click.option("--yes", "remove", is_flag=True, help="Remove it; otherwise only say what would be removed.")
@as_json_option
def clean_command(days: float, remove: bool, as_json: bool) -> None:
    """Remove ended runs, digits that visitors keep, and datasets that are older than DAYS."""
    with open_store(load_settings()) as store:
        found = cleaning.clean(store, older_than_days=days, remove=remove)
    counted = [count_words(count, name.removesuffix("s")) for name, count in asdict(found).items()]
    ending = "removed." if remove else "would be removed; add --yes to remove them."
    emit({**asdict(found), "removed": remove}, f"{', '.join(counted)} {ending}", as_json=as_json)


@commands.command("status")
@as_json_option
def status_command(as_json: bool) -> None:
    """Say how the store is doing: its runs, its size, what went wrong in the last 24 hours."""
    with open_store(load_settings()) as store:
        found = status.read_status(store)
    runs = ", ".join(f"{count} {name}" for name, count in sorted(found.runs.items()))
    lines = [
        f"Runs: {runs}",
        f"Database: {found.bytes / 1e6:,.1f} MB, {found.checkpoint_bytes / 1e6:,.1f} MB of it checkpoints",
        f"Last 24 hours: {found.done_today} done, {found.failed_today} failed",
        f"Went wrong in these: {found.event_count:,}",
        *[f"{event.level} {event.message}" for event in found.events],
    ]
    emit(asdict(found), "\n".join(lines), as_json=as_json)
