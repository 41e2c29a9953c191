"""Plug-ins of single files: what makes other code of them, and whose mistake it is where one fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registered, Source, load_registry
from unlearnbench.hooks.sources import normalized

Code = Callable[..., str]

WriteFile = Callable[..., Path]


CLASS_IN_FILE = """
    from dataclasses import dataclass
    from unlearnbench.hooks import hookimpl
    from unlearnbench.hooks.records import AttackPlugin

    @dataclass(frozen=True)
    class Mine:
        k: int = {k}

    @hookimpl
    def unlearnbench_attacks():
        yield AttackPlugin(name="mine-{k}", summary="Mine.", factory=Mine)
"""


# Files


def test_a_file_offers_a_class_of_its_own(plugin_file: WriteFile) -> None:
    path = plugin_file(CLASS_IN_FILE.format(k=1))
    mine = load_registry([path], discover=False).get("attack", "mine-1")
    assert mine.load().__name__ == "Mine"
    assert mine.factory == "mine.py:Mine"
    code = hashlib.sha256(normalized(path.read_bytes())).hexdigest()
    assert mine.source == Source("file", "mine.py", path=str(path.resolve()), sha256=code)


def test_two_files_may_share_a_stem(plugin_file: WriteFile) -> None:
    files = [plugin_file(CLASS_IN_FILE.format(k=k), name=f"folder{k}/mine.py") for k in (1, 2)]
    registry = load_registry(files, discover=False)
    classes = [registry.get("attack", f"mine-{k}").load() for k in (1, 2)]
    assert [cls().k for cls in classes] == [1, 2]
    assert classes[0].__module__ != classes[1].__module__


def test_a_file_that_is_named_twice_counts_once(plugin_file: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plugin_file(CLASS_IN_FILE.format(k=1))
    monkeypatch.chdir(path.parent)
    registry = load_registry([path, "mine.py", "./mine.py"], discover=False)
    assert (
        registry.get("attack", "mine-1").load() is load_registry([path], discover=False).get("attack", "mine-1").load()
    )


def test_a_file_that_changed_is_read_again(plugin_file: WriteFile) -> None:
    load_registry([plugin_file(CLASS_IN_FILE.format(k=1))], discover=False)
    assert load_registry([plugin_file(CLASS_IN_FILE.format(k=2))], discover=False).get("attack", "mine-2")


CODE = """
'''A document.'''
from dataclasses import dataclass

@dataclass
class Mine:
    \"\"\"What it is.\"\"\"

    power: float = 1.0  # of the difference

    def score(self, view):
        "A word."
        return view ** self.power
"""


SAME = {
    "a comment": CODE.replace("# of the difference", "# of another difference\n    # and more"),
    "no comment": CODE.replace("  # of the difference", ""),
    "layout": CODE.replace("view ** self.power", "(\n            view**self.power\n        )").replace(
        "\n\n", "\n\n\n"
    ),
    "line ends": CODE.replace("\n", "\r\n"),
    "docstrings": CODE.replace("What it is.", "Something else.").replace('        "A word."\n', ""),
    "a document": CODE.replace("'''A document.'''", ""),
}


OTHER = {
    "a number": CODE.replace("1.0", "1.5"),
    "a text": CODE.replace("return view", 'print("A word.")\n        return view'),
    "an operator": CODE.replace("**", "*"),
    "a name": CODE.replace("Mine", "Yours"),
    "a decorator": CODE.replace("@dataclass\n", ""),
}


@pytest.mark.parametrize("change", SAME)
def test_comments_layout_and_docstrings_do_not_make_other_code(change: str) -> None:
    assert SAME[change] != CODE
    assert normalized(SAME[change].encode()) == normalized(CODE.encode())


@pytest.mark.parametrize("change", OTHER)
def test_all_that_can_change_a_result_makes_other_code(change: str) -> None:
    assert normalized(OTHER[change].encode()) != normalized(CODE.encode())


def test_code_that_cannot_be_read_is_what_it_is() -> None:
    assert normalized(b"def broken(:") == b"def broken(:"


@pytest.mark.parametrize(("imported", "name"), [("helper", "helper"), ("helper.parts", "helper"), ("folder", "folder")])
def test_a_file_that_imports_what_lies_beside_it_is_told_what_would_be_right(
    plugin_file: WriteFile, imported: str, name: str
) -> None:
    path = plugin_file(f"import {imported}")
    (path.parent / "helper.py").touch()
    (path.parent / "folder").mkdir()
    with pytest.raises(UserError, match=f"what lies beside it: put {name} into the file, or both into a package$"):
        load_registry([path], discover=False)


def test_a_disabled_file_is_not_run(plugin_file: WriteFile) -> None:
    path = plugin_file("raise RuntimeError('run')")
    assert load_registry([path], disabled=["mine.py"], discover=False).get("attack", "random")
    assert load_registry([path], disabled=[str(path.resolve())], discover=False).get("attack", "random")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = 1\ndef broken(:\n    pass\n", ":2:12: the plug-in file fails: SyntaxError: invalid syntax"),
        ("x = 1\ny = 1 / 0\n", ":2:5: the plug-in file fails: ZeroDivisionError: division by zero"),
        ("import no_such_module\n", ":1:1: the plug-in file fails: ModuleNotFoundError: No module named"),
        ("raise SystemExit\n", ":1:1: the plug-in file fails: SystemExit"),
        ("raise BaseException('its own')\n", ":1:1: the plug-in file fails: BaseException: its own"),
        ("x = 1\n", ": implements no hook: is @hookimpl missing above its functions?"),
    ],
)
def test_a_file_that_fails_is_the_users_mistake_with_its_line(plugin_file: WriteFile, code: str, error: str) -> None:
    path = plugin_file(code)
    with pytest.raises(UserError) as caught:
        load_registry([path], discover=False)
    assert str(caught.value).startswith(f"{path.resolve()}{error}")


def test_a_hook_of_a_file_that_fails_is_the_users_mistake_too(plugin_file: WriteFile, attack_code: Code) -> None:
    path = plugin_file(attack_code("Bad_Name"))
    with pytest.raises(UserError, match=r"mine\.py:6:11: unlearnbench_attacks fails: ValueError: name 'Bad_Name' must"):
        load_registry([path], discover=False)
    path = plugin_file(attack_code("shiny").replace("unlearnbench_attacks", "unlearnbench_atacks"))
    with pytest.raises(UserError, match=r"mine\.py: there is no hook .*; did you mean \"unlearnbench_attacks\"\?$"):
        load_registry([path], discover=False)


def test_a_file_cannot_replace_a_built_in(plugin_file: WriteFile, attack_code: Code) -> None:
    with pytest.raises(UserError, match=r"a built-in cannot be replaced: .*--disable-plugin mine\.py$"):
        load_registry([plugin_file(attack_code("random"))], discover=False)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.py: cannot read the plug-in file: No such file"):
        load_registry([tmp_path / "nowhere.py"], discover=False)


# Loading a class


@pytest.mark.parametrize(
    ("factory", "error"),
    [
        ("no_such_package.attacks:Mine", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("json:Mine", "AttributeError: module 'json' has no attribute 'Mine'"),
        ("json:dumps", "json:dumps is not a class"),
    ],
)
def test_a_factory_that_leads_nowhere_names_plugin_and_source(factory: str, error: str) -> None:
    plugin = AttackPlugin(name="mine", summary="Mine.", factory=factory)
    with pytest.raises(UserError) as caught:
        Registered(plugin, Source("distribution", "good-dist", "1.0")).load()
    assert str(caught.value) == f'attack "mine" of distribution good-dist 1.0 cannot be loaded: {error}'
