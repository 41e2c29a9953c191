"""An entry of the store as bytes: a line of plain data, then its arrays, no pickle.

The line is the sha256 of a manifest and the manifest as JSON, which holds size and sha256 of each array. The arrays
follow in alphabetical order, each as an ``.npy`` file. So the plain data is read and verified without them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import describe_error
from unlearnbench.core.hashing import canonical_json

SCHEMA = 2
Array = NDArray[np.generic]


class DamagedError(Exception):
    """The bytes are no entry, or another one; the message says why."""


class OtherSchemaError(Exception):
    """A sound entry as another version of unlearnbench writes it; the message is its schema."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A stored result."""

    payload: Mapping[str, object]
    """Plain data."""
    arrays: Mapping[str, Array]
    """Arrays by name; none can be written to."""


def encode(kind: str, key: str, payload: Mapping[str, object], arrays: Mapping[str, Array]) -> list[bytes]:
    """Return an entry in parts. TypeError or ValueError for a payload that JSON or an array that numpy cannot hold."""
    blocks = {name: _npy(array) for name, array in sorted(arrays.items())}
    sizes = {name: [len(block), _sha256(block)] for name, block in blocks.items()}
    manifest = {"schema": SCHEMA, "kind": kind, "key": key, "payload": payload, "arrays": sizes}
    text = canonical_json(manifest).encode()
    return [f"{_sha256(text)} ".encode(), text, b"\n", *blocks.values()]


def decode(content: bytes, kind: str, key: str) -> Entry:
    """Return the entry. Raises :class:`DamagedError` or :class:`OtherSchemaError`."""
    payload, blocks = verify(content, kind, key)
    try:
        return Entry(payload, {name: _array(block) for name, block in blocks.items()})
    except Exception as error:
        raise DamagedError(describe_error(error)) from error


def verify(content: bytes, kind: str, key: str) -> tuple[Mapping[str, object], dict[str, bytes]]:
    """Return the plain data and the bytes of each array, all as their checksums say; raises as :func:`decode` does.

    Most of the time that decoding takes is that of making arrays.
    """
    line, newline, rest = content.partition(b"\n")
    manifest = _manifest(line + newline, kind, key)
    stream = BytesIO(rest)
    try:
        blocks = {name: _block(stream, *sizes) for name, sizes in sorted(manifest["arrays"].items())}
    except Exception as error:
        raise DamagedError(describe_error(error)) from error
    if stream.read(1):
        raise DamagedError("something follows the arrays")
    return manifest["payload"], blocks


def decode_payload(line: bytes, kind: str, key: str) -> Mapping[str, object]:
    """Return the plain data of an entry from its first line, as :func:`decode` does."""
    return cast(Mapping[str, object], _manifest(line, kind, key)["payload"])


def _manifest(line: bytes, kind: str, key: str) -> dict[str, Any]:
    digest, _, text = line.partition(b" ")
    if not text.endswith(b"\n") or _sha256(text[:-1]).encode() != digest:
        raise DamagedError("the manifest does not match its checksum")
    try:
        manifest = json.loads(text)
        schema, found = manifest["schema"], (manifest["kind"], manifest["key"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedError(f"the manifest is malformed: {describe_error(error)}") from error
    if schema != SCHEMA:
        raise OtherSchemaError(schema)
    if found != (kind, key):
        raise DamagedError(f"the manifest is that of {found[0]} {found[1]}")
    if not isinstance(manifest.get("payload"), dict):
        raise DamagedError("the manifest has no plain data")
    return cast(dict[str, Any], manifest)


def _npy(array: Array) -> bytes:
    block = BytesIO()
    np.lib.format.write_array(block, np.asanyarray(array), allow_pickle=False)
    return block.getvalue()


def _block(stream: BytesIO, size: int, digest: str) -> bytes:
    block = stream.read(size)
    if _sha256(block) != digest:
        raise ValueError("an array does not match its checksum")
    return block


def _array(block: bytes) -> Array:
    array: Array = np.lib.format.read_array(BytesIO(block), allow_pickle=False)
    array.setflags(write=False)
    return array


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
