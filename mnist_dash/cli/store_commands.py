"""Commands for the store as a whole: backup, restore, check."""

import sys
from pathlib import Path

import click

from mnist_dash.analysis.words.number_words import count_words
from mnist_dash.cli.group import as_json_option, commands, emit, open_store
from mnist_dash.config import load_settings
from mnist_dash.store import backup, integrity


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
