"""What the store, the checkpoints and the progress cost: `python -m benchmarks.overhead`.

A run with all of them beside the bare compiled loop, in turn, in one process. Compared are the
medians of the seconds of an epoch, block by block of some epochs, so that a change of the machine's
speed counts for both.
"""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset, load_dataset
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.leased_run import LeasedRun
from mnist_dash.worker.programs import TrainingProgram, program_for_runs, split_for
from mnist_dash.worker.training import train_run

BLOCK = 5  # epochs
BLOCKS = {"dense-32": 11, "dense-512": 6}
ROUNDS = 3


def compare(name: str, dataset: Dataset) -> list[tuple[float, float]]:
    """Returns the seconds of an epoch: of the loop alone, and of a run interrupted by it every `BLOCK` epochs."""
    values = VARIANTS[name].check({"epochs": BLOCK * BLOCKS[name]})
    positions = [split_for(values, dataset).train]
    bare = program_for_runs(name, [values], dataset)
    record, found, epochs = LeasedRun.record, [], 0
    began = time.perf_counter()

    def record_and_compare(run: LeasedRun, *arguments: Any) -> None:
        nonlocal began, epochs
        record(run, *arguments)
        epochs += 1
        if epochs % BLOCK == 0:
            run.settle()
            seconds = time.perf_counter() - began
            found.append((_seconds(bare, positions), seconds / BLOCK))
            began = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder, patch.object(LeasedRun, "record", record_and_compare):
        url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        store = RunStore(url)
        run = store.create_run(name, values, dataset=dataset.name, fingerprint=dataset.fingerprint, leased=True)
        train_run(run.id, replace(load_settings(), database_url=url), lease=run.lease)
        store.close()
    return found[1:]  # the first ones compile


def _seconds(program: TrainingProgram, positions: list[np.ndarray]) -> float:
    began = time.perf_counter()
    for number in range(1, BLOCK + 1):
        program.train_epoch(positions, number)
    return (time.perf_counter() - began) / BLOCK


def main() -> None:
    """Prints one JSON object a network."""
    load_tensorflow()
    dataset = load_dataset(load_settings())
    for name in BLOCKS:
        bare, run = np.concatenate([compare(name, dataset) for _ in range(ROUNDS)]).T
        costs = np.quantile(run / bare - 1, [0.5, 0.95]).round(3).tolist()
        medians = {"bare": float(np.median(bare)), "run": float(np.median(run))}
        print(json.dumps({"variant": name, "epoch_seconds": medians, "cost": costs[0], "cost_p95": costs[1]}))


if __name__ == "__main__":
    main()
