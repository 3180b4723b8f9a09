"""What experiments gain: `python -m benchmarks.experiments [--rounds N]`.

Eight seeds of dense-32 side by side beside one, in turn, in one process: seconds of an epoch
without the first, which compiles. Then by the queue, in turn: a sweep of eight dense runs on two
workers and on one, and four folds of cnn beside four seeds of it, on one worker. Seconds from
queueing to the last run's end, with workers that have loaded TensorFlow.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from mnist_dash.config import load_settings
from mnist_dash.datasets.mnist import Dataset, load_dataset
from mnist_dash.networks.experiments import PlannedRun, plan_runs
from mnist_dash.store.records import UNFINISHED
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.compiled import load_tensorflow
from mnist_dash.worker.groups import MAX_STACKED
from mnist_dash.worker.job_queue import JobQueue
from mnist_dash.worker.programs import program_for_runs

CNN = {"epochs": 1, "train_part": 0.2}
SWEEP = {"epochs": ["4"], "learning_rate": ["0.001", "0.002"], "hidden_units": ["256", "320", "384", "512"]}


def main() -> None:
    """Prints one JSON object a question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    dataset = load_dataset(load_settings())
    print(json.dumps(compare_workers(dataset, rounds)), flush=True)
    print(json.dumps(compare_folds(dataset, rounds)), flush=True)
    print(json.dumps(compare_lanes(dataset, rounds)), flush=True)


def compare_lanes(dataset: Dataset, rounds: int) -> dict[str, float]:
    """Returns medians of an epoch of one seed and of eight."""
    load_tensorflow()
    settings = [run.settings for run in plan_runs(["dense-32"], {}, repeats=MAX_STACKED)]
    positions = range_of(dataset)
    contestants = {count: program_for_runs("dense-32", settings[:count], dataset) for count in (1, MAX_STACKED)}
    seconds: dict[int, list[float]] = {count: [] for count in contestants}
    for number in range(1, 2 * rounds + 2):
        for count, lanes in contestants.items():
            started = time.perf_counter()
            lanes.train_epoch([positions] * count, number)
            seconds[count].append(time.perf_counter() - started)
    one, eight = (statistics.median(found[1:]) for found in seconds.values())
    return {"one_seed": one, "eight_seeds": eight, "times": eight / one}


def range_of(dataset: Dataset):  # type: ignore[no-untyped-def]
    """Returns the positions of all training pictures."""
    import numpy as np

    return np.arange(dataset.info.train, dtype=np.int32)


def compare_workers(dataset: Dataset, rounds: int) -> dict[str, float]:
    """Returns medians of the seconds of a sweep on one worker and on two."""
    planned = plan_runs(["dense-512"], {}, vary=SWEEP)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, found in seconds.items():
            found.append(sweep_seconds(planned, dataset, workers))
    one, two = (statistics.median(found) for found in seconds.values())
    return {"one_worker": one, "two_workers": two, "part": two / one}


def compare_folds(dataset: Dataset, rounds: int) -> dict[str, float]:
    """Returns medians of the seconds of four folds of cnn and of four single runs on as many images."""
    ways = {
        "four_folds": plan_runs(["cnn"], {**CNN, "validation": "kfold:4"}),
        "four_runs": plan_runs(["cnn"], {**CNN, "validation": "kfold:4", "fold": 1}, repeats=4),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, planned in ways.items():
            seconds[way].append(sweep_seconds(planned, dataset, 1))
    medians = {way: statistics.median(found) for way, found in seconds.items()}
    return {**medians, "times": medians["four_folds"] / medians["four_runs"]}


def sweep_seconds(planned: list[PlannedRun], dataset: Dataset, workers: int) -> float:
    """Returns how long the queue takes for all runs, once its workers are ready."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'runs.sqlite'}"
        queue = JobQueue(replace(load_settings(), database_url=url, workers=workers, scheduler=None))
        store = RunStore(url)
        try:
            _train(store, queue, plan_runs(["dense-32"], {"epochs": 1}, vary={"seed": range(workers)}), dataset)
            started = time.perf_counter()
            _train(store, queue, planned, dataset)
            return time.perf_counter() - started
        finally:
            queue.close()
            store.close()


def _train(store: RunStore, queue: JobQueue, planned: list[PlannedRun], dataset: Dataset) -> None:
    store.create_runs(planned, dataset=dataset.name, fingerprint=dataset.fingerprint)
    queue.wake()
    while store.list_runs(statuses=UNFINISHED):
        time.sleep(0.05)


if __name__ == "__main__":
    main()
