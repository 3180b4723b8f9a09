import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import create_engine, inspect

from mnist_dash.errors import DataError, KeptDigitsError, StoreError
from mnist_dash.store.kept_digits import MAX_KEPT, KeptDigits
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.schema import SCHEMA_VERSION
from tests.store.test_version_0_4 import STATES, make_version_2
from tests.support.statements import execute


def digits(n, *, start=0):
    """Pictures number `start` to `start + n`, each with its number in its first bytes, and digits 0 to 9 in turn."""
    numbers = np.arange(start, start + n)
    x = np.zeros((n, 28, 28), np.uint8)
    x[:, 0, 0], x[:, 0, 1], x[:, 27, 27] = numbers // 256, numbers % 256, 255
    return x, (numbers % 10).astype(np.uint8)


def numbers_of(kept):
    return [256 * int(picture[0, 0]) + int(picture[0, 1]) for picture in kept.x]


def tables_of(store_url):
    engine = create_engine(store_url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


@pytest.fixture
def kept(store):
    return KeptDigits(store)


# Keeping and reading


def test_digits_are_read_as_they_were_kept_and_in_that_order(kept):
    x, y = digits(300)

    assert kept.keep("ann", x[:200], y[:200]) == 200
    assert kept.keep("ann", x[200:], y[200:]) == 100

    found = kept.read("ann")
    np.testing.assert_array_equal(found.x, x)
    np.testing.assert_array_equal(found.y, y)
    assert (found.x.dtype, found.y.dtype) == (np.uint8, np.uint8)
    assert len(set(found.ids)) == 300
    assert list(found.ids) == sorted(found.ids)


def test_real_digits_are_read_to_the_pixel(kept, sample):
    kept.keep("ann", sample.x_test, sample.y_test)

    found = kept.read("ann")
    np.testing.assert_array_equal(found.x, sample.x_test)
    np.testing.assert_array_equal(found.y, sample.y_test)


def test_who_keeps_nothing_reads_an_empty_set(kept):
    found = kept.read("ann")

    assert found.ids == ()
    assert (found.x.shape, found.x.dtype) == ((0, 28, 28), np.uint8)
    assert (found.y.shape, found.y.dtype) == ((0,), np.uint8)


def test_what_is_read_cannot_be_written_by_mistake(kept):
    kept.keep("ann", *digits(1))

    with pytest.raises(ValueError, match="read-only"):
        kept.read("ann").x[0, 0, 0] = 1


def test_labels_of_any_whole_type_and_pictures_in_any_order_of_memory_are_kept(kept):
    x, y = digits(3)

    kept.keep("ann", np.asfortranarray(x), y.astype(">i8"))

    np.testing.assert_array_equal(kept.read("ann").x, x)
    np.testing.assert_array_equal(kept.read("ann").y, y)


def test_when_a_digit_was_kept_is_written_down(store_url):
    store = RunStore(store_url, clock=lambda: 1_234.5)
    KeptDigits(store).keep("ann", *digits(1))
    store.close()

    assert execute(store_url, "SELECT owner, label, created_at FROM kept_digits") == [("ann", 0, 1_234.5)]


def test_kept_digits_outlive_the_store_that_kept_them(store_url, kept):
    kept.keep("ann", *digits(3))

    again = RunStore(store_url)
    found = KeptDigits(again).read("ann")
    again.close()

    assert numbers_of(found) == [0, 1, 2]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((1, 784), np.uint8), np.zeros(1, np.uint8)),
        (np.zeros((1, 28, 28), np.float32), np.zeros(1, np.uint8)),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(1, np.uint8)),
        (np.zeros((1, 28, 28), np.uint8), np.array([10])),
        (np.zeros((1, 28, 28), np.uint8), np.array([-1])),
        (np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8)),
    ],
)
def test_what_is_no_digit_with_its_answer_is_not_kept(kept, x, y):
    with pytest.raises(DataError, match="Digits to keep"):
        kept.keep("ann", x, y)

    assert kept.read("ann").ids == ()


# The same digit again


def test_a_digit_is_not_kept_twice(kept):
    kept.keep("ann", *digits(5))

    assert kept.keep("ann", *digits(7)) == 2
    assert numbers_of(kept.read("ann")) == [0, 1, 2, 3, 4, 5, 6]


def test_a_digit_that_is_offered_twice_at_once_is_kept_once_in_its_first_place(kept):
    x, y = digits(3)

    assert kept.keep("ann", x[[2, 0, 2, 1, 0]], y[[2, 0, 2, 1, 0]]) == 3
    assert numbers_of(kept.read("ann")) == [2, 0, 1]


def test_the_same_picture_with_another_answer_is_another_digit(kept):
    x, _ = digits(1)

    assert kept.keep("ann", x, np.array([1])) == 1
    assert kept.keep("ann", x, np.array([7])) == 1
    assert kept.read("ann").y.tolist() == [1, 7]


def test_two_visitors_may_keep_the_same_digit(kept):
    assert kept.keep("ann", *digits(1)) == 1
    assert kept.keep("bob", *digits(1)) == 1


# Taking out


def test_one_digit_is_taken_out_and_the_others_stay_in_order(kept):
    kept.keep("ann", *digits(4))

    kept.remove("ann", kept.read("ann").ids[1])

    assert numbers_of(kept.read("ann")) == [0, 2, 3]


def test_a_digit_that_was_taken_out_may_be_kept_again_and_then_comes_last(kept):
    kept.keep("ann", *digits(3))
    kept.remove("ann", kept.read("ann").ids[0])

    assert kept.keep("ann", *digits(1)) == 1
    assert numbers_of(kept.read("ann")) == [1, 2, 0]


def test_the_number_of_a_digit_is_never_given_to_another(kept):
    kept.keep("ann", *digits(1))
    [gone] = kept.read("ann").ids
    kept.remove("ann", gone)
    kept.keep("ann", *digits(1, start=1))

    kept.remove("ann", gone)  # a page that still shows the first one

    assert numbers_of(kept.read("ann")) == [1]


@pytest.mark.parametrize("digit_id", [-1, 0, 10_000, 2**31, 2**63, 10**30])
def test_taking_out_what_is_not_there_does_nothing(kept, digit_id):
    kept.keep("ann", *digits(2))

    kept.remove("ann", digit_id)

    assert numbers_of(kept.read("ann")) == [0, 1]


def test_all_digits_are_taken_out_at_once(kept):
    kept.keep("ann", *digits(30))

    kept.clear("ann")

    assert kept.read("ann").ids == ()


# Other visitors


def test_nobody_reads_the_digits_of_another_visitor(kept):
    kept.keep("ann", *digits(2))
    kept.keep("bob", *digits(3, start=10))

    assert numbers_of(kept.read("ann")) == [0, 1]
    assert numbers_of(kept.read("bob")) == [10, 11, 12]


def test_nobody_takes_out_a_digit_of_another_visitor(kept):
    kept.keep("ann", *digits(2))
    kept.keep("bob", *digits(2))

    for digit_id in kept.read("ann").ids:
        kept.remove("bob", digit_id)

    assert len(kept.read("ann").ids) == len(kept.read("bob").ids) == 2


@pytest.mark.parametrize("owner", ["bob", "", "%", "an_", "' OR 1=1 --", "Ann"])
def test_nobody_takes_out_all_digits_of_another_visitor(kept, owner):
    kept.keep("ann", *digits(2))
    kept.keep(owner, *digits(3))

    kept.clear(owner)

    assert kept.read(owner).ids == ()
    assert len(kept.read("ann").ids) == 2


def test_what_others_keep_takes_no_room(kept):
    kept.keep("ann", *digits(MAX_KEPT))

    assert kept.keep("bob", *digits(MAX_KEPT)) == MAX_KEPT


# The limit


def test_as_many_as_allowed_are_kept_and_not_one_more(kept):
    assert kept.keep("ann", *digits(MAX_KEPT)) == MAX_KEPT

    with pytest.raises(
        KeptDigitsError,
        match=r"^You keep 1,000 digits and want to keep 1 more, but 1,000 is the maximum\. Export them",
    ):
        kept.keep("ann", *digits(1, start=MAX_KEPT))

    assert len(kept.read("ann").ids) == MAX_KEPT


def test_of_digits_for_which_there_is_no_room_none_is_kept(kept):
    kept.keep("ann", *digits(MAX_KEPT - 5))

    with pytest.raises(KeptDigitsError, match="You keep 995 digits and want to keep 6 more"):
        kept.keep("ann", *digits(6, start=MAX_KEPT))

    assert len(kept.read("ann").ids) == MAX_KEPT - 5


def test_digits_that_are_kept_already_need_no_room(kept):
    kept.keep("ann", *digits(MAX_KEPT))

    assert kept.keep("ann", *digits(MAX_KEPT)) == 0


def test_taking_out_makes_room(kept):
    kept.keep("ann", *digits(MAX_KEPT))
    kept.remove("ann", kept.read("ann").ids[0])

    assert kept.keep("ann", *digits(1, start=MAX_KEPT)) == 1


# Several at once


def keep_at_once(store_url, offers):
    """Keeps each offer as ann, each on connections of its own and all in the same moment; None where refused."""
    start = threading.Barrier(len(offers))

    def work(offer):
        store = RunStore(store_url)
        start.wait()
        try:
            return KeptDigits(store).keep("ann", *offer)
        except KeptDigitsError:
            return None
        finally:
            store.close()

    with ThreadPoolExecutor(len(offers)) as pool:
        return list(pool.map(work, offers))


@pytest.mark.parametrize("attempt", range(3))
def test_two_tabs_keeping_at_once_never_keep_more_than_allowed(store_url, kept, attempt):
    kept.keep("ann", *digits(400))

    new = keep_at_once(store_url, [digits(400, start=1_000), digits(400, start=2_000)])

    assert sorted(new, key=str) == [400, None]
    assert len(kept.read("ann").ids) == 800


def test_many_tabs_keeping_one_digit_each_fill_the_last_places_exactly(store_url, kept):
    kept.keep("ann", *digits(MAX_KEPT - 3))

    new = keep_at_once(store_url, [digits(1, start=2_000 + number) for number in range(8)])

    assert (new.count(1), new.count(None)) == (3, 5)
    assert len(kept.read("ann").ids) == MAX_KEPT


def test_the_same_digits_kept_by_several_tabs_at_once_are_kept_once(store_url, kept):
    new = keep_at_once(store_url, [digits(100)] * 4)

    assert sorted(new) == [0, 0, 0, 100]
    assert numbers_of(kept.read("ann")) == list(range(100))


# Databases


def test_an_older_database_without_kept_digits_gets_them_and_loses_nothing(tmp_path):
    store_url = f"sqlite:///{tmp_path / 'runs.sqlite'}"
    make_version_2(store_url)
    execute(store_url, "DROP TABLE kept_digits")

    store = RunStore(store_url)
    new = KeptDigits(store).keep("ann", *digits(2))
    found, runs = KeptDigits(store).read("ann"), store.list_runs()
    store.close()

    assert new == 2
    assert numbers_of(found) == [0, 1]
    assert {run.id: run.status for run in runs} == STATES
    assert execute(store_url, "SELECT version FROM schema_version") == [(SCHEMA_VERSION,)]


def test_a_database_that_fails_is_said_to_fail(store_url, kept):
    execute(store_url, "DROP TABLE kept_digits")

    with pytest.raises(StoreError, match="could not be read"):
        kept.read("ann")
    with pytest.raises(StoreError, match="did not take a change"):
        kept.keep("ann", *digits(1))
    with pytest.raises(StoreError, match="did not take a change"):
        kept.clear("ann")
