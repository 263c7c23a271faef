"""What kernels make of an array that many calls share: made once, and kept as long as the array.

An array that owns its numbers and is read-only is taken to be shared.
"""

import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from margincalc.arrays import FloatArray

T = TypeVar("T")
_KEPT: dict[tuple[str, int], tuple["weakref.ref[Any]", Any]] = {}


def is_shared(values: FloatArray) -> bool:
    """Whether what is made of an array may be kept."""
    return values.base is None and not values.flags.writeable


def once(make: Callable[[FloatArray], T], values: FloatArray) -> T:
    """Return ``make(values)``, which must be no view: of a shared array, that made before."""
    if not is_shared(values):
        return make(values)
    key = make.__name__, id(values)
    kept = _KEPT.get(key)
    if kept is not None and kept[0]() is values:
        before: T = kept[1]
        return before
    made = make(values)
    _KEPT[key] = weakref.ref(values, lambda _: _KEPT.pop(key, None)), made
    return made
