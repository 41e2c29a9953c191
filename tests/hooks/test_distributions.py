"""Plug-ins of installed distributions: what is found, what is set aside, and what is disabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry, Source, load_registry

Code = Callable[..., str]

Install = Callable[..., None]


def broken_of(registry: Registry, name: str) -> str:
    """Return why the distribution of this name could not be used."""
    (error,) = (broken.error for broken in registry.broken if broken.source.name == name)
    return error


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
