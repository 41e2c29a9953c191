"""One text and one checksum for one value."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.hashing import canonical_json, content_key

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("añ\u2028\"'"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def test_the_text_has_sorted_keys_no_spaces_and_the_shortest_floats() -> None:
    assert canonical_json({"b": [1, 0.1], "a": {"d": None, "c": True}}) == '{"a":{"c":true,"d":null},"b":[1,0.1]}'


def test_the_key_is_the_sha256_of_the_text() -> None:
    assert content_key({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
    assert content_key({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@given(st.dictionaries(st.text("abcdef", min_size=1), PLAIN, max_size=4))
def test_the_order_in_which_keys_came_does_not_matter(value: dict[str, object]) -> None:
    assert content_key(dict(reversed(value.items()))) == content_key(value)


def test_a_tuple_is_the_same_as_a_list_but_an_integer_is_not_the_same_as_a_float() -> None:
    assert canonical_json((1, 2)) == canonical_json([1, 2])
    assert canonical_json(1) != canonical_json(1.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_has_no_number_for_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": value})


@pytest.mark.parametrize("value", [{1, 2}, object(), b"a"])
def test_what_is_not_plain_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        canonical_json(value)
