from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import RECORDS, AttackPlugin
from unlearnbench.hooks.registry import Registered, Registry, Source, load_registry
from unlearnbench.hooks.sources import normalized

Code = Callable[..., str]
Install = Callable[..., None]
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


def broken_of(registry: Registry, name: str) -> str:
    """Return why the distribution of this name could not be used."""
    (error,) = (broken.error for broken in registry.broken if broken.source.name == name)
    return error


# Our own plug-ins


def test_our_own_plugins_are_all_usable_and_say_where_they_come_from(registry: Registry) -> None:
    assert not registry.broken
    assert {plugin.source.name for plugin in registry.all()} == {"unlearnbench"}
    assert {plugin.kind for plugin in registry.all()} == set(RECORDS)


def test_plugins_are_listed_by_kind_then_by_name(registry: Registry) -> None:
    order = list(RECORDS)
    keys = [(order.index(plugin.kind), plugin.name) for plugin in registry.all()]
    assert keys == sorted(keys)
    assert [plugin.name for plugin in registry.all("executor")] == ["dask", "processes", "serial"]


def test_a_registry_cannot_be_changed(registry: Registry) -> None:
    with pytest.raises(FrozenInstanceError):
        registry.plugins = ()  # type: ignore[misc]  # that it is refused is the test


def test_an_unknown_name_gets_the_closest_one(registry: Registry) -> None:
    with pytest.raises(UserError, match=r'^unknown attack "sorted-dif"; did you mean "sorted-diff"\?$'):
        registry.get("attack", "sorted-dif")


def test_an_unknown_name_with_nothing_close_gets_all_that_are_known(registry: Registry) -> None:
    with pytest.raises(UserError, match=r'^unknown executor "zzz"; known: dask, processes, serial$'):
        registry.get("executor", "zzz")


def test_kinds_may_share_a_name(registry: Registry) -> None:
    assert {plugin.kind for plugin in registry.named("none")} == {"unlearner", "defense"}
    with pytest.raises(UserError, match=r'^unknown plug-in "non"; did you mean "none"\?$'):
        registry.named("non")


# Installed distributions


def test_an_installed_distribution_is_found(install: Install, attack_code: Code) -> None:
    install("good-dist", attack_code("shiny"))
    shiny = load_registry().get("attack", "shiny")
    assert shiny.source == Source("distribution", "good-dist", "1.0")
    assert str(shiny.source) == "distribution good-dist 1.0"


def test_without_discovery_nothing_installed_is_imported(install: Install) -> None:
    install("bad-dist", "raise RuntimeError('imported')")
    assert not load_registry(discover=False).broken


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise RuntimeError('no licence\\nfound')", "RuntimeError: no licence found"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("class Odd(BaseException): pass\nraise Odd('its own')", "Odd: its own"),
        ("def broken(:", "SyntaxError: invalid syntax (syntax_dist.py, line 1)"),
        ("x = 1", "implements no hook: is @hookimpl missing above its functions?"),
    ],
)
def test_a_distribution_that_fails_at_import_is_set_aside(install: Install, code: str, error: str) -> None:
    install("syntax-dist", code)
    registry = load_registry()
    assert broken_of(registry, "syntax-dist") == error
    assert registry.get("attack", "sorted-diff")


def test_a_hook_that_raises_takes_only_its_own_records_along(install: Install, attack_code: Code) -> None:
    install(
        "half-dist",
        attack_code("shiny")
        + """
from unlearnbench.hooks.records import MetricPlugin

@hookimpl
def unlearnbench_metrics():
    yield MetricPlugin(name="f1", summary="F1.", factory="a.b:C")
    raise RuntimeError("half way")
""",
    )
    registry = load_registry()
    assert broken_of(registry, "half-dist") == "unlearnbench_metrics fails: RuntimeError: half way"
    assert registry.get("attack", "shiny")
    with pytest.raises(UserError, match="half way"):  # an unknown name quotes what is broken
        registry.get("metric", "f1")


def test_a_misspelt_hook_is_caught(install: Install, attack_code: Code) -> None:
    install("typo-dist", attack_code("shiny").replace("unlearnbench_attacks", "unlearnbench_atacks"))
    error = broken_of(load_registry(), "typo-dist")
    assert error == 'there is no hook "unlearnbench_atacks"; did you mean "unlearnbench_attacks"?'


def test_one_misspelt_hook_sets_the_whole_distribution_aside(install: Install, attack_code: Code) -> None:
    install("typo-dist", attack_code("shiny") + "\n@hookimpl\ndef unlearnbench_metric():\n    return ()\n")
    registry = load_registry()
    assert "unlearnbench_metrics" in broken_of(registry, "typo-dist")
    assert "shiny" not in {plugin.name for plugin in registry.all("attack")}


def test_a_hook_with_an_argument_of_its_own_is_caught(install: Install, attack_code: Code) -> None:
    install("arg-dist", attack_code("shiny").replace("attacks()", "attacks(config)"))
    assert "config" in broken_of(load_registry(), "arg-dist")


def test_a_wrapper_is_refused(install: Install) -> None:
    code = """
        from unlearnbench.hooks import hookimpl

        @hookimpl(wrapper=True)
        def unlearnbench_attacks():
            return (yield)
    """
    install("wrap-dist", code)
    assert broken_of(load_registry(), "wrap-dist") == "unlearnbench_attacks must not be a wrapper"


@pytest.mark.parametrize(
    ("offer", "error"),
    [
        ("yield 3", "must yield AttackPlugin, got 3"),
        ("return None", "TypeError: 'NoneType' object is not iterable"),
        ("yield AttackPlugin(name='Bad Name', summary='x', factory='a:B')", "ValueError: name 'Bad Name' must be"),
        ("yield AttackPlugin(nme='x')", "TypeError: AttackPlugin.__init__() got an unexpected keyword argument 'nme'"),
    ],
)
def test_a_record_that_breaks_the_rules_is_caught(install: Install, attack_code: Code, offer: str, error: str) -> None:
    install("record-dist", attack_code() + f"    {offer}\n")
    assert broken_of(load_registry(), "record-dist").startswith(f"unlearnbench_attacks fails: {error}")


def test_the_code_of_an_editable_distribution_is_hashed(install: Install, attack_code: Code) -> None:
    install(
        "edit-dist", attack_code("shiny"), direct_url=json.dumps({"url": "file:///x", "dir_info": {"editable": True}})
    )
    source = load_registry().get("attack", "shiny").source
    assert Path(source.path).name == "edit_dist.py"
    assert len(source.sha256) == 64


def test_the_code_of_any_other_distribution_is_known_by_its_version(install: Install, attack_code: Code) -> None:
    install("url-dist", attack_code("shiny"), direct_url=json.dumps({"url": "https://x", "archive_info": {}}))
    assert load_registry().get("attack", "shiny").source.sha256 == ""


# Clashes


def test_a_built_in_cannot_be_replaced(install: Install, attack_code: Code) -> None:
    install("shadow-dist", attack_code("euclidean"))
    with pytest.raises(UserError) as caught:
        load_registry()
    assert str(caught.value).startswith('attack "euclidean" is offered both by unlearnbench ')
    assert str(caught.value).endswith(
        "(built-in) and by distribution shadow-dist 1.0; a built-in cannot be replaced: "
        "rename one, or use --disable-plugin shadow-dist"
    )


def test_not_even_by_disabling_it(install: Install, attack_code: Code) -> None:
    install("shadow-dist", attack_code("euclidean"))
    registry = load_registry(disabled=["attack:euclidean"])
    assert "euclidean" not in {plugin.name for plugin in registry.all("attack")}
    with pytest.raises(UserError, match="no such plug-in or distribution"):
        load_registry(disabled=["unlearnbench"], discover=False)


def test_two_distributions_that_clash_are_both_named(install: Install, attack_code: Code) -> None:
    install("first-dist", attack_code("shiny"))
    install("second-dist", attack_code("shiny"))
    with pytest.raises(UserError) as caught:
        load_registry()
    for part in ("first-dist 1.0", "second-dist 1.0", "--disable-plugin first-dist or --disable-plugin second-dist"):
        assert part in str(caught.value)


def test_disabling_one_of_two_that_clash_leaves_the_other(install: Install, attack_code: Code) -> None:
    install("first-dist", attack_code("shiny"))
    install("second-dist", attack_code("shiny"))
    assert load_registry(disabled=["first-dist"]).get("attack", "shiny").source.name == "second-dist"


# Disabling


def test_a_name_disables_it_in_every_kind_and_kind_and_name_in_one() -> None:
    assert not [p for p in load_registry(disabled=["none"], discover=False).all() if p.name == "none"]
    left = [p.kind for p in load_registry(disabled=["defense:none"], discover=False).all() if p.name == "none"]
    assert left == ["unlearner"]


def test_a_disabled_distribution_is_not_even_imported(install: Install) -> None:
    install("bad-dist", "raise RuntimeError('imported')")
    assert "bad-dist" not in {broken.source.name for broken in load_registry(disabled=["bad-dist"]).broken}


def test_disabling_what_is_not_there_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r'--disable-plugin sorted-dif: .*; did you mean "sorted-diff"\?$'):
        load_registry(disabled=["sorted-dif"], discover=False)


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
