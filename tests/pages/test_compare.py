"""The Compare page on real stores."""

import html
import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_dash.datasets.mnist import Dataset
from mnist_dash.networks.experiments import PlannedRun
from mnist_dash.networks.variants import VARIANTS
from mnist_dash.store.records import Epoch, Result
from mnist_dash.store.reference_runs import ensure_reference_runs
from mnist_dash.store.run_leases import RunLeases
from mnist_dash.store.run_store import RunStore
from mnist_dash.store.search import RunFinder
from mnist_dash.store.visitors import Visitor
from mnist_dash.ui.shared.image_views import caption_of
from tests.pages.opening import TIMEOUT_S, opened, plain, texts, unfolds

LOOKS = ("confusion", "digits", "disagreements", "worst", "labels", "sureness", "traits")


@pytest.fixture
def store(own_database: str) -> Iterator[RunStore]:
    opened_store = RunStore(own_database)
    yield opened_store
    opened_store.close()


def add(
    store: RunStore,
    sample: Dataset,
    *,
    wrong: int = 100,
    variant: str = "dense-32",
    owner: str = "",
    fingerprint: str | None = None,
    val_accuracy: float | None = None,
    **settings,
) -> int:
    """Adds a finished run on the sample that reads its first `wrong` test pictures as the next digit."""
    checked = VARIANTS[variant].check(settings)
    data = {"dataset": sample.name, "fingerprint": fingerprint or sample.fingerprint}
    run = store.create_run(variant, checked, **data, by=Visitor(owner), leased=True)
    if val_accuracy is not None:
        RunLeases(store).record_epoch(run.id, str(run.lease), Epoch(1, 0.3, 0.9, 0.3, val_accuracy, 1.0), {})
    read = np.where(np.arange(1_000) < wrong, (sample.y_test + 1) % 10, sample.y_test)
    said = np.full((1_000, 10), 0.01, np.float16)
    said[np.arange(1_000), read] = 0.91
    artifacts = {"test_probabilities": said.tobytes(), "test_labels": sample.y_test.tobytes()}
    RunLeases(store).finish(run.id, str(run.lease), Result(0.3, 1 - wrong / 1_000, 2.0, 25_450, 0.1), artifacts)
    return run.id


def compared(*runs: int | str, **link: str) -> AppTest:
    """Opens the page with these runs chosen by its link; experiments are given as “e1”."""
    tokens = ",".join(run if isinstance(run, str) else f"r{run}" for run in runs)
    app = opened("compare", runs=tokens, **link)
    assert not app.exception
    return app


def table(app: AppTest) -> dict[str, dict]:
    """Returns the rows of the table of results, by run."""
    return {row["Run"]: row for row in app.data_editor[0].value.to_dict("records")}


def charts(app: AppTest) -> int:
    return len(app.get("plotly_chart"))


def shows(app: AppTest, view: str) -> AppTest:
    app.segmented_control(key="compare_show").set_value(view).run()
    assert not app.exception
    return app


# What is compared


def test_the_reference_runs_are_compared_at_first():
    app = opened("compare")

    assert len(app.multiselect(key="compare_runs").value) == len(VARIANTS)
    assert "**CNN" in texts(app)
    assert "statistically tied; both are significantly better than the rest" in texts(app)
    assert len(table(app)) == len(VARIANTS)


@pytest.mark.usefixtures("empty_database")
def test_an_empty_store_leads_to_the_train_page():
    app = opened("compare")

    assert not app.exception
    assert "Choose one or more finished runs" in app.info[0].value


def test_a_single_run_has_no_rival(store: RunStore, sample: Dataset):
    app = compared(add(store, sample))

    assert "90.0 % (± 1.9) accuracy on 1,000 test images" in texts(app)
    assert "Statistically tied" not in texts(app)
    assert "Choose a second run" in texts(shows(app, "real"))


def test_runs_that_have_not_finished_are_said_not_to_be_compared(store: RunStore):
    settings, data = VARIANTS["dense-32"].check({}), {"dataset": "mnist", "fingerprint": "0"}
    failed = store.create_run("dense-32", settings, **data, leased=True)
    RunLeases(store).fail(failed.id, str(failed.lease), "The loss became <nan>.")
    running = store.create_run("dense-32", settings, **data, leased=True)
    queued = store.create_run("dense-32", settings, **data)
    cancelled = store.create_run("dense-32", settings, **data)
    store.cancel_run(cancelled.id)

    app = compared(failed.id, running.id, queued.id, cancelled.id)

    words = texts(app)
    assert f"run {failed.id} failed: The loss became \\<nan\\>\\." in words or "The loss became \\<nan\\>." in words
    assert f"Not finished, so not compared: Dense 32 · run {running.id} and Dense 32 · run {queued.id}." in words
    assert f"Cancelled, so not compared: Dense 32 · run {cancelled.id}." in words
    assert "Choose one or more finished runs" in app.info[0].value
    assert charts(app) == 0


def test_runs_tested_on_different_data_are_shown_apart_and_that_is_said(store: RunStore, sample: Dataset):
    ensure_reference_runs(store)
    on_sample, on_mnist = add(store, sample, wrong=0), store.find_run("cnn").id

    app = compared(on_sample, on_mnist)

    assert "tested on different data" in texts(app)
    [first] = table(app)
    app.segmented_control(key="compare_data").set_value(
        next(kind for kind in (sample.fingerprint[:12], reference_fingerprint(store)[:12]) if kind != chosen_data(app))
    ).run()
    assert not app.exception
    assert len(table(app)) == 1
    assert set(table(app)) != {first}
    assert "ignificantly better" not in texts(app)


def reference_fingerprint(store: RunStore) -> str:
    return store.find_run("cnn").fingerprint


def chosen_data(app: AppTest) -> str:
    return str(app.segmented_control(key="compare_data").value)


@pytest.mark.parametrize("view", ["results", "real", "where", "robustness", "settings"])
def test_no_view_mixes_runs_on_different_data(store: RunStore, sample: Dataset, view: str):
    ensure_reference_runs(store)
    runs = [add(store, sample, wrong=100 + index, seed=index) for index in range(2)]
    other = add(store, sample, wrong=1, fingerprint="f" * 16)  # the same name, other pictures

    app = compared(*runs, other, store.find_run("cnn").id, compare_show=view)

    assert "tested on different data" in texts(app)
    assert app.segmented_control(key="compare_data").value == sample.fingerprint[:12]
    shown = texts(app) + " ".join(element.value.to_string() for element in app.dataframe)
    assert f"run {other}" not in shown
    assert "CNN" not in shown


# Views


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_of_errors_works_where_the_images_are_here(store: RunStore, sample: Dataset, look: str):
    runs = [add(store, sample, wrong=wrong, seed=wrong) for wrong in (60, 90)]

    app = compared(*runs, compare_show="where", compare_look=look, compare_repeats="single")

    assert "not available here" not in texts(app)
    assert charts(app) == {"confusion": 2, "digits": 1, "sureness": 1, "traits": 1}.get(look, 0)
    pictures = sum(element.proto.body.count("<figure") for element in app.get("html"))
    assert (pictures > 0) == (look in ("confusion", "disagreements", "worst"))


@pytest.mark.parametrize("look", LOOKS)
def test_every_view_of_errors_says_so_where_the_images_are_not_here(look: str):
    app = opened("compare", compare_show="where", compare_look=look)

    assert not app.exception
    says_so = any(words in texts(app) for words in ("not available here", "are not here", "Mark test images"))
    assert says_so == (look not in ("digits", "sureness"))


@pytest.mark.parametrize("view", ["results", "real", "robustness", "settings"])
def test_every_view_opens_by_link(view: str):
    app = opened("compare", compare_show=view)

    assert not app.exception
    assert app.segmented_control(key="compare_show").value == view


def test_pairwise_tests_are_in_words_and_in_a_table(store: RunStore, sample: Dataset):
    first, second, same = (add(store, sample, wrong=wrong, epochs=2 + index) for index, wrong in enumerate((0, 30, 30)))

    app = compared(first, second, same, compare_show="real")

    assert f"**Dense 32 · run {first} · epochs 2** is significantly better than" in texts(app)
    assert f"run {same} · epochs 4** are statistically tied; both are" not in texts(app)
    unfolds(app, "compare_pairs")
    rows = app.dataframe[0].value.to_dict("records")
    # 30 pictures, all on one side: 2 · 0.5³⁰, times three pairs (Holm); the third pair reads alike.
    assert [row["p"] for row in rows] == pytest.approx([3 * 2 * 0.5**30] * 2 + [1.0])
    assert [row["Significant"] for row in rows] == ["yes", "yes", "no"]


def test_the_cell_of_a_link_is_shown_with_its_pictures(store: RunStore, sample: Dataset):
    run = add(store, sample, wrong=1_000)

    app = compared(run, compare_show="where", compare_cell="4-5")

    assert app.selectbox(key="compare_cell").value == "4-5"
    captions = re.findall(r"<b>(\d) · image (\d+)</b>", " ".join(each.proto.body for each in app.get("html")))
    assert len(captions) == 12
    assert all(label == "4" and sample.y_test[int(index)] == 4 for label, index in captions)


def test_settings_that_mattered_are_named(store: RunStore, sample: Dataset):
    runs = [
        add(store, sample, wrong=wrong, epochs=epochs, learning_rate=rate)
        for (epochs, rate), wrong in zip([(1, 0.01), (1, 0.1), (9, 0.01), (9, 0.1)], (200, 190, 40, 30), strict=True)
    ]

    app = compared(*runs, compare_show="settings")

    assert "**Epochs** explains 100 % of the variance in accuracy; best value: 9" in texts(app)
    assert charts(app) == 1
    app.multiselect(key="compare_axes").set_value(["epochs"]).run()
    assert "two or more axes" in texts(app)


# Hostile and hurried readers


@pytest.mark.parametrize(
    "link",
    [
        {"runs": "r0,r-1,e,x,r99999999999999999999,<script>,r1;DROP TABLE runs"},
        {"runs": ",".join(f"r{number}" for number in range(1, 2_000))},
        {"compare_cell": "99-99"},
        {"compare_cell": "²-³"},
        {"compare_cell": "<b>", "compare_show": "where"},
        {"compare_cell": "4-", "compare_show": "where", "compare_look": "confusion"},
        {"compare_show": "<script>", "compare_look": "nothing", "compare_data": "%00", "compare_cost": "0"},
        {"compare_show": "where", "compare_look": "traits", "compare_trait": "beauty"},
    ],
    ids=lambda link: " ".join(f"{name}={value[:24]}" for name, value in link.items()),
)
def test_a_link_that_makes_no_sense_shows_what_can_be_shown(link: dict[str, str]):
    app = opened("compare", **link)

    assert not app.exception
    assert not app.error
    assert app.multiselect(key="compare_runs").value


def test_a_link_to_runs_that_are_gone_says_so():
    app = compared(999_999_999, "e999999999", 1)

    assert app.multiselect(key="compare_runs").value == ["r1"]
    assert "2 selected items no longer available" in texts(app)


def test_nothing_chosen_says_what_to_do_and_something_chosen_again_works():
    app = opened("compare")

    app.multiselect(key="compare_runs").set_value([]).run()
    assert not app.exception
    assert "Choose one or more finished runs" in app.info[0].value
    app.multiselect(key="compare_runs").set_value(["r1"]).run()

    assert not app.exception
    assert len(table(app)) == 1
    assert app.query_params["runs"] == "r1"


def test_the_choice_goes_along_to_the_curves_and_back(store: RunStore, sample: Dataset):
    run = add(store, sample)
    app = compared(run)

    app.switch_page("pages/curves.py").run()
    assert app.multiselect(key="curves_runs").value == [f"r{run}"]
    app.switch_page("pages/compare.py").run()

    assert app.multiselect(key="compare_runs").value == [f"r{run}"]


def test_a_chosen_run_that_is_deleted_meanwhile_is_no_longer_chosen(store: RunStore, sample: Dataset):
    first, second = add(store, sample), add(store, sample, epochs=5)
    app = compared(first, second)

    store.delete_run(first)
    app.run()

    assert not app.exception
    assert app.multiselect(key="compare_runs").value == [f"r{second}"]


def test_forty_runs_are_compared_as_far_as_that_can_be_read(store: RunStore, sample: Dataset):
    runs = [add(store, sample, wrong=100 + index, epochs=1 + index) for index in range(40)]

    app = compared(*runs)

    assert "Only the best 24 of 40" in texts(app)
    assert len(table(app)) == 24
    shows(app, "real")
    unfolds(app, "compare_pairs")
    assert len(app.dataframe[0].value) == 24 * 23 / 2


# Repeats


def test_repeats_are_taken_together_or_run_by_run(store: RunStore, sample: Dataset):
    runs = [add(store, sample, wrong=100 + 10 * index, seed=index) for index in range(3)]

    app = compared(*runs)

    [(title, row)] = table(app).items()
    assert title.startswith("Dense 32 · 3 seeds")
    assert row["Test accuracy"] == pytest.approx(89.0)
    app.segmented_control(key="compare_repeats").set_value("single").run()

    assert not app.exception
    assert len(table(app)) == 3


def test_names_say_what_sets_runs_apart_and_no_more(store: RunStore, sample: Dataset):
    shared = {"epochs": 4, "seed": 10}
    runs = [add(store, sample, wrong=10, batch_size=size, **shared) for size in (32, 64)]
    folds = [
        add(store, sample, wrong=20 + fold, validation="kfold:2", fold=fold, batch_size=64, **shared) for fold in (1, 2)
    ]
    alone = add(store, sample, wrong=30, variant="dense-512", epochs=7)

    app = compared(*runs, *folds, alone)

    assert set(table(app)) == {
        f"Dense 32 · run {runs[0]} · batch size 32, validation none",
        f"Dense 32 · run {runs[1]} · batch size 64, validation none",
        "Dense 32 · batch size 64 · 2 folds",
        f"Dense 512 · run {alone} · epochs 7",
    }


def test_a_cross_validation_shows_the_accuracy_over_its_folds_on_the_page_and_in_the_report(
    store: RunStore, sample: Dataset
):
    folds = [add(store, sample, validation="kfold:2", fold=fold, val_accuracy=0.88 + fold / 50) for fold in (1, 2)]
    alone = add(store, sample, validation="none")

    app = compared(*folds, alone)
    page = plain(report_of([*folds, alone]))

    # 0.90 and 0.92: their mean is 0.91, their standard deviation 0.02 / √2 = 0.0141.
    rows = table(app)
    assert [plain(row["Cross-validation"]) for row in rows.values() if row["Cross-validation"]] == ["91.0 % ± 1.4"]
    assert "<td>91.0 % ± 1.4</td>" in page
    assert "validation accuracies over the folds" in page


def test_repeats_of_two_settings_are_compared_by_their_means(store: RunStore, sample: Dataset):
    runs = [
        add(store, sample, wrong=wrong + 2 * index, seed=index, epochs=epochs)
        for epochs, wrong in ((2, 100), (3, 60))
        for index in range(3)
    ]

    app = compared(*runs, compare_show="real")

    assert "Means differ by 4.00 points" in texts(app)
    unfolds(app, "compare_pairs")
    assert app.dataframe[0].value.to_dict("records")[0]["Method"] == "Welch’s t-test"


# Finding and tags


def test_a_run_is_found_by_its_tag_and_an_experiment_by_its_title(store: RunStore, sample: Dataset):
    run = add(store, sample)
    RunFinder(store).set_tags(run, ["for the talk"])
    app = opened("compare")
    app.session_state["compare_finder"] = True
    app.run()

    app.text_input(key="compare_words").set_value("talk").run()

    assert not app.exception
    found = app.dataframe[0].value.to_dict("records")
    assert [row["Tags"] for row in found] == ["for the talk"]
    key = next(each.key for each in app.dataframe if str(each.key).startswith("compare_found_run"))
    app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.button(key="compare_add").click().run()
    assert not app.exception
    assert f"r{run}" in app.multiselect(key="compare_runs").value
    app.segmented_control(key="compare_of").set_value("experiment").run()
    assert not app.exception
    assert "No matches" in texts(app)


def test_an_experiment_is_chosen_with_all_its_runs(store: RunStore, sample: Dataset):
    planned = [PlannedRun("dense-32", VARIANTS["dense-32"].check({"seed": seed})) for seed in (1, 2)]
    for run in store.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint):
        store.cancel_run(run.id)

    app = compared("e1")

    assert app.multiselect(key="compare_runs").value == ["e1"]
    assert "Cancelled, so not compared" in texts(app)


def test_tags_are_saved_and_found(store: RunStore, sample: Dataset):
    run = add(store, sample)

    edit_tags(run, ["homework", " homework "])

    assert RunFinder(store).tags_of([run]) == {run: ["homework"]}
    [row] = table(compared(run)).values()
    assert list(row["Tags"]) == ["homework"]


def test_too_many_tags_are_refused_with_a_sentence(store: RunStore, sample: Dataset):
    run = add(store, sample)

    app = edit_tags(run, [f"tag {index}" for index in range(20)])

    assert "8 tags" in app.toast[0].value
    assert RunFinder(store).tags_of([run]) == {run: []}


def test_on_a_shared_host_nobody_tags_the_runs_of_others(
    store: RunStore, sample: Dataset, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MNIST_DASH_SHARED", "1")
    run = add(store, sample, owner="someone else")

    app = edit_tags(run, ["mine"])

    assert "only its owner can do that" in app.toast[0].value
    assert RunFinder(store).tags_of([run]) == {run: []}


def edit_tags(run: int, tags: list[str]) -> AppTest:
    """Saves tags as the table does when someone has edited its first row: the harness cannot edit cells."""

    def script(run: int, tags: list[str]) -> None:
        import streamlit as st

        from mnist_dash.analysis.replicates import ReplicateGroup
        from mnist_dash.ui.compare import results_view
        from mnist_dash.ui.shared import resources

        st.session_state[results_view._REFUSED] = 0
        st.session_state["edited"] = {"edited_rows": {"0": {"Tags": tags}}}
        results_view._save_tags("edited", (ReplicateGroup((resources.run_store().get_run(run),)),))

    app = AppTest.from_function(script, default_timeout=TIMEOUT_S, args=(run, tags)).run()
    assert not app.exception
    return app


# The report


def test_the_report_says_the_same_as_the_page(store: RunStore, sample: Dataset):
    runs = [add(store, sample, wrong=wrong, epochs=epochs) for epochs, wrong in ((2, 60), (3, 90))]
    app = compared(*runs)

    page = report_of(runs)

    assert "fetch" not in page.split("<body>")[0]
    for title, row in table(app).items():
        assert f"<td>{title}</td>" in page
        assert f'<td class="number">{row["Test accuracy"]:,.4g}</td><td>{row["95 % interval"]}</td>' in page
    verdict = next(str(element.value) for element in app.markdown if " is best, " in element.value)
    assert verdict.replace("**", "") in html.unescape(re.sub("</?b>", "", page))
    test = next(str(element.value) for element in shows(app, "real").markdown if "Right alone" in element.value)
    assert test.replace("**", "") in html.unescape(re.sub("</?b>", "", page))
    assert page.count("<figure><img ") == 2 * 12  # images that each of the two misclassifies
    assert "fingerprint " + sample.fingerprint[:12] in page


def test_a_report_has_no_pictures_of_other_data():
    page = report_of(range(1, len(VARIANTS) + 1))

    assert "<figure>" not in page
    assert "10,000 images of mnist " in page


def test_a_report_of_hostile_tags_and_names_is_harmless(store: RunStore, sample: Dataset):
    run = add(store, sample)
    RunFinder(store).set_tags(run, ["<script>alert(1)</script>"])

    page = report_of([run])

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


def report_of(runs: Sequence[int]) -> str:
    def script(runs: list[int]) -> None:
        import streamlit as st

        from mnist_dash.ui.compare.comparison import compare
        from mnist_dash.ui.compare.report_button import make_report
        from mnist_dash.ui.shared import resources

        comparison = compare([resources.run_store().get_run(run) for run in runs])
        st.session_state["report"] = make_report(comparison, link="http://127.0.0.1/compare?runs=r1")

    app = AppTest.from_function(script, default_timeout=TIMEOUT_S, args=(list(runs),)).run()
    assert not app.exception
    return str(app.session_state["report"])


# The way here


@pytest.mark.usefixtures("nothing_is_trained")
def test_finished_runs_and_experiments_on_train_lead_here_and_to_their_curves(store: RunStore, sample: Dataset):
    run = add(store, sample)
    planned = [PlannedRun("dense-32", VARIANTS["dense-32"].check({"seed": seed})) for seed in (1, 2)]
    for each in store.create_runs(planned, dataset=sample.name, fingerprint=sample.fingerprint):
        store.cancel_run(each.id)

    app = opened("train")

    links = {(element.proto.page, element.proto.query_string) for element in app.get("page_link")}
    assert {("curves", "runs=e1"), ("compare", "runs=e1"), ("curves", f"runs=r{run}")} <= links


# Captions


def test_a_label_that_people_found_wrong_is_flagged_below_its_picture(store: RunStore, sample: Dataset):
    ensure_reference_runs(store)
    on_mnist = RunFinder(store).references()[0]
    on_the_sample = store.get_run(add(store, sample))

    assert caption_of(on_mnist, 9, 1901) == "9 · image 1901 · label error"
    assert caption_of(on_mnist, 9, 1902) == "9 · image 1902"
    assert caption_of(on_the_sample, 9, 947) == "9 · image 947"
