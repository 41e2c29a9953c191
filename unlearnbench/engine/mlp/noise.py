"""The noise of private training: standard normals keyed by a seed and a step, by numpy and by a kernel.

The numbers are those of Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3; SC
2011), which passes the statistical test batteries, made normal by Box and Muller (1958). The generator is not
cryptographic, the seed has 32 bits, and sums of floating-point noise reveal more than sums of real numbers would
(Mironov, CCS 2012). So this measures what private training does; it does not protect data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.simd import Floats

Words = NDArray[np.uint32]

_F, _I, _U, _LONG = np.float32, np.int32, np.uint32, np.uint64

_ROUNDS = 10
_MULTIPLY_0, _MULTIPLY_2 = _LONG(0xD2511F53), _LONG(0xCD9E8D57)
_WEYL_0, _WEYL_1 = _LONG(0x9E3779B9), _LONG(0xBB67AE85)
_LOW, _HIGH = _LONG(0xFFFFFFFF), _LONG(32)
_PURPOSE = _LONG(0x6E6F6973)  # the second word of the key, used for nothing else

_HALF, _ONE, _UNIT, _ANGLE = _F(0.5), _F(1), _F(2.0**-32), _F(2 * np.pi * 2.0**-32)
_LN2, _ROOT_HALF = _F(np.log(2)), _F(np.sqrt(0.5))

# Polynomials of single precision, from the Cephes library (Moshier): logf, sinf, cosf.
_L0, _L1, _L2 = _F(7.0376836292e-2), _F(-1.1514610310e-1), _F(1.1676998740e-1)
_L3, _L4, _L5 = _F(-1.2420140846e-1), _F(1.4249322787e-1), _F(-1.6668057665e-1)
_L6, _L7, _L8 = _F(2.0000714765e-1), _F(-2.4999993993e-1), _F(3.3333331174e-1)
_S0, _S1, _S2 = _F(-1.9515295891e-4), _F(8.3321608736e-3), _F(-1.6666654611e-1)
_C0, _C1, _C2 = _F(2.443315711809948e-5), _F(-1.388731625493765e-3), _F(4.166664568298827e-2)


def philox(counter: tuple[NDArray[np.uint64], ...], key: tuple[int, int]) -> list[NDArray[np.uint64]]:
    """Return the four words (n,) that Philox 4x32-10 makes of four counter words (n,) and two key words."""
    x0, x1, x2, x3 = counter
    k0, k1 = _LONG(key[0]), _LONG(key[1])
    for _ in range(_ROUNDS):
        p0, p2 = x0 * _MULTIPLY_0, x2 * _MULTIPLY_2
        x0, x1, x2, x3 = (p2 >> _HIGH) ^ x1 ^ k0, p2 & _LOW, (p0 >> _HIGH) ^ x3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _WEYL_0) & _LOW, (k1 + _WEYL_1) & _LOW
    return [x0, x1, x2, x3]


def normals(seed: int, step: int, count: int) -> Floats:
    """Return the ``count`` standard normals of one step, as float32; reference of :func:`fill_normals`.

    Block i of the generator makes numbers i, i + blocks, i + 2 blocks and i + 3 blocks of them.
    """
    index = np.arange(blocks_for(count), dtype=np.uint64)
    zero = np.zeros_like(index)
    a, b, c, d = philox((index, zero + _LONG(step), zero, zero), (seed, int(_PURPOSE)))
    return np.concatenate([*_box_muller(a, b), *_box_muller(c, d)]).astype(np.float32)[:count]


def blocks_for(count: int) -> int:
    """Return how many blocks of the generator ``count`` numbers take: each makes four."""
    return -(-count // 4)


def _box_muller(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    unit = (high.astype(np.float32) + _HALF) * _UNIT  # in single precision, as in the kernel
    radius, angle = np.sqrt(-2 * np.log(unit.astype(np.float64))), low * (2 * np.pi * 2.0**-32)
    return radius * np.cos(angle), radius * np.sin(angle)


@kernel(borrows=True)
def fill_normals(seed: int, step: int, words: Words, out: Floats) -> None:
    """Write the :func:`normals` of one step into ``out`` (4 blocks,), to some units in the last place.

    ``words`` (4 blocks,) is working space. Each number is computed alone and by the same instructions, so LLVM may
    vectorize the loops: registers of any length give the same bits.
    """
    blocks = len(out) // 4
    one, two, three = blocks, 2 * blocks, 3 * blocks
    a, b, c, d = words[:one], words[one:two], words[two:three], words[three:]
    _fill_words(seed, step, a, b, c, d)
    _fill_pairs(a, b, out[:one], out[one:two])
    _fill_pairs(c, d, out[two:three], out[three:])


@kernel(borrows=True)
def _fill_words(seed: int, step: int, a: Words, b: Words, c: Words, d: Words) -> None:
    """Write the four words of every block: :func:`philox` of the counter (block, step, 0, 0), in 32-bit arithmetic."""
    for i in range(len(a)):
        x0, x1, x2, x3 = _U(i), _U(step), _U(0), _U(0)
        k0, k1 = _U(seed), _U(_PURPOSE)
        for _ in range(_ROUNDS):
            p0, p2 = _LONG(x0) * _MULTIPLY_0, _LONG(x2) * _MULTIPLY_2
            x0, x2 = _U(_U(p2 >> _HIGH) ^ x1 ^ k0), _U(_U(p0 >> _HIGH) ^ x3 ^ k1)
            x1, x3 = _U(p2), _U(p0)
            k0, k1 = _U(k0 + _U(_WEYL_0)), _U(k1 + _U(_WEYL_1))
        a[i], b[i], c[i], d[i] = x0, x1, x2, x3


@kernel(borrows=True)
def _fill_pairs(high: Words, low: Words, cosines: Floats, sines: Floats) -> None:
    """Write pairs of normals (Box and Muller): a radius from each word of ``high``, an angle from each of ``low``.

    The angle is reduced to the nearest quarter turn, where the polynomials are accurate; the quarter decides which of
    sine and cosine is which, and the signs.
    """
    for i in range(len(high)):
        radius = _radius(high[i])
        quarter = _U(_U(low[i] + _U(1 << 29)) >> _U(30))  # the nearest quarter turn
        # What is left, as a signed fraction of a turn: between -1/8 and 1/8.
        angle = _F(_I(_U(low[i] - _U(quarter << _U(30))))) * _ANGLE
        square = angle * angle
        sine = ((_S0 * square + _S1) * square + _S2) * square * angle + angle
        cosine = ((_C0 * square + _C1) * square + _C2) * square * square - _HALF * square + _ONE
        # After an odd number of quarters sine and cosine change places; the signs are those of the quadrant.
        odd = (quarter & _U(1)) != 0
        left, down = (_U(quarter + _U(1)) & _U(2)) != 0, (quarter & _U(2)) != 0
        cosines[i] = radius * (sine if odd else cosine) * (-_ONE if left else _ONE)
        sines[i] = radius * (cosine if odd else sine) * (-_ONE if down else _ONE)


@kernel(borrows=True)
def _radius(word: np.uint32) -> np.float32:
    """Return sqrt(-2 ln u) for u = (word + 1/2) / 2**32, with u = m 2**e and m within a factor sqrt(2) of 1."""
    # The exponent and the mantissa are read from the bits of u.
    bits = _F((_F(word) + _HALF) * _UNIT).view(np.int32)
    m = _I((bits & _I(0x007FFFFF)) | _I(0x3F000000)).view(np.float32)
    low = m < _ROOT_HALF
    e = _F(_I(_I(bits >> _I(23)) - _I(126))) - (_ONE if low else _F(0))
    # ln u = e ln 2 + ln(1 + x), the latter by a polynomial.
    x = m + (m if low else _F(0)) - _ONE
    p = (((((((_L0 * x + _L1) * x + _L2) * x + _L3) * x + _L4) * x + _L5) * x + _L6) * x + _L7) * x + _L8
    square = x * x
    minus_two_logs = _F(-2) * (e * _LN2 + (x + (p * x * square - _HALF * square)))
    return _F(np.sqrt(minus_two_logs if minus_two_logs > _F(0) else _F(0)))
