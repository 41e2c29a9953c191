"""Whether a plug-in leaves the process as it was: its settings, the global random generators, the standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import Final

from unlearnbench.core.plugin_calls import plugin_call, stdout_to
from unlearnbench.core.process_settings import differing, read_settings
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import Check

HINT: Final = (
    "Draw from the seeds or the generator of the arguments; change settings in a `with` block, such as np.errstate; "
    "log, or print to sys.stderr."
)


def traces_of(run: Callable[[], object]) -> Iterator[str]:
    """Yield what a function changes in this process, where it is called a second time; all of it is undone."""
    with plugin_call():
        run()  # imports change settings too
    with plugin_call(), TemporaryFile("w+", encoding="utf-8") as output:
        before = read_settings()
        with stdout_to(output, output.fileno()):
            run()
        changed = differing(before, read_settings())
        output.seek(0)
        printed = output.read()
    yield from (f"it changes {name}, which a run restores" for name in changed)
    if printed.strip():
        yield f"it prints {printed.strip().splitlines()[0]!r:.60} to the standard output, which is for results"


def process_check(call: Callable[[Subject], object]) -> Check:
    """Return the check for plug-ins of a kind; ``call`` calls one as a run does."""
    return Check(
        "leaves-the-process-as-it-was",
        "It changes no setting of the process, draws from no global generator and prints nothing.",
        HINT,
        lambda subject: traces_of(lambda: call(subject)),
    )
