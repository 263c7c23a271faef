"""How kernels are compiled: kept between runs, without the GIL, IEEE arithmetic as written."""

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])
_PLAIN: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "cache": True,
}


def kernel(function: F) -> F:
    """Compile a function; nothing is fused, reordered or assumed, so sums are those of NumPy."""
    made: F = numba.njit(**_PLAIN)(function)
    return made


def inlined(function: F) -> F:
    """Compile a function into those that call it, so that LLVM makes vectors of them together."""
    made: F = numba.njit(**_PLAIN, forceinline=True)(function)
    return made


def ordering(function: F) -> F:
    """Compile a function that compares and does not add; its arguments hold no NaN."""
    made: F = numba.njit(**_PLAIN, fastmath={"nnan", "nsz"})(function)
    return made
