"""`./run` installs what is missing, once, and starts what was asked for."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
# Stands for Python: notes how it was called, and makes a .venv whose programs do the same.
FAKE_PYTHON = """#!/bin/sh
case $1 in
-c) exit 0 ;;
-m) [ "$2" != venv ] || { mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$0" .venv/bin/streamlit; } ;;
esac
echo "$(basename "$0") $*" >>called.txt
[ "$2" != pip ] || exit "${PIP_EXIT:-0}"
"""
INSTALLS_APP = ["python3 -m venv .venv", "python -m pip install -r requirements.txt"]
INSTALLS_DEV = ["python3 -m venv .venv", "python -m pip install -r requirements-dev.txt"]
STARTS = "streamlit run app.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(PROJECT / "run", tmp_path)
    (tmp_path / "requirements.txt").write_text("streamlit\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest\n")
    python = tmp_path / "path" / "python3"
    python.parent.mkdir()
    python.write_text(FAKE_PYTHON)
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    path = f"{project / 'path'}:/usr/bin:/bin"
    command = ["sh", str(project / "run"), *arguments]
    return subprocess.run(
        command, cwd="/", env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True
    )


def called(project: Path) -> list[str]:
    """What has been called since this was last asked."""
    found = (project / "called.txt").read_text().splitlines()
    (project / "called.txt").unlink()
    return found


def test_the_first_start_installs_and_the_second_starts_at_once(project: Path):
    run(project)
    first = called(project)
    run(project, "app", "--server.port", "9000")

    assert first == [*INSTALLS_APP, STARTS]
    assert called(project) == [f"{STARTS} --server.port 9000"]


def test_other_requirements_are_installed_before_the_next_start(project: Path):
    run(project)
    called(project)

    (project / "requirements.txt").write_text("streamlit==2\n")
    run(project)

    assert called(project) == [*INSTALLS_APP, STARTS]


def test_the_tests_need_more_than_the_dashboard_which_needs_nothing_more_then(project: Path):
    run(project)
    called(project)

    run(project, "test", "-k", "seven")
    tested = called(project)
    run(project)

    assert tested == [*INSTALLS_DEV, "python -m pytest -k seven"]
    assert called(project) == [STARTS]


def test_after_an_installation_that_failed_nothing_starts_and_the_next_call_installs_again(project: Path):
    failed = run(project, PIP_EXIT="3")
    first = called(project)
    run(project)

    assert failed.returncode == 3
    assert first == INSTALLS_APP
    assert called(project) == [*INSTALLS_APP, STARTS]


def test_without_a_python_that_fits_it_says_which_one_to_install(project: Path):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        too_old = project / "path" / name
        too_old.write_text("#!/bin/sh\nexit 1\n")
        too_old.chmod(0o755)

    refused = run(project)

    assert refused.returncode == 1
    assert "Python 3.11, 3.12 or 3.13" in refused.stderr
    assert not (project / ".venv").exists()


def test_an_unknown_command_is_answered_with_those_there_are(project: Path):
    refused = run(project, "dance")

    assert refused.returncode == 2
    assert "app | test | check" in refused.stderr
