"""Randomness that depends on a path, never on order, worker or chunk.

There are two tools. A :class:`SeedPath` names a part of a run (``adult/target/3/request/7``) and yields a generator for
it. :func:`keyed_bits` gives every (seed, record, ...) its own draw, so that removing one record leaves the draws of all
others unchanged. For bags, batches and noise, two models then differ by the deleted record only.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class SeedPath:
    """A root seed and the path of the part of the run that draws; ``path / "target" / 3`` appends two parts."""

    root: int
    parts: tuple[str, ...] = ()

    def __truediv__(self, part: str | int) -> SeedPath:
        text = str(part)
        if not text or "/" in text:
            raise ValueError(f"a seed path part must be non-empty and hold no slash, got {text!r}")
        return SeedPath(self.root, (*self.parts, text))

    def __str__(self) -> str:
        return "/".join(self.parts)

    def _bits(self) -> np.random.Philox:
        digest = hashlib.blake2b(str(self).encode(), digest_size=32).digest()
        key = struct.unpack("<8I", digest)
        return np.random.Philox(np.random.SeedSequence(self.root, spawn_key=key))

    def rng(self) -> np.random.Generator:
        """Return a new generator for this path; equal paths give equal draws.

        It draws as the path's stream does and does not hold the root seed, since plug-ins are given it: its seed
        sequence, which ``spawn`` reads, consists of words of that stream.
        """
        stream = self._bits()
        state = stream.state
        rootless = np.random.Philox(np.random.SeedSequence(stream.random_raw(4).tolist()))
        rootless.state = state
        return np.random.Generator(rootless)

    def seed(self) -> int:
        """Return a 32-bit integer for libraries that take one."""
        return _seed(self)

    def permutation(self, n: int, first: int | None = None) -> NDArray[np.int64]:
        """Return a permutation of ``range(n)`` made from raw Philox words, or only its ``first`` entries.

        Raw words are stable across numpy versions, generator methods are not. So anyone can derive the draws of a
        submission again.
        """
        return order_of(self._bits().random_raw(n), n if first is None else first)


@lru_cache(maxsize=4096)  # every request needs the seeds of its original
def _seed(path: SeedPath) -> int:
    return int(path._bits().random_raw(1)[0] >> 32)


def order_of(words: NDArray[np.uint64], first: int) -> NDArray[np.int64]:
    """Return the indices of the ``first`` lowest of random 64-bit words (n,), as a stable argsort does.

    At least twice as fast: the lowest bits of each word are replaced by its index, and the words themselves are sorted.
    Where two words become equal in their other bits, which is rare, a stable argsort is used.
    """
    low = np.uint64((1 << max(len(words) - 1, 0).bit_length()) - 1)
    packed = (words & ~low) | np.arange(len(words), dtype=np.uint64)
    if first < len(packed):
        packed = np.partition(packed, first)[: first + 1]  # one more, so that a tie at the boundary is detected
    packed.sort()
    high = packed & ~low
    if (high[1:] == high[:-1]).any():
        return np.argsort(words, kind="stable")[:first].astype(np.int64)
    return (packed[:first] & low).astype(np.int64)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words: the finalizer of SplitMix64 (Steele, Lea, Flood 2014)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def keyed_bits(seed: ArrayLike, *keys: ArrayLike) -> NDArray[np.uint64]:
    """Return one 64-bit word per broadcast element of ``seed`` and ``keys`` (integers), a hash of all of them.

    Not for cryptography or the noise of differential privacy: SplitMix64 only passes statistical tests.
    """
    with np.errstate(over="ignore"):  # wrapping modulo 2**64 is the algorithm
        state = _mix(np.asarray(seed).astype(np.uint64) + _GOLDEN)
        for key in keys:
            state = _mix((state ^ _mix(np.asarray(key).astype(np.uint64) + _GOLDEN)) + _GOLDEN)
    return np.asarray(state, dtype=np.uint64)


def keyed_uniforms(seed: ArrayLike, *keys: ArrayLike) -> NDArray[np.float64]:
    """Return uniform draws in [0, 1) with 53 bits, one per broadcast element of ``seed`` and ``keys``."""
    return np.asarray((keyed_bits(seed, *keys) >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


def keyed_normals(seed: ArrayLike, *keys: ArrayLike) -> NDArray[np.float64]:
    """Return standard normal draws, one per broadcast element of ``seed`` and ``keys`` (Box and Muller 1958)."""
    radius = np.sqrt(-2.0 * np.log1p(-keyed_uniforms(seed, *keys, 0)))
    return np.asarray(radius * np.cos(2.0 * np.pi * keyed_uniforms(seed, *keys, 1)))


def row_keys(x: NDArray[np.generic]) -> NDArray[np.uint64]:
    """Return a 64-bit key per row of ``x`` from the row's bytes: equal rows get equal keys, in any batch."""
    rows = (np.ascontiguousarray(x) + 0).reshape(len(x), -1)  # adding 0 makes -0.0 equal to 0.0 in bytes too
    return np.array(
        [int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") for row in rows],
        dtype=np.uint64,
    )
