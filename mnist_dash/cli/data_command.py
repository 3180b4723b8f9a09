"""The command for the dataset in use and for adding one's own."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from mnist_dash.cli.group import COMMAND_LINE, as_json_option, commands, emit, load, open_store
from mnist_dash.config import Settings, load_settings
from mnist_dash.datasets import custom_data, mnist
from mnist_dash.datasets.mnist import Dataset
from mnist_dash.errors import DataError
from mnist_dash.store.custom_datasets import CustomDatasets


@commands.command("data")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE…]")
@click.option("--download", is_flag=True, help="Download the full MNIST first (11 MB).")
@click.option("--add", "name", metavar="NAME", help="Add FILES, an .npz file or IDX files, as a dataset of this name.")
@click.option("--classes", default="", help="With --add: names of its classes, separated by commas.")
@as_json_option
def data_command(files: tuple[Path, ...], download: bool, name: str | None, classes: str, as_json: bool) -> None:
    """Show the dataset in use, or add one of one's own."""
    settings = load_settings()
    if bool(files) != (name is not None):
        raise click.UsageError("FILES and --add NAME belong together.")
    if name is not None:
        added = _add_dataset(files, name, classes, settings)
        emit(_described(added), _data_words(added), as_json=as_json)
        return
    if download:
        with click.progressbar(length=1000, label="Downloading MNIST", file=sys.stderr) as bar:
            mnist.download(settings, progress=lambda part: bar.update(int(1000 * part) - bar.pos))
    dataset = load(settings)
    emit(_described(dataset), _data_words(dataset), as_json=as_json)


def _add_dataset(files: Sequence[Path], name: str, classes: str, settings: Settings) -> Dataset:
    read = [custom_data.DataFile(path.name, _read_bytes(path)) for path in files]
    dataset = custom_data.read_custom(read, name=name, classes=classes.split(",") if classes.strip() else ())
    with open_store(settings) as store:
        CustomDatasets(store).add(dataset, COMMAND_LINE)
    return dataset


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(custom_data.MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}). Name another file.") from error


def _described(dataset: Dataset) -> dict[str, object]:
    """Returns what is printed about a dataset, as JSON values."""
    return {
        "dataset": dataset.name,
        "source": str(dataset.source),
        "train": dataset.info.train,
        "test": dataset.info.test,
    }


def _data_words(dataset: Dataset) -> str:
    counts = f"{dataset.info.train:,} training and {dataset.info.test:,} test images"
    return f"{dataset.info.title}: {counts}, from {dataset.source}"
