"""The `quantleak` command; one file a verb. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import sys

import typer

from quantleak.cli.audit import audit
from quantleak.cli.list import list_
from quantleak.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="How much does a quantized model reveal about its training data, and which quantizer reveals least for the "
    "accuracy it keeps?",
    epilog="Exit codes: 0 fine, 1 failure, 2 something given cannot be used.",
)
app.command("audit")(audit)
app.command("list")(list_)


@app.callback(invoke_without_command=True)
def options(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    """Options that stand before a verb."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"quantleak {installed('quantleak')}")
        raise typer.Exit


def main() -> None:
    """Entry point of the command: bad input becomes one message and exit code 2."""
    try:
        app()
    except InputError as error:
        _stop(f"Error: {error}", 2)
    except KeyboardInterrupt:
        _stop("\nStopped. The same command continues where it was.", 130)
    except OSError as error:
        _stop(f"Error: {error}. What was finished is kept; the same command continues.", 1)


def _stop(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)
