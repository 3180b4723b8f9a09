"""Finding some of very many runs, on both databases, and the tags by which people find them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from mnist_dash.errors import RunStateError
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import CANCELLED, DONE, FAILED, QUEUED, RUNNING, STATUSES, Result, Run
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.search import MAX_TAG_LENGTH, MAX_TAGS, SORTED_BY, RunFinder, RunQuery

HOSTILE = ["100%", "a_b", "it's", '"quoted"', "\\", "'; DROP TABLE tags; --", "%", "_", "ß🙂", "[a-z]*"]


@pytest.fixture
def finder(store: RunStore) -> RunFinder:
    return RunFinder(store)


def add(store: RunStore, variant: str = "dense-32", *, result: Result | None = None, **settings) -> int:
    """Adds a run: done with a result, else queued."""
    checked = VARIANTS[variant].check(settings)
    run = store.create_run(variant, checked, dataset="mnist", fingerprint="0", leased=result is not None)
    if result:
        RunLeases(store).finish(run.id, str(run.lease), result, {})
    return run.id


def reached(accuracy: float, *, loss: float = 0.1, seconds: float = 1.0, weights: int = 9, ms: float = 0.1) -> Result:
    return Result(loss, accuracy, seconds, weights, ms)


def add_experiment(store: RunStore, *seeds: int, variant: str = "dense-32") -> list[Run]:
    planned = [PlannedRun(variant, VARIANTS[variant].check({"seed": seed})) for seed in seeds]
    return store.create_runs(planned, dataset="mnist", fingerprint="0")


def found(finder: RunFinder, words: str = "", *, limit: int = 50, **wanted) -> list[int]:
    return [run.id for run in finder.find(RunQuery(words, **wanted), limit=limit)]


# Finding


def test_runs_are_found_newest_first_and_no_more_than_are_asked_for(store: RunStore, finder: RunFinder):
    ids = [add(store) for _ in range(5)]

    assert found(finder, limit=3) == [ids[4], ids[3], ids[2]]
    assert finder.count(RunQuery()) == 5


def test_a_number_finds_its_run_before_all_whose_network_has_it_in_its_name(store: RunStore, finder: RunFinder):
    ids = [add(store) for _ in range(34)]

    assert found(finder, "32")[:2] == [32, 34]  # then all Dense 32, the newest first
    assert finder.count(RunQuery("32")) == len(ids)


@pytest.mark.parametrize("words", ["9999999999999999999", "0", "-1", "³", "٣"])
def test_what_is_no_number_of_a_run_finds_nothing(store: RunStore, finder: RunFinder, words: str):
    add(store, "cnn")

    assert found(finder, words) == []


def test_words_are_looked_for_in_networks_experiments_and_tags(store: RunStore, finder: RunFinder):
    cnn, dense = add(store, "cnn"), add(store)
    seeds = [run.id for run in add_experiment(store, 1, 2)]
    finder.set_tags(dense, ["Homework"])

    assert found(finder, "CNN") == [cnn]
    assert found(finder, "2 seeds") == seeds[::-1]
    assert found(finder, "home") == [dense]
    assert found(finder, "dense home") == [dense]
    assert found(finder, "cnn home") == []


def test_a_run_in_several_ways_right_is_found_once(store: RunStore, finder: RunFinder):
    run = add(store)
    finder.set_tags(run, ["dense one", "dense two"])

    assert found(finder, "dense") == [run]
    assert finder.count(RunQuery("dense")) == 1


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_text_and_nothing_else(store: RunStore, finder: RunFinder, words: str):
    tagged, other = add(store), add(store)
    finder.set_tags(tagged, [words])
    finder.set_tags(other, ["plain"])

    assert finder.tags_of([tagged]) == {tagged: [words]}
    assert found(finder, tag=words) == [tagged]
    if " " not in words:
        assert found(finder, words) == [tagged]


def test_runs_are_found_by_state_network_and_tag(store: RunStore, finder: RunFinder):
    done, queued = add(store, result=reached(0.9)), add(store, "cnn")
    running = store.create_run("cnn", VARIANTS["cnn"].check({}), dataset="mnist", fingerprint="0", leased=True).id
    cancelled = add(store)
    store.cancel_run(cancelled)
    finder.set_tags(done, ["good"])

    assert found(finder, statuses=(DONE,)) == [done]
    assert found(finder, statuses=(DONE, QUEUED)) == [queued, done]
    assert found(finder, statuses=STATUSES) == [cancelled, running, queued, done]
    assert found(finder, statuses=(RUNNING, FAILED, CANCELLED)) == [cancelled, running]
    assert found(finder, variant="cnn") == [running, queued]
    assert found(finder, tag="good") == [done]
    assert found(finder, tag="goo") == []


@pytest.mark.parametrize("order", SORTED_BY)
def test_the_best_come_first_and_what_has_no_result_last(store: RunStore, finder: RunFinder, order: str):
    unfinished = add(store)
    good = add(store, result=reached(0.99, loss=0.1, seconds=1.0, weights=10, ms=0.1))
    bad = add(store, result=reached(0.91, loss=0.9, seconds=9.0, weights=90, ms=0.9))

    assert found(finder, sorted_by=order) == [good, bad, unfinished]


def test_the_runs_that_ship_are_found_apart(store: RunStore, finder: RunFinder):
    add(store)
    ensure_reference_runs(store)

    assert sorted(run.variant for run in finder.references()) == sorted(VARIANTS)
    assert all(run.is_reference for run in finder.references())


# Experiments


def test_experiments_are_found_by_what_their_runs_are(store: RunStore, finder: RunFinder):
    dense, cnn = add_experiment(store, 1, 2, 3), add_experiment(store, 4, 5, variant="cnn")
    finder.set_tags(dense[0].id, ["keep"])

    def ids(**wanted) -> list[int]:
        return [each.experiment.id for each in finder.experiments(RunQuery(**wanted), limit=9)]

    first, second = dense[0].experiment_id, cnn[0].experiment_id
    assert ids() == [second, first]
    assert ids(variant="cnn") == ids(words="cnn seeds") == [second]
    assert ids(tag="keep") == ids(words=f"{first} 3 seeds") == [first]
    assert ids(statuses=(DONE,)) == []
    assert [each.experiment.id for each in finder.experiments(RunQuery(), limit=1)] == [second]


def test_an_experiment_says_how_many_runs_it_has_and_the_best_so_far(store: RunStore, finder: RunFinder):
    runs = add_experiment(store, 1, 2, 3)
    for run, accuracy in zip(runs[:2], (0.91, 0.93), strict=True):
        leased = RunLeases(store).acquire(run.id)
        RunLeases(store).finish(run.id, str(leased.lease), reached(accuracy), {})

    [each] = finder.experiments(RunQuery(statuses=(DONE,)), limit=9)

    assert (each.experiment.title, each.runs, each.best) == ("Dense 32, 3 seeds", 3, 0.93)


# Tags


def test_tags_are_kept_once_each_and_in_order(store: RunStore, finder: RunFinder):
    run = add(store)

    finder.set_tags(run, [" b ", "a", "b", "", "  "])

    assert finder.tags_of([run]) == {run: ["a", "b"]}
    assert finder.tags() == ["a", "b"]


def test_new_tags_stand_in_place_of_the_old_ones_and_of_one_run_only(store: RunStore, finder: RunFinder):
    run, other = add(store), add(store)
    for each in (run, other):
        finder.set_tags(each, ["a", "b"])

    finder.set_tags(run, ["c"])

    assert finder.tags_of([run, other]) == {run: ["c"], other: ["a", "b"]}
    finder.set_tags(run, [])
    assert finder.tags_of([run]) == {run: []}
    assert finder.tags() == ["a", "b"]


@pytest.mark.parametrize(
    "tags", [[f"tag {place}" for place in range(MAX_TAGS + 1)], ["x" * (MAX_TAG_LENGTH + 1)]], ids=["many", "long"]
)
def test_too_many_or_too_long_tags_change_nothing(store: RunStore, finder: RunFinder, tags: list[str]):
    run = add(store)
    finder.set_tags(run, ["kept"])

    with pytest.raises(RunStateError, match=f"{MAX_TAGS} tags of at most {MAX_TAG_LENGTH} characters"):
        finder.set_tags(run, tags)

    assert finder.tags_of([run]) == {run: ["kept"]}


def test_as_many_and_as_long_tags_as_allowed_are_kept(store: RunStore, finder: RunFinder):
    run = add(store)
    tags = [f"{place}".ljust(MAX_TAG_LENGTH, "x") for place in range(MAX_TAGS)]

    finder.set_tags(run, tags)

    assert finder.tags_of([run]) == {run: tags}


def test_what_cannot_be_seen_is_left_out_of_a_tag(store: RunStore, finder: RunFinder):
    run = add(store)

    finder.set_tags(run, ["a\x00b\n", "\u202e"])

    assert finder.tags_of([run]) == {run: ["ab"]}


def test_tags_go_with_their_run(store: RunStore, finder: RunFinder):
    run = add(store, result=reached(0.9))
    finder.set_tags(run, ["a"])

    store.delete_run(run)

    assert finder.tags() == []
    finder.set_tags(run, ["b"])  # its page was still open in another tab
    assert finder.tags() == []


def test_two_who_tag_one_run_at_once_do_not_mix_their_tags(store: RunStore, finder: RunFinder):
    run = add(store)
    wishes = [["a", "b"], ["c", "d"], ["e", "f"]]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda tags: finder.set_tags(run, tags), wishes * 5))

    assert finder.tags_of([run])[run] in wishes


def test_the_size_of_a_model_is_told_without_reading_it(store: RunStore, finder: RunFinder):
    run = store.create_run("cnn", VARIANTS["cnn"].check({}), dataset="mnist", fingerprint="0", leased=True)
    RunLeases(store).finish(run.id, str(run.lease), reached(0.9), {"model.tflite": b"x" * 1234})
    other = add(store, result=reached(0.9))

    assert finder.model_bytes([run.id, other]) == {run.id: 1234}
