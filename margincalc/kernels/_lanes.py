"""Sixteen floats at once, as one value of a kernel.

LLVM makes vectors of a plain loop only where it can prove that nothing overlaps and that no order
matters; a value of sixteen lanes is a vector wherever it stands. It is one register of AVX-512,
and as many registers as it takes on other processors.

Floats of 32 bits are for what needs no more, never for a figure that is reported.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 16
LINE = 64  # bytes of a cache line, and of sixteen lanes

_FLOAT, _WHOLE = ir.FloatType(), ir.IntType(32)
_VECTOR, _BITS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_WHOLE, LANES)
_ALL_BUT_LAST = ir.Constant(_BITS, [-1] * (LANES - 1) + [0x7FFFFFFF])


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="sixteen_floats")


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        base: Any = super()
        base.__init__(manager, kind, _VECTOR)


_lanes = _Lanes()
_Built = tuple[Any, Callable[..., Any]]


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Point at lanes of an array of floats, from element `at`."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


def _load(_: Any, array: Any, at: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        place = _place(context, builder, kinds.args[0], *given)
        return builder.load(place, align=LINE)

    return _lanes(array, at), built


def _store(_: Any, array: Any, at: Any, value: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        place = _place(context, builder, kinds.args[0], *given[:2])
        builder.store(given[2], place, align=LINE)
        return context.get_dummy_value()

    return types.void(array, at, value), built


def _store_across(_: Any, array: Any, at: Any, value: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        array, at, value = given
        data = context.make_array(kinds.args[0])(context, builder, array).data
        for number in range(LANES):
            lane = builder.extract_element(value, ir.Constant(_WHOLE, number))
            place = builder.add(at, ir.Constant(at.type, number * LANES))
            builder.store(lane, builder.gep(data, [place]))
        return context.get_dummy_value()

    return types.void(array, at, value), built


def _spread(_: Any, number: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, given[0], ir.Constant(_WHOLE, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(_BITS, [0] * LANES))

    return _lanes(types.float32), built


def _multiply_add(_: Any, a: Any, b: Any, c: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        kind, made = ir.FunctionType(_VECTOR, [_VECTOR] * 3), cast(Any, cgutils)
        fused = made.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
        return builder.call(fused, given)

    return _lanes(a, b, c), built


def _where_less(_: Any, a: Any, b: Any, then: Any, other: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        one, two, yes, no = given
        return builder.select(builder.fcmp_ordered("<", one, two), yes, no)

    return _lanes(a, b, then, other), built


def _last_unsigned(_: Any, value: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        bits = builder.and_(builder.bitcast(given[0], _BITS), _ALL_BUT_LAST)
        return builder.bitcast(bits, _VECTOR)

    return _lanes(value), built


def _made(function: Callable[..., _Built]) -> Callable[..., Any]:
    return cast(Callable[..., Any], intrinsic(function))


load = _made(_load)  # lanes of an aligned array of floats, from an element on
store = _made(_store)  # into such an array
store_across = _made(_store_across)  # each lane LANES elements after the one before it
spread = _made(_spread)  # one number in every lane
multiply_add = _made(_multiply_add)  # a * b + c, rounded once
where_less = _made(_where_less)  # `then` in the lanes where a < b, `other` elsewhere
last_unsigned = _made(_last_unsigned)  # the last lane without its sign
