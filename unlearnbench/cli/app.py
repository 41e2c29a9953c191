"""The command ``unlearnbench``: which verbs there are, and how errors are printed.

The module of a verb is imported when the verb is invoked; ``--help`` needs the table below only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from unlearnbench import __version__
from unlearnbench.cli.output import echo, epilog, new_app
from unlearnbench.cli.streams import (
    CLOSED_PIPE,
    INTERRUPTED,
    Stop,
    failed_stream,
    show_all_text,
    silence,
    stopped_in_order,
)
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import message_of

# To add a verb, add a line: its module, and its help in at most 55 characters. The module has either ``app``, a group
# made by ``new_app``, or ``command``, the function of a verb without sub-verbs, with ``EXAMPLES``, command lines.
VERBS: Final = {
    "suite": ("unlearnbench.cli.suite", "List, check and show suites, which say what to run."),
    "plan": ("unlearnbench.cli.plan", "Print what a suite would run, and what is done."),
    "tune": ("unlearnbench.cli.tune", "Look for parameters of unlearners by a suite's trials."),
    "run": ("unlearnbench.cli.run", "Run a suite and print its tables."),
    "status": ("unlearnbench.cli.status", "Print the progress and the failures of a run."),
    "store": ("unlearnbench.cli.store", "Describe, verify, repair and merge stores of results."),
    "results": ("unlearnbench.cli.results", "Print the results of a run."),
    "plot": ("unlearnbench.cli.plot", "Draw a figure of a finished run."),
    "reproduce": ("unlearnbench.cli.reproduce", "Repeat the experiments of the paper, test its claims."),
    "audit": ("unlearnbench.cli.audit", "Measure what your own models reveal of deletions."),
    "reconstruct": ("unlearnbench.cli.reconstruct", "Reconstruct records deleted from linear models."),
    "leaderboard": ("unlearnbench.cli.leaderboard", "Build leaderboards; pack and check submissions."),
    "data": ("unlearnbench.cli.data", "List, download, verify and describe data sets."),
    "plugins": ("unlearnbench.cli.plugins", "List, describe, check and start plug-ins."),
}

EXAMPLES: Final = (
    "unlearnbench plan quickstart",
    "unlearnbench run quickstart",
    "unlearnbench plugins show sisa",
)

# typer has its own copy of click since 0.26 and imported click before: this is the class of usage errors in both.
_UsageError: Final[type[Exception]] = typer.BadParameter.__mro__[1]
_SUGGESTION: Final = re.compile(r"'?([\w-]+)'?([.]? [(]?(?:Did you mean|Possible options:) ([\w', -]+)[?)]*)$")
"""The wrong word and what could be meant, as several versions of click write it, some in alphabetical order."""


class LazyGroup(TyperGroup):
    """A group that knows the one-line help of every verb and imports only the verb that is invoked."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Replace the one-line help of a verb by the verb, then go on as usual."""
        if args[0] in VERBS:
            self.commands[args[0]] = _load(args[0])
        return super().resolve_command(ctx, args)


def _load(verb: str) -> Any:
    module = import_module(VERBS[verb][0])
    if hasattr(module, "app"):
        command: Any = typer.main.get_group(module.app)
    else:
        single = new_app("")
        single.command(verb, epilog=epilog(*getattr(module, "EXAMPLES", ())))(module.command)
        command = typer.main.get_command(single)
    command.name = verb
    return command


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(f"unlearnbench {__version__}")
        raise typer.Exit


def _make_app() -> typer.Typer:
    app = new_app("Measure how much the deletion of a record from a model reveals about the record.")

    @app.callback(cls=LazyGroup, epilog=epilog(*EXAMPLES))
    def options(
        version: bool = typer.Option(
            False, "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ) -> None:
        """Take the options before any verb."""

    for verb, (_, summary) in VERBS.items():
        app.command(verb, help=summary)(lambda: None)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    It is 2 for what a user can mend, told in one line: wrong input, or a disk or stream that cannot be written. It is
    130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP, and 141 where the reader of a pipe is gone.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    show_all_text()
    stop = Stop()
    try:  # around the handlers too: a signal may come while they are set back
        with stopped_in_order(stop):
            code = _told(given or ["--help"])
        return stop.code if code == INTERRUPTED else code
    except (KeyboardInterrupt, typer.Abort):
        return stop.code


def _told(arguments: list[str]) -> int:
    """Run the command line; tell what a user can mend in one line."""
    try:
        return _run(arguments)
    except UserError as error:
        return _fail(str(error))
    except _UsageError as error:
        return _fail(_usage(error))
    except OSError as error:
        return _fail(_environment(error))


def _run(arguments: list[str]) -> int:
    command = typer.main.get_command(_make_app())
    try:
        code = command.main(arguments, prog_name="unlearnbench", standalone_mode=False)
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        silence(sys.__stdout__ or sys.stdout)
        return CLOSED_PIPE
    return code if isinstance(code, int) else 0


def _environment(error: OSError) -> str:
    """Return one line on what the system refuses: a full disk, a file that may not be read, a lack of descriptors."""
    return message_of(error.strerror or str(error), str(error.filename or failed_stream() or ""))


def _usage(error: Any) -> str:
    """Return one line on a wrong option or argument, with the help page that says what would be right."""
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    message = message[:1].lower() + message[1:]
    if choice := re.search(r"'([^']*)' is not one of (.+)$", message):
        close = get_close_matches(choice[1], re.findall(r"'([^']*)'", choice[2]), n=1)
        message += f'; did you mean "{close[0]}"?' if close else ""
    if offer := _SUGGESTION.search(message):
        (closest,) = get_close_matches(offer[1], re.findall(r"[\w-]+", offer[3]), n=1, cutoff=0)
        message = f'{message[: offer.start(2)]}; did you mean "{closest}"?'
    page = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
    return message + page


def _fail(message: str) -> int:
    with suppress(OSError):  # where standard error is gone too, the exit code alone tells it
        echo(f"error: {message_of(message)}", err=True)
    return 2
