from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np
import pytest

from unlearnbench.engine import jit

pytestmark = pytest.mark.skipif(not jit.usable(), reason="numba has no wheel for this platform")

Module = Callable[..., ModuleType]
CacheDir = Callable[[Path], None]

CODE = """
from unlearnbench.engine.jit import kernel

@kernel()
def inner(a):
    return a + {plus}

@kernel()
def outer(a):
    return 2 * inner(a)
"""


def written(path: Path, code: str, **scope: object) -> ModuleType:
    """Write a module and load it, with ``scope`` among its names as if it had imported them."""
    if not path.exists() or path.read_text(encoding="utf-8") != code:  # older numba trusts the time of the file
        path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    vars(module).update(scope)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    return lambda plus=1, name="kernels": written(tmp_path / f"{name}.py", CODE.format(plus=plus))


@pytest.fixture
def cache_dir(monkeypatch: pytest.MonkeyPatch) -> CacheDir:
    """Point numba at a directory; it reads the variable once, at its import."""
    import numba

    def point(path: Path) -> None:
        monkeypatch.setattr(numba.config, "CACHE_DIR", str(path))

    return point


def test_a_kernel_is_compiled_at_its_first_call_and_calls_other_kernels(module: Module) -> None:
    kernels = module()
    assert "compiled" not in vars(kernels.outer)
    assert kernels.outer(3) == 8
    assert kernels.outer(np.float64(0.5)) == 3.0
    assert kernels.outer.compiled.signatures


def test_a_kernel_divides_as_numpy_does(module: Module) -> None:
    @jit.kernel()
    def ratio(a: float, b: float) -> float:
        return a / b

    assert np.isnan(ratio(0.0, 0.0))


def test_machine_code_is_kept_on_disk(module: Module, cache_dir: CacheDir, tmp_path: Path) -> None:
    cache_dir(tmp_path / "cache")
    assert module().outer(3) == 8
    assert list((tmp_path / "cache").rglob("*.nbc"))
    again = module()
    assert again.outer(3) == 8
    assert sum(again.outer.compiled.stats.cache_hits.values()) == 1


def test_a_change_in_a_kernel_that_is_called_is_noticed(module: Module, cache_dir: CacheDir, tmp_path: Path) -> None:
    cache_dir(tmp_path / "cache")
    kernels = module(plus=1, name="callee")
    source = "from unlearnbench.engine.jit import kernel\n@kernel()\ndef caller(a):\n    return 2 * inner(a)\n"

    def caller(inner: object) -> Any:
        return written(tmp_path / "caller.py", source, inner=inner).caller

    assert caller(kernels.inner)(3) == 8
    assert caller(module(plus=2, name="callee").inner)(3) == 10


WORDS = """
from pathlib import Path

KERNEL_SOURCES = (Path(__file__).with_name("spelled_out.py"),)

def word(a):
    ...
"""


def test_a_change_in_what_spells_a_function_out_to_numba_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "spelled_out.py").write_text("PLUS = 1", encoding="utf-8")
    words = written(tmp_path / "words.py", WORDS)
    speaker = written(
        tmp_path / "speaker.py",
        "from unlearnbench.engine.jit import kernel\nspeak = lambda: kernel()(lambda a: word(a))",
        word=words.word,
    )
    before = speaker.speak()._digest
    assert speaker.speak()._digest == before
    (tmp_path / "spelled_out.py").write_text("PLUS = 2", encoding="utf-8")
    assert speaker.speak()._digest != before


def test_a_kernel_may_share_its_name_with_an_attribute(tmp_path: Path) -> None:
    code = "from unlearnbench.engine.jit import kernel\n@kernel()\ndef real(a):\n    return a.real + 1\n"
    assert written(tmp_path / "attributes.py", code).real(2 + 3j) == 3


def test_where_the_cache_directory_cannot_be_made_kernels_still_run(
    module: Module,
    cache_dir: CacheDir,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numba.core.caching import CacheImpl, UserProvidedCacheLocator

    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache_dir(tmp_path / "file" / "cache")
    monkeypatch.setattr(CacheImpl, "_locator_classes", [UserProvidedCacheLocator])  # and no other place either
    kernels = module()
    assert kernels.outer(3) == 8
    assert not kernels.outer.cached


def test_where_the_cache_cannot_be_written_in_the_end_kernels_still_run(
    module: Module,
    cache_dir: CacheDir,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numba.core.caching import IndexDataCacheFile

    def full(self: object, *args: object) -> NoReturn:
        raise OSError("no space left on device")

    cache_dir(tmp_path / "cache")
    monkeypatch.setattr(IndexDataCacheFile, "save", full)
    kernels = module()
    assert kernels.outer(3) == 8
    assert not kernels.outer.cached


def test_an_error_of_the_kernel_itself_is_raised(module: Module) -> None:
    @jit.kernel()
    def picky(a: int) -> int:
        if a > 2:
            raise ValueError("too many")
        return a

    with pytest.raises(ValueError, match="too many"):
        picky(3)


BLOCKED = """
import sys
sys.modules["numba"] = None  # what an import meets where it is not installed
from unlearnbench.engine.jit import kernel, usable

@kernel()
def double(a):
    return 2 * a

assert not usable()
try:
    double(1)
except ImportError:
    print("refused")
"""


def test_without_numba_kernels_can_be_defined_but_not_called() -> None:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "refused\n"


def test_defining_a_kernel_does_not_import_numba() -> None:
    code = "import sys; from unlearnbench.engine.jit import kernel; kernel()(len); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "False\n"
