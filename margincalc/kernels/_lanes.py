"""Sixteen floats, or eight doubles, as one value of a kernel; whole numbers alike.

LLVM makes vectors of a plain loop only where it can prove that nothing overlaps and that no order
matters; a value of many lanes is a vector wherever it stands. It is one register of AVX-512, and as
many registers as it takes on other processors.

Floats of 32 bits are for what needs no more, never for a figure that is reported.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LINE = 64  # bytes of a cache line
FLOATS, DOUBLES = LINE // 4, LINE // 8  # of one value
_WHOLE, _BYTES = ir.IntType(32), ir.IntType(8).as_pointer()
_Built = tuple[Any, Callable[..., Any]]


class _Lanes(types.Type):
    """Lanes of one element."""

    def __init__(self, element: Any, number: ir.Type) -> None:
        self.count = LINE * 8 // element.bitwidth
        super().__init__(name=f"{self.count}_of_{element}")
        self.element, self.vector = element, ir.VectorType(number, self.count)


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        base: Any = super()
        base.__init__(manager, kind, kind.vector)


_OF = {
    types.float32: _Lanes(types.float32, ir.FloatType()),
    types.float64: _Lanes(types.float64, ir.DoubleType()),
    types.int32: _Lanes(types.int32, ir.IntType(32)),
    types.int64: _Lanes(types.int64, ir.IntType(64)),
}


def _place(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
    """Point at lanes of an array, from an element on."""
    array = context.make_array(kinds[0])(context, builder, given[0])
    vector = _OF[kinds[0].dtype].vector
    return builder.bitcast(builder.gep(array.data, [given[1]]), vector.as_pointer())


def _align(kind: Any) -> int:
    """Return what lanes are aligned to: those of floats to a line of their own."""
    return LINE if kind.dtype == types.float32 else kind.dtype.bitwidth // 8


def _load(_: Any, array: Any, at: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        place = _place(context, builder, kinds.args, given)
        return builder.load(place, align=_align(array))

    return _OF[array.dtype](array, at), built


def _store(_: Any, array: Any, at: Any, value: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        place = _place(context, builder, kinds.args, given)
        builder.store(given[2], place, align=_align(array))
        return context.get_dummy_value()

    return types.void(array, at, value), built


def _store_across(_: Any, array: Any, at: Any, value: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        data = context.make_array(kinds.args[0])(context, builder, given[0]).data
        for number in range(value.count):
            lane = builder.extract_element(given[2], ir.Constant(_WHOLE, number))
            place = builder.add(given[1], ir.Constant(given[1].type, number * value.count))
            builder.store(lane, builder.gep(data, [place]))
        return context.get_dummy_value()

    return types.void(array, at, value), built


def _spread(_: Any, number: Any) -> _Built:
    lanes = _OF[number]

    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        nothing = ir.Constant(lanes.vector, ir.Undefined)
        first = builder.insert_element(nothing, given[0], ir.Constant(_WHOLE, 0))
        chosen = ir.Constant(ir.VectorType(_WHOLE, lanes.count), [0] * lanes.count)
        return builder.shuffle_vector(first, nothing, chosen)

    return lanes(number), built


def _plus(_: Any, a: Any, b: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.fadd(*given)

    return a(a, b), built


def _times(_: Any, a: Any, b: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.fmul(*given)

    return a(a, b), built


def _fused(_: Any, a: Any, b: Any, c: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        kind, name = ir.FunctionType(a.vector, [a.vector] * 3), f"llvm.fma.v{FLOATS}f32"
        function = cast(Any, cgutils).get_or_insert_function(builder.module, kind, name)
        return builder.call(function, given)

    return a(a, b, c), built


def _where_less(_: Any, a: Any, b: Any, then: Any, other: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        one, two, yes, no = given
        return builder.select(builder.fcmp_ordered("<", one, two), yes, no)

    return then(a, b, then, other), built


def _bits(compared: Callable[..., Any]) -> Callable[..., _Built]:
    """Return what compares two values lane by lane: a bit for each, that of the first is lowest."""

    def of(_: Any, a: Any, b: Any) -> _Built:
        def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
            bits = builder.bitcast(compared(builder, *given), ir.IntType(a.count))
            return builder.zext(bits, ir.IntType(64))

        return types.uint64(a, b), built

    return of


def _lowest_bit(_: Any, bits: Any) -> _Built:
    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(bits), built


def _fetch(_: Any, array: Any, at: Any) -> _Built:
    def built(context: Any, builder: Any, kinds: Any, given: Any) -> Any:
        place = builder.bitcast(_place(context, builder, kinds.args, given), _BYTES)
        kind = ir.FunctionType(ir.VoidType(), [_BYTES, *[_WHOLE] * 3])
        function = cast(Any, cgutils).get_or_insert_function(builder.module, kind, "llvm.prefetch")
        to_read, into_every_cache, data = (ir.Constant(_WHOLE, number) for number in (0, 3, 1))
        builder.call(function, [place, to_read, into_every_cache, data])
        return context.get_dummy_value()

    return types.void(array, at), built


def _last_unsigned(_: Any, value: Any) -> _Built:
    whole = ir.VectorType(_WHOLE, FLOATS)

    def built(_: Any, builder: Any, __: Any, given: Any) -> Any:
        all_but_last = ir.Constant(whole, [-1] * (FLOATS - 1) + [0x7FFFFFFF])
        bits = builder.and_(builder.bitcast(given[0], whole), all_but_last)
        return builder.bitcast(bits, value.vector)

    return value(value), built


def _made(function: Callable[..., _Built]) -> Callable[..., Any]:
    return cast(Callable[..., Any], intrinsic(function))


load = _made(_load)  # lanes of a flat array, from an element on; of floats, from a cache line on
store = _made(_store)  # into such an array
store_across = _made(_store_across)  # each lane as many elements after the one before as there are
spread = _made(_spread)  # one number in every lane
plus, times = _made(_plus), _made(_times)
fused = _made(_fused)  # a * b + c of floats, rounded once
where_less = _made(_where_less)  # `then` in the lanes where a < b, `other` elsewhere
unequal = _made(_bits(lambda builder, a, b: builder.icmp_signed("!=", a, b)))  # whole numbers
not_above = _made(_bits(lambda builder, a, b: builder.fcmp_unordered("<=", a, b)))
lowest_bit = _made(_lowest_bit)  # its number; 64 where there is none
fetch = _made(_fetch)  # bring a cache line near before it is read; of a place beyond, nothing
last_unsigned = _made(_last_unsigned)  # floats, the last without its sign
