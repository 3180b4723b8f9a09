"""Which runs are trained together, and training all runs of an experiment in this process."""

from collections.abc import Sequence

from mnist_dash.networks.experiments import group_replicates
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.records import CANCELLED, Run
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.heartbeat import LOST, Heartbeat
from mnist_dash.worker.stacked import can_be_stacked
from mnist_dash.worker.training import train_runs

MAX_STACKED = 8


def grouped_runs(runs: Sequence[Run], *, workers: int) -> list[list[Run]]:
    """Divides waiting runs into those that are trained together, in the order of the first of each group.

    Runs of one experiment that differ only in seed or fold are trained as lanes of one
    program, where a network is small enough to gain by it, and spread over all workers.
    """
    groups = []
    for members in group_replicates(
        runs, separate=_trains_separately, within=lambda run: (run.experiment_id, run.fingerprint)
    ):
        size = min(MAX_STACKED, -(-len(members) // workers))
        groups += [members[start : start + size] for start in range(0, len(members), size)]
    return groups


def _trains_separately(run: Run) -> bool:
    fresh = run.continues is None and (not run.attempt or run.claim is not None)
    return not (fresh and run.experiment_id is not None and can_be_stacked(get_variant(run.variant), run.settings))


def train_all(runs: Sequence[Run], database_url: str) -> None:
    """Trains runs that the caller created as claimed, group by group.

    Those that wait beat too, so that no other worker takes them for lost.

    Args:
        runs: The runs.
        database_url: The store that they are in.
    """
    store = RunStore(database_url)
    waiting = {run.id: run for run in runs}
    try:
        with Heartbeat(store, list(runs)) as reporter:
            for group in grouped_runs(runs, workers=1):
                wanted = [run for run in group if not _stopped(store, run, reporter)]
                for run in group:
                    reporter.forget(run.id)
                    del waiting[run.id]
                if wanted:
                    claims = {run.id: str(run.claim) for run in wanted}
                    train_runs(list(claims), database_url, claims=claims)
    except KeyboardInterrupt:
        for run in waiting.values():
            store.stop_run(run.id, str(run.claim), CANCELLED, {})
        raise
    finally:
        store.close()


def _stopped(store: RunStore, run: Run, reporter: Heartbeat) -> bool:
    """Ends a waiting run, if that is wanted."""
    wanted = reporter.wanted.get(run.id)
    if wanted and wanted != LOST:
        reporter.forget(run.id)
        store.stop_run(run.id, str(run.claim), wanted, {})
    return bool(wanted)
