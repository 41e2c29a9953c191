"""The LLVM code of the functions in :mod:`unlearnbench.engine.mlp.simd`, and their vector as a numba type.

This is the only module that knows LLVM. Importing it registers the code with numba; only ``simd.register`` does so.
"""

# ruff: noqa: ARG001, ARG005 - numba hands every lowering the same arguments
# mypy: disable-error-code="no-untyped-call, import-untyped"
# (numba and llvmlite are typed in part or not at all)

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, models, register_model, type_callable

from unlearnbench.engine.mlp import simd
from unlearnbench.engine.mlp.simd import LANES

Code = Callable[[Any, Any, Any, Any], Any]

VECTOR = ir.VectorType(ir.FloatType(), LANES)
ZERO = ir.Constant(VECTOR, [0.0] * LANES)
UNDEFINED = ir.Constant(VECTOR, ir.Undefined)
INDEX = ir.IntType(32)


class Simd16Type(types.Type):
    """The type of :class:`unlearnbench.engine.mlp.simd.Simd16`."""

    def __init__(self) -> None:
        super().__init__(name="Simd16")


@register_model(Simd16Type)
class Simd16Model(models.PrimitiveModel):
    """One LLVM vector."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


simd16 = Simd16Type()


def lowers(function: Callable[..., Any], takes: tuple[Any, ...], gives: Any) -> Callable[[Code], Code]:
    """Return a decorator for the LLVM code of ``function``, whose arguments have the types ``takes``."""

    def fits(given: Any, taken: Any) -> bool:
        return isinstance(given, taken) if isinstance(taken, type) else bool(given == taken)

    def result(*given: Any) -> Any:
        return gives if all(map(fits, given, takes)) else None

    typers: dict[int, Callable[..., Any]] = {  # numba reads their signatures, so there must be one for each length
        1: lambda a: result(a),
        2: lambda a, b: result(a, b),
        3: lambda a, b, c: result(a, b, c),
    }
    type_callable(function)(lambda context: typers[len(takes)])
    return lower_builtin(function, *takes)  # type: ignore[no-any-return]  # numba has no types


def _address(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [at])


def _intrinsic(builder: Any, name: str, args: Any) -> Any:
    kind = ir.FunctionType(VECTOR, [VECTOR] * len(args))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32"), args)


def _shuffle(builder: Any, vector: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(vector, UNDEFINED, ir.Constant(ir.VectorType(INDEX, LANES), order))


def _splat(builder: Any, number: Any) -> Any:
    return _shuffle(builder, builder.insert_element(UNDEFINED, number, INDEX(0)), [0] * LANES)


@lowers(simd.load, (types.Array, types.Integer), simd16)
def _load(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    at = _address(context, builder, signature.args[0], *args)
    return builder.load(builder.bitcast(at, VECTOR.as_pointer()), align=4)


@lowers(simd.store, (types.Array, types.Integer, simd16), types.none)
def _store(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    at = _address(context, builder, signature.args[0], *args[:2])
    builder.store(args[2], builder.bitcast(at, VECTOR.as_pointer()), align=4)
    return context.get_dummy_value()


@lowers(simd.broadcast, (types.Array, types.Integer), simd16)
def _broadcast(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _splat(builder, builder.load(_address(context, builder, signature.args[0], *args)))


@lowers(simd.splat, (types.float32,), simd16)
def _splat_lanes(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _splat(builder, args[0])


@lowers(simd.fma, (simd16, simd16, simd16), simd16)
def _fma(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _intrinsic(builder, "fma", args)


@lowers(simd.sqrt, (simd16,), simd16)
def _sqrt(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _intrinsic(builder, "sqrt", args)


@lowers(simd.where_positive, (simd16, simd16), simd16)
def _where_positive(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.select(builder.fcmp_unordered(">", args[0], ZERO), args[1], ZERO)


@lowers(simd.reduce_add, (simd16,), types.float32)
def _reduce_add(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    (sums,) = args
    for half in (8, 4, 2, 1):
        sums = builder.fadd(sums, _shuffle(builder, sums, [(lane + half) % LANES for lane in range(LANES)]))
    return builder.extract_element(sums, INDEX(0))


def _arithmetic(function: Callable[..., Any], name: str) -> None:
    @lowers(function, (simd16, simd16), simd16)
    def _(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, name)(*args)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")
