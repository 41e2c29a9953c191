from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, NonNegativeFloat, PositiveInt

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.parameters import Parameter, ParameterError, build, parameters, resolve
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registered, Source


@dataclass(frozen=True)
class Schedule:
    """Part of a parameter."""

    rate: Annotated[float, Field(gt=0)] = 0.1
    steps: tuple[PositiveInt, ...] = (1, 2)


@dataclass(frozen=True)
class Everything:
    """Takes parameters of many types.

    ``k``: how many are kept
    ``order``: what becomes of the
    others.

    ``share`` is mentioned in a sentence, which describes nothing.
    """

    k: PositiveInt = 3
    noise: NonNegativeFloat = 1
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    order: Literal["slot", "compact", "fresh"] = "slot"
    hidden: tuple[PositiveInt, ...] = (64, 32)
    exact: bool = False
    seed: int | None = None
    device: str = "auto"
    width: Literal["auto"] | PositiveInt = "auto"
    schedule: Schedule = Schedule()
    weights: dict[str, float] = field(default_factory=dict)
    labels: frozenset[str] = frozenset({"b", "a", "c"})

    def __post_init__(self) -> None:
        if self.k > 100:
            raise ValueError("k must not exceed\nthe number of classes")


class Plain:
    """No data class."""

    def __init__(self, size: int, *, power: float = 2.0) -> None:
        self.size, self.power = size, power


class Nothing:
    """No parameters."""


class Untyped:
    def __init__(self, k=1) -> None:  # type: ignore[no-untyped-def]  # what is refused
        self.k = k


class Loose:
    def __init__(self, **options: int) -> None:
        self.options = options


class NotFromYaml:
    def __init__(self, plugin: Nothing | None = None) -> None:
        self.plugin = plugin


class WrongDefault:
    def __init__(self, k: int = "three") -> None:  # type: ignore[assignment]  # what is refused
        self.k = k


def registered(cls: type) -> Registered:
    return Registered(AttackPlugin(name="mine", summary="Mine.", factory=cls), Source("file", "mine.py"))


def problem(params: dict[str, Any], cls: type = Everything) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        resolve(registered(cls), params)
    assert "\n" not in str(caught.value)
    return caught.value


# What a class takes


def test_parameters_are_described_in_the_words_of_a_suite() -> None:
    described = {parameter.name: parameter for parameter in parameters(Everything)}
    assert described["k"] == Parameter("k", "integer > 0", 3, False, (), "how many are kept")
    assert described["order"].choices == ("slot", "compact", "fresh")
    assert described["order"].description == "what becomes of the others."
    assert described["share"].description == ""
    assert {name: parameter.type for name, parameter in described.items()} == {
        "k": "integer > 0",
        "noise": "number >= 0",
        "share": "number >= 0, <= 1",
        "order": 'one of "slot", "compact", "fresh"',
        "hidden": "list of integer > 0",
        "exact": "true or false",
        "seed": "integer or null",
        "device": "text",
        "width": 'one of "auto" or integer > 0',
        "schedule": "Schedule",
        "weights": "mapping of text to number",
        "labels": "list of text",
    }


def test_a_class_inherits_descriptions_and_may_replace_them() -> None:
    class Narrower(Everything):
        """``order``: of the narrower class"""

    described = {parameter.name: parameter.description for parameter in parameters(Narrower)}
    assert described["k"] == "how many are kept"
    assert described["order"] == "of the narrower class"


def test_a_parameter_without_default_is_required() -> None:
    size, power = parameters(Plain)
    assert (size.required, power.required) == (True, False)
    assert problem({}, Plain).message == 'attack "mine" needs the parameter "size"'


def test_a_class_may_take_nothing() -> None:
    assert parameters(Nothing) == ()
    assert problem({"k": 1}, Nothing).message == 'attack "mine" has no parameter "k"; it has none'


@pytest.mark.parametrize("cls", [Untyped, Loose])
def test_a_constructor_that_cannot_be_checked_is_refused(cls: type) -> None:
    with pytest.raises(UserError, match="needs a name and a type"):
        parameters(cls)


def test_a_type_that_yaml_cannot_fill_is_refused() -> None:
    with pytest.raises(UserError, match=r"the type of plugin, .*, cannot be given in YAML"):
        parameters(NotFromYaml)


def test_a_default_of_the_wrong_type_is_caught() -> None:
    assert problem({}, WrongDefault).message == 'attack "mine": k must be an integer, got "three"'


# What is given


def test_defaults_are_filled_in_as_plain_json_data() -> None:
    resolved = resolve(registered(Everything), {"k": 5})
    assert json.loads(json.dumps(resolved)) == resolved
    assert resolved == {
        "k": 5,
        "noise": 1.0,
        "share": 0.5,
        "order": "slot",
        "hidden": [64, 32],
        "exact": False,
        "seed": None,
        "device": "auto",
        "width": "auto",
        "schedule": {"rate": 0.1, "steps": [1, 2]},
        "weights": {},
        "labels": ["a", "b", "c"],
    }


def test_an_integer_is_a_number_given_or_default() -> None:
    texts = [json.dumps(resolve(registered(Everything), params)) for params in ({}, {"noise": 1}, {"noise": 1.0})]
    assert len(set(texts)) == 1
    assert '"noise": 1.0' in texts[0]


def test_a_plugin_is_built_with_the_types_that_it_declares() -> None:
    made = build(registered(Everything), {"hidden": [8], "schedule": {"steps": [3]}, "width": 7})
    assert made == Everything(hidden=(8,), schedule=Schedule(steps=(3,)), width=7)
    plain = build(registered(Plain), {"size": 2})
    assert isinstance(plain, Plain)
    assert (plain.size, plain.power) == (2, 2.0)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "k": st.integers(1, 100),
            "noise": st.floats(0, 1e300) | st.integers(0, 2**40),
            "order": st.sampled_from(["slot", "compact", "fresh"]),
            "hidden": st.lists(st.integers(1, 2**60)),
            "seed": st.none() | st.integers(-(2**62), 2**62),
            "width": st.just("auto") | st.integers(1, 9),
            "weights": st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
            "labels": st.lists(st.text(), unique=True),
        },
    )
)
def test_what_was_resolved_resolves_to_itself_and_builds_the_same(params: dict[str, object]) -> None:
    plugin = registered(Everything)
    resolved = resolve(plugin, params)
    assert json.dumps(resolve(plugin, resolved)) == json.dumps(resolved)
    assert build(plugin, resolved) == build(plugin, params)


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ({"kk": 1}, ("kk",), 'attack "mine" has no parameter "kk"; did you mean "k"?'),
        ({"k": "ten"}, ("k",), 'attack "mine": k must be an integer, got "ten"'),
        ({"k": "10"}, ("k",), 'attack "mine": k must be an integer, got "10"'),
        ({"k": True}, ("k",), 'attack "mine": k must be an integer, got true'),
        ({"k": 3.0}, ("k",), 'attack "mine": k must be an integer, got 3.0'),
        ({"k": None}, ("k",), 'attack "mine": k must be an integer, got null'),
        ({"k": 0}, ("k",), 'attack "mine": k must be greater than 0, got 0'),
        ({"k": 101}, (), 'attack "mine": k must not exceed the number of classes'),
        ({"noise": True}, ("noise",), 'attack "mine": noise must be a number, got true'),
        ({"share": 2}, ("share",), 'attack "mine": share must be less than or equal to 1, got 2'),
        ({"exact": 1}, ("exact",), 'attack "mine": exact must be true or false, got 1'),
        ({"exact": "yes"}, ("exact",), 'attack "mine": exact must be true or false, got "yes"'),
        ({"device": 3}, ("device",), 'attack "mine": device must be a string, got 3'),
        ({"seed": "x"}, ("seed",), 'attack "mine": seed must be an integer, got "x"'),
        ({"hidden": 64}, ("hidden",), 'attack "mine": hidden must be a list, got 64'),
        ({"hidden": [8, "x"]}, ("hidden", 1), 'attack "mine": hidden[1] must be an integer, got "x"'),
        ({"hidden": [8, -1, "x"]}, ("hidden", 1), 'attack "mine": hidden[1] must be greater than 0, got -1'),
        ({"width": "wide"}, ("width",), 'attack "mine": width must be \'auto\' or an integer, got "wide"'),
        ({"width": 0}, ("width",), "attack \"mine\": width must be 'auto' or greater than 0, got 0"),
        (
            {"schedule": {"rate": -1}},
            ("schedule", "rate"),
            'attack "mine": schedule.rate must be greater than 0, got -1',
        ),
        ({"schedule": {"rat": 1}}, ("schedule", "rat"), 'attack "mine": schedule.rat is not a known key, got 1'),
        ({"schedule": 3}, ("schedule",), 'attack "mine": schedule must be a mapping, got 3'),
        ({"schedule": {"steps": [1, 0]}}, ("schedule", "steps", 1), None),
        ({"weights": {"a": "b"}}, ("weights", "a"), 'attack "mine": weights.a must be a number, got "b"'),
        ({"noise": float("nan")}, ("noise",), 'attack "mine": noise must be plain finite data, got nan'),
        ({"noise": float("inf")}, ("noise",), 'attack "mine": noise must be plain finite data, got inf'),
        ({"device": datetime.date(2026, 1, 2)}, ("device",), None),
    ],
)
def test_a_wrong_parameter_is_reported_in_one_line_with_its_path(
    params: dict[str, Any], path: tuple[str | int, ...], message: str | None
) -> None:
    found = problem(params)
    assert found.parameter == path
    assert message is None or found.message == message


def test_a_choice_gets_the_closest_word() -> None:
    assert problem({"order": "slto"}).message == (
        "attack \"mine\": order must be 'slot', 'compact' or 'fresh', got \"slto\"; did you mean \"slot\"?"
    )


def test_a_long_value_is_cut_short() -> None:
    assert len(problem({"k": "x" * 1000}).message) < 150


class OutOfOrder:
    """Its constructor fails, and not for its parameters."""

    def __init__(self, k: int = 1) -> None:
        raise RuntimeError("no such library")


class OfItsOwn(BaseException):
    pass


class OutOfOrderToo:
    def __init__(self, k: int = 1) -> None:
        raise OfItsOwn


@pytest.mark.parametrize(("cls", "error"), [(OutOfOrder, RuntimeError), (OutOfOrderToo, OfItsOwn)])
def test_what_a_constructor_raises_for_other_reasons_is_no_matter_of_parameters(
    cls: type, error: type[BaseException]
) -> None:
    assert resolve(registered(cls), {}) == {"k": 1}
    assert problem({"k": "x"}, cls).message == 'attack "mine": k must be an integer, got "x"'
    with pytest.raises(error):
        build(registered(cls), {})


def broken_default() -> int:
    raise RuntimeError("no default today")


@dataclass(frozen=True)
class BrokenDefault:
    k: int = field(default_factory=broken_default)


def test_a_default_that_cannot_be_made_is_told_in_one_line() -> None:
    with pytest.raises(UserError, match=r'^attack "mine": its parameters cannot be read: RuntimeError: no default'):
        resolve(registered(BrokenDefault), {})


class UntoldError(ValueError):
    def __str__(self) -> str:
        raise RuntimeError


class RejectsWithoutWords:
    def __init__(self, k: int = 1) -> None:
        raise UntoldError


def test_a_rejection_that_cannot_be_told_is_a_rejection() -> None:
    assert problem({}, RejectsWithoutWords).message == 'attack "mine": its text cannot be told'
