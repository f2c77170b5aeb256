"""The `quantleak` command; one file per verb. Nothing heavy is imported before a verb runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper

import typer

import quantleak
from quantleak.cli.attack import attack
from quantleak.cli.audit import audit
from quantleak.cli.cite import cite
from quantleak.cli.compare import compare
from quantleak.cli.endings import CODES, ending
from quantleak.cli.gate import gate
from quantleak.cli.init import init
from quantleak.cli.list import list_
from quantleak.cli.report import report
from quantleak.cli.reproduce import reproduce
from quantleak.cli.signals import Stopped, stopped_by_signals
from quantleak.cli.validate import validate
from quantleak.errors import InputError

VERBS: dict[str, Callable[..., None]] = {
    "audit": audit,
    "report": report,
    "gate": gate,
    "compare": compare,
    "attack": attack,
    "reproduce": reproduce,
    "init": init,
    "validate": validate,
    "list": list_,
    "cite": cite,
}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help takes half the time of typeset help
    help="How much does a quantized model reveal about its training data, and which quantizer reveals least for the "
    "accuracy it keeps?",
    epilog=f"Exit codes: {', '.join(f'{code} {meaning}' for code, meaning in CODES.items())}.",
)
for name, verb in VERBS.items():
    app.command(name, epilog=ending(name))(verb)


@app.callback(invoke_without_command=True)
def options(
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    verbose: bool = typer.Option(False, "--verbose", help="Say on stderr what the library does."),
) -> None:
    """Options that stand before a verb."""
    if version:
        typer.echo(f"quantleak {quantleak.__version__}")
        raise typer.Exit
    if verbose:
        from quantleak.cli.logs import show

        show()


def main() -> None:
    """Entry point of the command: bad input becomes one message and exit code 2."""
    _print_anything()
    sys.path.append("")  # an installed command does not look for `--model my_model:function` where it is typed
    try:
        with stopped_by_signals():
            app()
    except InputError as error:
        _stop(f"Error: {error}", 2)
    except Stopped as stop:
        _stop("\nStopped. The same command continues where it was.", stop.code)
    except OSError as error:
        _stop(f"Error: {error}. What was finished is kept; the same command continues.", 1)


def _print_anything() -> None:
    """Print a question mark for what the encoding of the output lacks: no name of a file may end a finished audit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _stop(message: str, code: int) -> None:
    typer.echo(message, err=True)
    sys.exit(code)
