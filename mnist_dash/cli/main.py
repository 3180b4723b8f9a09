"""Runs the command line and turns errors of ours into sentences."""

import sys

import click

# Importing them adds their commands to the group.
from mnist_dash.cli import (  # noqa: F401
    app_command,
    data_command,
    inference_commands,
    robustness_command,
    run_commands,
    store_commands,
)
from mnist_dash.cli.group import commands
from mnist_dash.errors import MnistDashError, VariantError


def main(*, name: str = "mnist-dash") -> None:
    """Runs the command line; errors of ours become one sentence and exit status 1.

    Args:
        name: The program's name in help texts.
    """
    try:
        commands(prog_name=name)
    except MnistDashError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2 if isinstance(error, VariantError) else 1)  # a setting out of range is bad usage
