"""What the store, the checkpoints and the progress cost: `python -m benchmarks.overhead`.

A run with all of them beside the bare compiled loop, in turn, in one process. Compared are the
seconds of the second half of many epochs, so that compiling and testing cancel out.
"""

import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset, load_dataset
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.programs import program_for_runs, split_for
from mnist_dash.worker.training import train_run

EPOCHS = {"dense-32": 20, "dense-512": 6}
ROUNDS = 3


def bare_seconds(name: str, dataset: Dataset, epochs: int) -> float:
    """Returns how long the compiled loop alone takes, on the same pictures and with the same validation."""
    values = VARIANTS[name].check({})
    part = split_for(values, dataset)
    started = time.perf_counter()
    program = program_for_runs(name, [values], dataset)
    for number in range(1, epochs + 1):
        program.train_epoch([part.train], number)
        if len(part.validation):
            program.select(0).evaluate(part.validation)
    return time.perf_counter() - started


def run_seconds(name: str, dataset: Dataset, epochs: int) -> float:
    """Returns how long a whole run takes."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        store = RunStore(url)
        values = VARIANTS[name].check({"epochs": epochs})
        run = store.create_run(name, values, dataset=dataset.name, fingerprint=dataset.fingerprint, leased=True)
        started = time.perf_counter()
        train_run(run.id, replace(load_settings(), database_url=url), lease=run.lease)
        seconds = time.perf_counter() - started
        store.close()
    return seconds


def main() -> None:
    """Prints one JSON object a network."""
    load_tensorflow()
    dataset = load_dataset(load_settings())
    for name, epochs in EPOCHS.items():
        ways = {"bare": bare_seconds, "run": run_seconds}
        found: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, seconds in ways.items():
                half = seconds(name, dataset, epochs)
                found[way].append((seconds(name, dataset, 2 * epochs) - half) / epochs)
        medians = {way: statistics.median(values) for way, values in found.items()}
        cost = medians["run"] / medians["bare"] - 1
        print(json.dumps({"variant": name, "epoch_seconds": medians, "cost": round(cost, 3)}))


if __name__ == "__main__":
    main()
