from __future__ import annotations

import pytest

from unlearnbench.run.progress import Lines, progress


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_short_run_writes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("working", 3, shown=True) as advance:
        for _ in range(3):
            advance()
    assert capsys.readouterr() == ("", "")


def test_now_and_then_a_line_says_what_is_done_and_how_long_the_rest_takes(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines("training", 1200, now=clock)
    for piece in range(400):
        clock.seconds += 0.25
        lines.advance(failed=piece % 100 == 0)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "training: 120 of 1,200 done, 2 failed, 4.0 a second, 4 min left",
        "training: 240 of 1,200 done, 3 failed, 4.0 a second, 4 min left",
        "training: 360 of 1,200 done, 4 failed, 4.0 a second, 4 min left",
    ]


@pytest.mark.parametrize(
    ("total", "seconds_each", "told"),
    [(2, 45.0, "1.3 a minute, 45 s left"), (1001, 60.0, "1.0 a minute, 16 h 40 min left")],
)
def test_slow_work_is_told_by_the_minute_and_the_hour(
    clock: Clock, total: int, seconds_each: float, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines("training", total, now=clock)
    clock.seconds += seconds_each
    lines.advance()
    assert capsys.readouterr().err.endswith(f"{told}\n")


@pytest.mark.parametrize(("shown", "lines"), [(True, 3), (False, 0)])
def test_what_is_not_shown_writes_nothing(
    shown: bool, lines: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unlearnbench.run.progress.EVERY", 0.0)
    with progress("training", 3, shown) as advance:
        for _ in range(3):
            advance()
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_a_log_that_takes_no_more_does_not_end_the_run(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stderr", Full())
    lines = Lines("training", 2, now=clock)
    clock.seconds += 1000
    lines.advance()
    assert lines.done == 1


def test_a_terminal_shows_a_bar_with_what_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with progress("training", 2, shown=True) as advance:
        advance(failed=True)
        advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert "training, 1 failed" in err
    assert "2/2" in err
