"""The README and docs/, compared with the project that they describe."""

import json
import os
import re
import tomllib
from pathlib import Path

import click
import pytest

from mnist_dash.analysis import accuracies
from mnist_dash.analysis.corruption_accuracy import accuracy_by_level, clean_accuracy, mean_by_strength, robustness
from mnist_dash.analysis.words.number_words import accuracy_words
from mnist_dash.cli.main import commands
from mnist_dash.config import SETTINGS
from mnist_dash.digitizer import decoding
from mnist_dash.networks.variants import VARIANTS, default_settings
from mnist_dash.store.corruption_counts import CorruptionCounts
from mnist_dash.store.reference_runs import REFERENCE_FOLDER, ROBUSTNESS_JSON
from tests.conftest import OPT_IN
from tests.pages.opening import plain
from tests.support.postgresql import NEED_POSTGRESQL
from tools.list_licences import licence_of, needed

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()
DOCUMENTS = [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]
EACH_DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def section(title: str, *, of: str = "README.md") -> str:
    return (PROJECT / of).read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def table_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| ---")][1:]


def sh_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def requirement_names(file: str) -> set[str]:
    lines = (PROJECT / file).read_text().splitlines()
    return {re.split(r"[=\[ ]", line)[0] for line in lines if line and not line.startswith(("#", "-r"))}


def test_the_licences_are_those_of_what_is_installed():
    listed = {row[0]: row[2] for row in table_rows((PROJECT / "docs/licences.md").read_text(encoding="utf-8"))}
    found = needed((PROJECT / "requirements.txt").read_text(encoding="utf-8"))

    pinned = re.findall(r"^([A-Za-z0-9-]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE)
    here = {name.lower() for name in pinned} & found.keys()
    assert len(here) > 15
    assert {name: licence_of(found[name]) for name in here} == {name: listed[name] for name in here}


def test_the_settings_table_is_that_of_the_project():
    rows = table_rows(section("Settings", of="docs/settings.md"))

    assert [(row[0], row[1], row[2]) for row in rows] == [
        (f"`{info.name}`", f"`{info.default}`" if info.default else "", info.help) for info in SETTINGS
    ]


def test_the_first_two_sh_blocks_are_one_line_each_and_start_the_dashboard_and_the_tests():
    start, test = sh_blocks()[:2]

    assert start.count("\n") == test.count("\n") == 1
    assert (start, test) == ("./run app\n", "./run test\n")
    assert os.access(PROJECT / "run", os.X_OK)


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 170


def test_all_commands_and_their_options_are_described():
    rows = table_rows((PROJECT / "docs" / "command-line.md").read_text())

    described = {re.match(r"`(\w+)", row[0])[1] for row in rows}
    assert described == set(commands.commands)
    for row in rows:
        command = commands.commands[re.match(r"`(\w+)", row[0])[1]]
        known = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
        assert set(re.findall(r"--[\w-]+", row[0])) <= known


def test_all_pages_are_described_in_the_order_of_the_menu():
    titles = re.findall(r'st\.Page\("pages/\w+\.py", title="(\w+)"', (PROJECT / "app.py").read_text())

    assert [row[0] for row in table_rows(section("The pages"))] == titles
    assert {title.lower() for title in titles} == {path.stem for path in (PROJECT / "pages").glob("*.py")}


@pytest.mark.parametrize("name", VARIANTS)
def test_claims_and_results_are_those_of_the_models_that_ship(name: str):
    row = next(row for row in table_rows(section("Claimed and measured")) if row[0] == f"`{name}`")
    run = json.loads((REFERENCE_FOLDER / name / "run.json").read_text())
    measured = accuracies.accuracy(round(run["test_accuracy"] * 10_000), 10_000)

    assert row[2] == f"{run['settings']['epochs']} × {run['settings']['batch_size']}"
    assert row[4] == plain(accuracy_words(measured))
    assert (claim.words if (claim := VARIANTS[name].claim) else "none, ours").startswith(row[3])
    assert {**default_settings(name), **run["settings"]} == VARIANTS[name].check({})


@pytest.mark.parametrize("name", VARIANTS)
def test_robustness_is_that_of_the_models_that_ship(name: str):
    rows = table_rows(section("Robustness", of="docs/benchmarks.md"))
    [row] = [row for row in rows if row[0] == f"`{name}`"]
    readings = CorruptionCounts.from_json(json.loads((REFERENCE_FOLDER / name / ROBUSTNESS_JSON).read_text()))
    strengths, turned = (
        mean_by_strength(readings),
        [accuracy_by_level(readings, "turn")[place].value for place in (1, 4)],
    )

    shares = (
        clean_accuracy(readings).value,
        strengths[0],
        strengths[4],
        accuracy_by_level(readings, "shift")[3].value,
        sum(turned) / 2,
    )
    words = [f"{100 * share:.1f}" for share in shares]
    assert row[1:] == [words[0], plain(accuracy_words(robustness(readings))).replace(" %", ""), *words[1:]]


def test_every_direct_dependency_has_a_reason():
    reasons = " ".join(row[0] for row in table_rows(section("Dependencies", of="docs/architecture.md")))

    for name in requirement_names("requirements.txt"):
        assert re.search(rf"\b{re.escape(name.removesuffix('-cpu'))}\b", reasons), name


def test_every_run_time_requirement_is_pinned():
    lines = (PROJECT / "requirements.txt").read_text().splitlines()

    assert all("==" in line for line in lines if line and not line.startswith("#"))


def links_of(document: Path) -> set[Path]:
    targets = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    return {(document.parent / target).resolve() for target in targets if not target.startswith("https://")}


@EACH_DOCUMENT
def test_linked_files_exist(document: Path):
    assert [str(target) for target in links_of(document) if not target.exists()] == []


@EACH_DOCUMENT
def test_files_that_are_named_exist(document: Path):
    if document.name == "CHANGELOG.md":
        return  # tells of the past
    named = re.findall(
        r"`((?:mnist_dash|tests|docs|pages|benchmarks|tools|worker|store|digitizer|inference|analysis|"
        r"networks|datasets|figures|ui)/[\w./]*)`",
        document.read_text(),
    )

    missing = [name for name in named if not ((PROJECT / name).exists() or (PROJECT / "mnist_dash" / name).exists())]

    assert [name for name in missing if "NAME" not in name] == []


def test_every_document_is_linked():
    linked = set().union(*(links_of(document) for document in DOCUMENTS))

    assert {document for document in DOCUMENTS if document.name != "README.md"} <= linked


def test_the_server_takes_uploads_as_large_as_pictures_may_be():
    config = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())

    assert config["server"]["maxUploadSize"] * 1_000_000 == decoding.MAX_FILE_BYTES


def test_the_readmes_numbers_are_those_of_the_benchmarks():
    cells = {cell for row in table_rows((PROJECT / "docs" / "benchmarks.md").read_text()) for cell in row}
    measured = {float(number) for cell in cells for number in re.findall(r"\d+\.\d+", cell)}

    in_tables = re.sub(r"- \*\*Pages.*", "", section("How fast, how accurate"))  # whose table has milliseconds
    claimed = re.findall(r"\d+\.\d+", in_tables)

    assert len(claimed) > 10
    for number in map(float, claimed):
        assert any(abs(number - found) < 0.051 for found in measured), number  # rounded


def test_every_variable_that_switches_tests_on_is_described():
    rows = table_rows(section("Set-up and checks", of="CONTRIBUTING.md"))

    assert {row[0] for row in rows} == {f"`{variable}=1`" for variable in (*OPT_IN.values(), NEED_POSTGRESQL)}


def test_hooks_check_what_run_check_checks():
    hooks = re.findall(r"entry: (.*)", (PROJECT / ".pre-commit-config.yaml").read_text())
    checks = re.findall(r"^ +(\.venv/bin/(?:ruff|mypy) .*)$", (PROJECT / "run").read_text(), re.MULTILINE)

    assert [hook.split()[:2] for hook in hooks] == [check.split()[:2] for check in checks]


def test_make_starts_what_the_readme_starts():
    makefile = (PROJECT / "Makefile").read_text()

    for target in re.findall(r"`make (\w+)`", README):
        assert re.search(rf"^(\w+ )*{target}( \w+)*:", makefile, re.MULTILINE), target
