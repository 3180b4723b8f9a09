"""Which runs are trained together, and training all runs of an experiment in this process."""

from collections.abc import Sequence

from mnist_dash.config import Settings
from mnist_dash.networks.experiments import group_replicates
from mnist_dash.networks.variants import get_variant
from mnist_dash.store.records import CANCELLED, Run
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.worker.heartbeat import LOST, Heartbeat
from mnist_dash.worker.stacked import can_be_stacked
from mnist_dash.worker.training import train_runs

MAX_STACKED = 8


def grouped_runs(runs: Sequence[Run], *, workers: int) -> list[list[Run]]:
    """Divides waiting runs into those that are trained together, in the order of the first of each group.

    Runs of one experiment that differ only in seed or fold are stacked in one
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
    fresh = run.continues is None and (not run.attempt or run.lease is not None)
    return not (fresh and run.experiment_id is not None and can_be_stacked(get_variant(run.variant), run.settings))


def train_all(runs: Sequence[Run], settings: Settings) -> None:
    """Trains runs that the caller created as leased, group by group.

    Those that wait beat too, so that no other worker takes them for lost.

    Args:
        runs: The runs.
        settings: Say which store they are in, and the limits.
    """
    store = RunStore(settings.database_url)
    leases = RunLeases(store)
    waiting = {run.id: str(run.lease) for run in runs}
    try:
        with Heartbeat(leases, waiting) as heartbeat:
            for group in grouped_runs(runs, workers=1):
                to_train = {run.id: waiting[run.id] for run in group if not _stopped(leases, run, heartbeat)}
                for run in group:
                    heartbeat.forget(run.id)
                    del waiting[run.id]
                if to_train:
                    train_runs(list(to_train), settings, leases=to_train)
    except KeyboardInterrupt:
        for run_id, lease in waiting.items():
            leases.stop(run_id, lease, CANCELLED, {})
        raise
    finally:
        store.close()


def _stopped(leases: RunLeases, run: Run, heartbeat: Heartbeat) -> bool:
    """Ends a waiting run, if that is requested."""
    requested = heartbeat.requested.get(run.id)
    if requested and requested != LOST:
        heartbeat.forget(run.id)
        leases.stop(run.id, str(run.lease), requested, {})
    return bool(requested)
