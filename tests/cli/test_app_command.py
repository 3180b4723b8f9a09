import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from mnist_dash.cli import app_command, main
from mnist_dash.config import PROJECT
from mnist_dash.errors import SettingsError


def test_the_dashboard_is_started_with_streamlits_options(monkeypatch: pytest.MonkeyPatch):
    started = []
    monkeypatch.setattr(subprocess, "call", lambda command: started.append(command) or 3)

    ended = CliRunner().invoke(main.commands, ["app", "--server.port", "8080"])

    expected = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), "--server.port", "8080"]
    assert (started, ended.exit_code) == ([expected], 3)


def test_an_installed_copy_without_the_dashboard_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(app_command, "PROJECT", tmp_path)

    ended = CliRunner().invoke(main.commands, ["app"])

    assert isinstance(ended.exception, SettingsError)
    assert "Get the source code" in str(ended.exception)


def test_the_console_script_is_the_command_line():
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]

    module, _, name = scripts["mnist-dash"].partition(":")
    assert getattr(import_module(module), name) is main.main
