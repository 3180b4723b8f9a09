"""The command line: everything that works without a browser."""

import sys

import click

# Importing them adds their commands to the group.
from mnist_dash.cli import reading, robustness, training  # noqa: F401
from mnist_dash.cli.common import commands
from mnist_dash.errors import MnistDashError, VariantError

__all__ = ["commands", "main"]


def main() -> None:
    """Runs the command line; errors of ours become one sentence and exit status 1."""
    try:
        commands(prog_name="python -m mnist_dash")
    except MnistDashError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, VariantError) else 1)  # a setting out of range is bad usage
