"""What can be checked of Dockerfile and compose.yaml without Docker: they name what is there, and nobody is root."""

import re
from pathlib import Path

import yaml

from mnist_dash.config import SETTINGS

PROJECT = Path(__file__).resolve().parent.parent
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())


def test_the_image_holds_what_the_dashboard_needs_and_runs_as_nobody_special():
    copied = re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)
    allowed = [line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert sorted(copied) == sorted(allowed)
    assert all((PROJECT / path).exists() for path in copied)
    assert DOCKERFILE.index("USER dash") < DOCKERFILE.index('CMD ["streamlit"')
    assert "HEALTHCHECK" in DOCKERFILE


def test_every_setting_that_hosting_uses_exists():
    used = set(re.findall(r"MNIST_DASH_[A-Z_]+", DOCKERFILE + (PROJECT / "compose.yaml").read_text()))

    assert used <= {setting.name for setting in SETTINGS}


def test_every_service_is_watched_restarted_and_only_the_dashboard_is_reachable():
    services = COMPOSE["services"]

    assert set(services) == {"database", "scheduler", "worker", "dashboard"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped"
        assert "healthcheck" in service or name == "dashboard"  # the image has its own
        assert ("ports" in service) == (name == "dashboard")
    assert services["worker"]["environment"] == services["dashboard"]["environment"]
    assert services["worker"]["deploy"]["replicas"] == 2


def test_commands_of_services_are_those_that_dask_has():
    import subprocess
    import sys

    for service in ("scheduler", "worker"):
        _, _, dask, command, *options = COMPOSE["services"][service]["command"]
        shown = subprocess.run(
            [sys.executable, "-m", dask, command, "--help"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for option in (option.partition("=")[0] for option in options if option.startswith("--")):
            assert option in shown or option.replace("--no-", "--") in shown
