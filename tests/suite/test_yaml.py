"""The YAML reader: what it reads, what it refuses and where."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.suite.yaml import dump_yaml, load_yaml


def read(text: str) -> object:
    return load_yaml(text, "s.yaml").data


def refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        load_yaml(text, "s.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5", 0.5),
        ("3.", 3.0),
        ("-2.5e+3", -2500.0),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("9223372036854775807", 2**63 - 1),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("2024-05-01", "2024-05-01"),
        ("1.2.3", "1.2.3"),
        ("1e", "1e"),
        ("٣", "٣"),
        ("=", "="),
        ("'1e-3'", "1e-3"),
        ('"true"', "true"),
        ("'007'", "007"),
        ("''", ""),
    ],
)
def test_a_scalar_means_what_it_means_in_yaml_1_2(written: str, meant: object) -> None:
    got = read(f"a: {written}")
    assert got == {"a": meant}
    assert type(got["a"]) is type(meant)


def test_an_absent_value_is_nothing() -> None:
    assert read("a:\nb: 1") == {"a": None, "b": 1}


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("no: 1\n1: 2\n~: 3") == {"no": 1, "1": 2, "~": 3}


def test_lists_and_mappings_nest_in_either_style() -> None:
    assert read("a: [1, {b: 2}]\nc:\n  - d: 3\n  - [4]") == {"a": [1, {"b": 2}], "c": [{"d": 3}, [4]]}


def test_every_value_and_key_knows_its_place() -> None:
    document = load_yaml("a: 1\nb:\n  - x\n  - {c: 2}\n", "s.yaml")
    assert document.values == {
        (): (1, 1),
        ("a",): (1, 4),
        ("b",): (3, 3),
        ("b", 0): (3, 5),
        ("b", 1): (4, 5),
        ("b", 1, "c"): (4, 9),
    }
    assert document.keys == {("a",): (1, 1), ("b",): (2, 1), ("b", 1, "c"): (4, 6)}


def test_a_path_that_is_not_there_is_placed_at_what_would_hold_it() -> None:
    document = load_yaml("a: 1\nb:\n  - x\n", "s.yaml")
    assert str(document.where(("b", 0, "deep", 3))) == "s.yaml:3:5"
    assert str(document.where(("b",), key=True)) == "s.yaml:2:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "s.yaml:1:1: nothing in this file"),
        ("# a comment\n", "s.yaml:1:1: nothing in this file"),
        ("---\n", "s.yaml:1:1: nothing in this file"),
        ("a: 1\n---\nb: 2", "s.yaml:2:1: a second document starts here; a suite file holds one"),
        ("a: 1\nb: 2\na: 3", 's.yaml:3:1: the key "a" is given twice'),
        ("x: {a: 1, a: 2}", 's.yaml:1:11: the key "a" is given twice'),
        ("a: &here 1", "s.yaml:1:4: anchors (&) are not allowed; write the value out"),
        ("a: *here", "s.yaml:1:4: aliases (*) are not allowed; write the value out"),
        ("a: !!python/name:os.system x", "s.yaml:1:4: tags (!) are not allowed; write the plain value"),
        ("a: !!int 3", "s.yaml:1:4: tags (!) are not allowed; write the plain value"),
        ("a: ! 3", "s.yaml:1:4: tags (!) are not allowed; write the plain value"),
        ("a:\n  <<: {b: 1}", "s.yaml:2:3: merge keys (<<) are not allowed; write the keys out"),
        ("%YAML 1.2\n---\na: 1", "s.yaml:1:1: directives (%) are not allowed; leave the line out"),
        ("? [a]\n: 1", "s.yaml:1:3: a key is a list or a mapping; keys are text"),
        ("a: 1\n\tb: 2", "s.yaml:2:1: a tab; indent with spaces"),
        ("a: 007", 's.yaml:1:4: an integer with a leading zero; write 7, or "007" for text'),
        ("a: -00", 's.yaml:1:4: an integer with a leading zero; write 0, or "-00" for text'),
        ("a: .nan", "s.yaml:1:4: numbers must be finite"),
        ("a: [1, -.INF]", "s.yaml:1:8: numbers must be finite"),
        ("a: 1e999", "s.yaml:1:4: a number too large for a float"),
        ("a: 9223372036854775808", "s.yaml:1:4: an integer beyond 64 bits"),
        ("a: " + "1" * 5000, "s.yaml:1:4: an integer beyond 64 bits"),
        ("a: [1, 2", "s.yaml:1:4: the [ here is not closed, or a comma is missing"),
        ("a: [1\nb: 2", "s.yaml:1:4: the [ here is not closed, or a comma is missing"),
        ("a:\n  b: {c: 1\n\nd: 2", "s.yaml:2:6: the { here is not closed, or a comma is missing"),
        ("a: 1\nb 2\nc: 3", "s.yaml:2:1: a colon is missing; write key: value"),
        ("a: 1\nb: 'c\nd: 3", "s.yaml:2:4: the quoted text that starts here is not closed"),
        (
            "a: [1]\n  b: 2",
            "s.yaml:2:3: the line belongs to no list or mapping above it; indent it as its neighbours are",
        ),
        (
            "a:\n  - b\n - c",
            "s.yaml:3:2: the line belongs to no list or mapping above it; indent it as its neighbours are",
        ),
        *(
            (
                text,
                f"s.yaml:{place}: no key can be here; quote the text, indent the line as its neighbours are, or end "
                "the line above with a colon",
            )
            for text, place in (("a: b: c", "1:5"), ("a: b\n c: d", "2:3"), ("a\nb: c", "2:2"))
        ),
        ("a: 1\nb: \0", "s.yaml:2:4: the character U+0000 is not allowed"),
        ('a: "\\0"', "s.yaml:1:4: text contains the control character U+0000"),
        ('a: "\\ud800"', "s.yaml:1:4: text contains the control character U+D800"),
        ('"\\e": 1', "s.yaml:1:1: text contains the control character U+001B"),
        ('a: "\\UFFFFFFFF"', "s.yaml:1:1: the file contains an escape that is not a character"),
        ("[" * 10_000, "s.yaml: lists and mappings are nested too deeply"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_malformed_or_ambiguous_is_refused_at_its_position(text: str, message: str) -> None:
    assert refusal(text) == message


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab01:-,[]{}&*!|>'\"%@`#?~<\\\t\n u.eU\ufeff"))
@example('"\\UFFFFFFFF"')
@example("%YAML " + "9" * 5000)
@example('"\\x"')
@example("!<%ff> a")
def test_no_text_raises_anything_but_a_one_line_user_error(text: str) -> None:
    line = "s.yaml:"
    try:
        load_yaml(text, "s.yaml")
    except UserError as error:
        line = str(error)
    assert line.startswith("s.yaml:")
    assert len(line.splitlines()) == 1


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cc", "Cs")))
    | st.sampled_from(["no", "1e-3", "007", "1:30", "true", "~", "", " a", "- b", "a: b", "0x1", ".inf", "a\n\nb\n"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cc", "Cs"))), inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(plain.filter(lambda data: data is not None))
@example({"<<": 1, "": "no", "1e3": "1e3"})
def test_what_is_written_is_read_back_equal(data: object) -> None:
    again = read(dump_yaml(data))
    assert again == data
    assert repr(again) == repr(data)  # == does not tell 1 from 1.0 or True


def test_values_that_repeat_are_written_out() -> None:
    inner = [1, 2]
    assert read(dump_yaml({"a": inner, "b": inner})) == {"a": [1, 2], "b": [1, 2]}
