"""Real processes whose output goes to a full disk, a closed pipe or another encoding, or that are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TINY
from unlearnbench.cli.streams import CLOSED_PIPE

COMMAND = [sys.executable, "-m", "unlearnbench"]
LIST = ("plugins", "list")
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")

SLOW = """
import time
from pathlib import Path
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Slow(ScoreAttack):
    def score(self, view):
        Path(__file__).with_name("started").touch()
        time.sleep(60)

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="slow", summary="Takes a minute.", factory=Slow)
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def run(*arguments: str, encoding: str = "utf-8", **streams: object) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        return subprocess.run([*COMMAND, *arguments], check=False, cwd=tmp_path, env=environment, **pipes)  # type: ignore[call-overload, no-any-return]  # noqa: S603 - our own command

    return run


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@needs_full
@pytest.mark.parametrize("arguments", [LIST, ("--help",), ("--version",), ("suite", "schema")])
def test_output_to_a_full_disk_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        done = run(*arguments, stdout=full)
    assert done.returncode == 2
    assert done.stderr.decode().endswith("No space left on device\n")
    assert len(done.stderr.splitlines()) == 1


@needs_full
def test_an_error_that_cannot_be_told_keeps_its_exit_code(run: Run) -> None:
    with FULL.open("wb") as full:
        assert run("plan", "no-such-suite", stderr=full).returncode == 2


@pytest.mark.parametrize("arguments", [LIST, ("--help",), ("suite", "schema")])
def test_a_pipe_that_nobody_reads_any_more_ends_the_command_without_a_word(
    run: Run, arguments: tuple[str, ...]
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = run(*arguments, stdout=pipe)
    assert (done.returncode, done.stderr) == (CLOSED_PIPE, b"")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-8"])
def test_a_terminal_of_any_encoding_shows_every_text(run: Run, tmp_path: Path, encoding: str) -> None:
    described = TINY.replace("version: 1", 'version: 1\ndescription: "Trees \\u2013 \\u6587 \\u202e"')
    (tmp_path / "tiny.yaml").write_text(described)
    done = run("suite", "show", "tiny.yaml", encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    assert "description:" in shown
    assert "\u202e" not in shown
    assert run("plan", "tiny\u2013.yaml", encoding=encoding).returncode == 2


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_run_that_is_stopped_says_what_it_keeps_and_how_it_goes_on(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("the tests were started by nohup, whose programs go on")
    (tmp_path / "tiny.yaml").write_text(TINY.replace("[sorted-diff]", "[slow]") + "plugins: [slow.py]\n")
    (tmp_path / "slow.py").write_text(SLOW)
    part = ("--only", "unlearner=retrain", "--only", "attack=slow", "--store", "kept")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, "run", "tiny.yaml", *part], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(how)
    out, err = process.communicate()
    assert (process.returncode, out) == (code, "")
    (line,) = err.splitlines()
    assert line.startswith("stopped: 4 of 4 episodes and 0 of 2 cells are kept in ")
    assert line.endswith("kept; the same command goes on from there")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_exit_code_tells_the_signal_wherever_the_code_of_others_was(
    run: Run, tmp_path: Path, how: signal.Signals, code: int
) -> None:
    """Python itself would tell another one, where the signal comes while a text is executed."""
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("the tests were started by nohup, whose programs go on")
    (tmp_path / "stopping.py").write_text(f'exec("import os; os.kill(os.getpid(), {int(how)})")\n')
    assert run(*LIST, "--plugin-file", "stopping.py").returncode == code
