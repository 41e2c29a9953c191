from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from unlearnbench.builtin.datasets.download import download
from unlearnbench.core.errors import UserError

CONTENT = b"some records"


def accept(path: Path) -> None:
    pass


def refuse(path: Path) -> None:
    raise UserError("is not the expected file", where=str(path))


def left_behind(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "folder" / "file.npz"


def test_the_right_file_is_put_at_its_place(server: str, target: Path) -> None:
    download(f"{server}/file.npz", target, accept)
    assert target.read_bytes() == CONTENT
    assert [*target.parent.iterdir()] == [target]


def test_another_file_than_expected_is_not_kept(server: str, target: Path) -> None:
    with pytest.raises(UserError, match="the downloaded file is not the expected file"):
        download(f"{server}/file.npz", target, refuse)
    assert not left_behind(target.parent)


def test_a_file_that_the_server_lacks_is_reported_with_its_response(server: str, target: Path) -> None:
    with pytest.raises(UserError, match="cannot be downloaded: the server answered 404 Not Found"):
        download(f"{server}/nothing", target, accept)
    assert not left_behind(target.parent)


def test_a_file_that_breaks_off_is_not_kept(server: str, target: Path) -> None:
    with pytest.raises(UserError, match="cannot be downloaded: the connection failed"):
        download(f"{server}/cut-off", target, accept)
    assert not left_behind(target.parent)


def test_no_server_is_a_user_error(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        with pytest.raises(UserError, match="cannot be downloaded: the connection failed"):
            download(f"http://127.0.0.1:{unused.getsockname()[1]}/file.npz", target, accept)
    assert not left_behind(target.parent)


def test_a_place_that_cannot_be_written_is_a_user_error(server: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot be downloaded: (File exists|Not a directory)"):
        download(f"{server}/file.npz", tmp_path / "taken" / "file.npz", accept)


def test_without_the_extra_the_error_says_what_to_install(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(UserError, match=r'pip install "unlearnbench\[data\]"'):
        download("http://127.0.0.1:1/file.npz", target, accept)
    assert not target.parent.exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_shown_on_a_terminal_only(
    server: str, target: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    download(f"{server}/file.npz", target, accept)
    assert ("100%" in capfd.readouterr().err) == terminal
