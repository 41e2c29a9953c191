from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import platformdirs
import pytest

CONTENT = b"some records"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a small file, its checksum pinned, in the place of the one that a data set's module reads."""

    def put(module: ModuleType, content: bytes, constant: str = "FILE") -> None:
        file = replace(getattr(module, constant), sha256=hashlib.sha256(content).hexdigest())
        path = tmp_path / file.folder / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        monkeypatch.setenv("UNLEARNBENCH_DATA", str(tmp_path))
        monkeypatch.setattr(module, constant, file)

    return put


@pytest.fixture
def roots(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The two roots of the chain, both empty: that of the variable, and the user's cache; their paths are short."""
    folder = tmp_path_factory.mktemp("roots")
    monkeypatch.setenv("UNLEARNBENCH_DATA", str(folder / "variable"))
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: folder / "cache" / name)
    return folder / "variable", folder / "cache" / "unlearnbench" / "data"


class Shelf(BaseHTTPRequestHandler):
    """Holds one file, and one that ends before it should."""

    def do_GET(self) -> None:
        if self.path not in ("/file.npz", "/cut-off"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + (1000 if self.path == "/cut-off" else 0)))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in http.server
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server on this machine that holds ``CONTENT`` as file.npz."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as shelf:
        thread = threading.Thread(target=shelf.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{shelf.server_port}"
        shelf.shutdown()
        thread.join()
