"""How kernels are compiled: kept between runs, without the GIL, IEEE arithmetic as written.

They own no memory, and so count no references to arrays: a count is shared by all threads, which
then wait for each other at every call of every group. What they write into is given to them.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., object])
_PLAIN: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "cache": True,
    "_nrt": False,
}


def kernel(function: F) -> F:
    """Compile a function; nothing is fused, reordered or assumed, so sums are those of NumPy."""
    made: F = numba.njit(**_PLAIN)(function)
    return made


def inlined(function: F) -> F:
    """Compile a function into those that call it, so that LLVM makes vectors of them together."""
    made: F = numba.njit(**_PLAIN, forceinline=True)(function)
    return made


def _fused(_: Any, a: Any, b: Any, c: Any) -> tuple[Any, Callable[..., Any]]:
    """``a * b + c``, rounded once.

    Written where it is meant it gives the same bits on every machine; a compiler that is free to
    fuse does not. A processor without the instruction, from before 2013, is slow at it.
    """

    def built(_: Any, builder: Any, __: Any, arguments: tuple[Any, Any, Any]) -> Any:
        return builder.fma(*arguments)

    return numba.float64(a, b, c), built


fma: Callable[[float, float, float], float] = cast(Any, intrinsic(_fused))
