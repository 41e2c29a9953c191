"""The options of all verbs that work on a suite: declared once, handed over as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from unlearnbench.cli.options import DisabledPlugins, PluginFiles, RunPluginFiles
from unlearnbench.cli.output import echo
from unlearnbench.engine.devices import Device
from unlearnbench.run.session import Session, SessionOptions
from unlearnbench.suite.profiles import Profile

SuiteName = Annotated[
    str, typer.Argument(metavar="SUITE", help="The name of a standard suite, or the path of a suite file.")
]
StoreDir = Annotated[
    Path,
    typer.Option("--store", metavar="DIR", envvar="UNLEARNBENCH_STORE", file_okay=False, help="The folder of results."),
]
ProfileOption = Annotated[
    Profile,
    typer.Option("--profile", help="full: the suite as it is. smoke: one seed and tiny episodes, to test a suite."),
]
DEFAULT_STORE = SessionOptions().store


def session_options(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KEY=VALUE",
            help="Use only the cells whose KEY, an axis or seed, has this value, e.g. model=mlp. Can be repeated. The "
            "control attack blind is always used, because it decides whether rows are valid.",
        ),
    ] = None,
    entry: Annotated[
        str,
        typer.Option(
            "--entry",
            metavar="AXIS=NAME",
            help="Use only the cells that an entry of the suite's leaderboard consists of, and the controls that it is "
            "compared by, e.g. unlearner=sisa or unlearner=my-method:share=0.9. The suite need not list it.",
        ),
    ] = "",
    store: StoreDir = DEFAULT_STORE,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Use this one seed in place of the suite's seeds.")
    ] = None,
    device: Annotated[
        Device | None, typer.Option("--device", help="Use this device in place of the suite's device.")
    ] = None,
    profile: ProfileOption = "full",
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
    run_plugin_files: RunPluginFiles = False,
) -> SessionOptions:
    """Return the options as one value."""
    plugins = plugin_file or (), disable_plugin or ()
    return SessionOptions(store, only or (), seed, device, profile, *plugins, run_plugin_files, entry)


@contextmanager
def told_if_stopped(session: Session) -> Iterator[None]:
    """At Ctrl-C, SIGTERM or SIGHUP, print what is kept of a run and how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = session.plan.summary(session.store)
        echo(
            f"stopped: {kept['episodes cached']:,} of {kept['episodes']:,} episodes and {kept['cells cached']:,} of "
            f"{kept['cells']:,} cells are kept in {session.store.root}; the same command goes on from there",
            err=True,
        )
        raise


def with_session_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let typer see the parameters of :func:`session_options` in place of a verb's parameter ``options``.

    ``without`` names those that the verb does not offer; they keep their defaults.
    """
    shared = [each for name, each in _parameters(session_options).items() if name not in without]

    def decorate(verb: Callable[..., None]) -> Callable[..., None]:
        @wraps(verb)
        def expanded(**given: Any) -> None:
            chosen = {each.name: given.pop(each.name) for each in shared}
            verb(options=session_options(**chosen), **given)

        own = _parameters(verb)
        listed = [each for name in own for each in (shared if name == "options" else [own[name]])]
        keywords = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in listed]
        expanded.__signature__ = Signature(keywords)  # type: ignore[attr-defined]  # what inspect.signature reads
        return expanded

    return decorate


def _parameters(function: Callable[..., object]) -> dict[str, Parameter]:
    return dict(signature(function, eval_str=True).parameters)
