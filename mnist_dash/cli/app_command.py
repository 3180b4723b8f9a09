"""The command that starts the dashboard."""

import subprocess
import sys

import click

from mnist_dash.cli.group import commands
from mnist_dash.config import PROJECT
from mnist_dash.errors import SettingsError


@commands.command("app", context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[OPTION…]")
def app_command(options: tuple[str, ...]) -> None:
    """Start the dashboard. An OPTION is one of `streamlit run`, such as --server.port 8080."""
    app = PROJECT / "app.py"
    if not app.exists():
        raise SettingsError(
            f"The dashboard is not part of an installed copy: there is no {app}. Get the source code and "
            "run `python -m mnist_dash app` in its folder."
        )
    sys.exit(subprocess.call([sys.executable, "-m", "streamlit", "run", str(app), *options]))
