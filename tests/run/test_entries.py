"""An entry as bytes: what is read back is what was written, and nothing else is taken for it."""

from __future__ import annotations

import pickle
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.fuzzing import TIMES
from unlearnbench.core.hashing import canonical_json
from unlearnbench.run.entries import DamagedError, OtherSchemaError, decode, decode_payload, encode

KEY = "ab" * 32
ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "flags": np.array([True, False]), "none": np.empty((0, 2))}
WHOLE = b"".join(encode("episode", KEY, {"seconds": 0.1}, ARRAYS))
HEAD, REST = WHOLE.split(b"\n", 1)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.int8, np.bool_]), hnp.array_shapes(min_dims=0, min_side=0)
)


@given(st.dictionaries(st.text(), plain), st.dictionaries(st.text(), arrays, max_size=4))
def test_what_is_encoded_is_decoded_to_the_bit(payload: dict[str, object], arrays: dict[str, np.ndarray]) -> None:
    parts = encode("cell", KEY, payload, arrays)
    entry = decode(b"".join(parts), "cell", KEY)
    assert entry.payload == payload
    assert decode_payload(b"".join(parts).splitlines(keepends=True)[0], "cell", KEY) == payload
    assert entry.arrays.keys() == arrays.keys()
    for name, array in arrays.items():
        found = entry.arrays[name]
        assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
        assert not found.flags.writeable


def test_the_order_of_memory_is_kept_since_sums_depend_on_it() -> None:
    turned = np.asfortranarray(ARRAYS["x"])
    assert decode(b"".join(encode("cell", KEY, {}, {"x": turned})), "cell", KEY).arrays["x"].flags.f_contiguous


MANY = settings(max_examples=100 * TIMES, deadline=None)
"""What makes flips, cuts and forgeries."""


@MANY
@given(st.data())
def test_no_flip_cut_or_addition_goes_unnoticed(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    flipped = WHOLE[:at] + bytes([WHOLE[at] ^ (1 << data.draw(st.integers(0, 7)))]) + WHOLE[at + 1 :]
    more = WHOLE + data.draw(st.binary(min_size=1))
    for damaged in (flipped, WHOLE[:at], more):
        with pytest.raises(DamagedError):
            decode(damaged, "episode", KEY)


def test_the_plain_data_is_verified_without_the_arrays() -> None:
    assert decode_payload(HEAD + b"\n", "episode", KEY) == {"seconds": 0.1}
    for damaged in (HEAD, HEAD.replace(b"0.1", b"0.2") + b"\n", b"", b"\n", REST):
        with pytest.raises(DamagedError, match="checksum"):
            decode_payload(damaged, "episode", KEY)


def signed(text: str, rest: bytes = b"") -> bytes:
    """Return an entry with this manifest and its right checksum."""
    return sha256(text.encode()).hexdigest().encode() + b" " + text.encode() + b"\n" + rest


def manifest(**changes: object) -> str:
    return canonical_json({"schema": 2, "kind": "cell", "key": KEY, "payload": {}, "arrays": {}, **changes})


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "3",
        "no JSON",
        "[" * 200_000,
        manifest(key="cd" * 32),
        manifest(kind="episode"),
        manifest(payload=[1]),
        canonical_json({"schema": 2, "kind": "cell", "key": KEY, "arrays": {}}),
        manifest(arrays=[1]),
        manifest(arrays={"x": 3}),
        manifest(arrays={"x": [-1, "0"]}),
        manifest(arrays={"x": ["long", "0"]}),
        manifest(arrays={"x": [8, "0"]}),
    ],
    ids=lambda text: text[:20],
)
def test_a_signed_manifest_of_another_form_is_damage(text: str) -> None:
    with pytest.raises(DamagedError):
        decode(signed(text), "cell", KEY)


def test_a_signed_manifest_without_plain_data_is_damage() -> None:
    with pytest.raises(DamagedError, match="no plain data"):
        decode_payload(signed(manifest(payload=3)), "cell", KEY)


@MANY
@given(
    st.dictionaries(st.sampled_from(["schema", "kind", "key", "payload", "arrays", "x"]), plain), st.binary(max_size=40)
)
def test_any_signed_manifest_before_any_bytes_is_an_entry_or_damage(fields: dict[str, object], rest: bytes) -> None:
    """With the right checksum, as whoever may write to a store can make it."""
    with suppress(DamagedError, OtherSchemaError):
        entry = decode(signed(manifest(**fields), rest), "cell", KEY)
        assert entry.arrays == {}


@MANY
@given(st.binary(max_size=200))
def test_any_bytes_are_damage(content: bytes) -> None:
    with pytest.raises(DamagedError):
        decode(content, "cell", KEY)


def test_a_sound_entry_of_another_schema_is_no_damage() -> None:
    with pytest.raises(OtherSchemaError, match=r"^3$"):
        decode(signed(manifest(schema=3)), "cell", KEY)


class Boom:
    """Unpickling this would leave a file behind."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


def saved(boom: Boom) -> bytes:
    block = BytesIO()
    np.save(block, np.array([boom], dtype=object), allow_pickle=True)
    return block.getvalue()


@pytest.mark.parametrize("save", [saved, pickle.dumps])
def test_a_pickled_array_is_refused_even_with_a_right_checksum(tmp_path: Path, save: object) -> None:
    block = save(Boom(tmp_path / "unpickled"))  # type: ignore[operator]  # one of the functions above
    sizes = {"x": [len(block), sha256(block).hexdigest()]}
    with pytest.raises(DamagedError, match=r"Object arrays|magic string"):
        decode(signed(manifest(arrays=sizes), block), "cell", KEY)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize(
    ("payload", "arrays"),
    [
        ({"seconds": float("nan")}, {}),
        ({"seconds": {1}}, {}),
        ({"text": "caf\udce9"}, {}),
        ({}, {"good": np.zeros(2), "bad": np.array([{}])}),
    ],
)
def test_what_no_entry_can_hold_is_refused(payload: dict[str, object], arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode("cell", KEY, payload, arrays)
