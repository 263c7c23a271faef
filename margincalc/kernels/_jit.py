"""How kernels are compiled: kept between runs, without the GIL, IEEE arithmetic as written.

They own no memory, and so count no references to arrays: a count is shared by all threads, which
then wait for each other at every call of every group. What they write into is given to them.
"""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import IndexDataCacheFile
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., object])
_PLAIN: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "_nrt": False,
}


def kernel(function: F) -> F:
    """Compile a function; nothing is fused, reordered or assumed, so sums are those of NumPy."""
    return cast(F, _kept(numba.njit(**_PLAIN)(function)))


def inlined(function: F) -> F:
    """Compile a function into those that call it, so that LLVM makes vectors of them together."""
    return cast(F, _kept(numba.njit(**_PLAIN, forceinline=True)(function)))


class MachineCode(IndexDataCacheFile):
    """Machine code of a function on disk, one file for each signature, named by it.

    Numba counts the files: two processes that begin at once, each with a signature of its own,
    give both the same name, and one of them is later read as the other.
    """

    def save(self, key: Any, data: Any) -> None:
        """Keep the code of a signature; what another process forgets of the index is made again."""
        own: Any = self
        digest = hashlib.sha256(repr((key, own._source_stamp)).encode()).hexdigest()
        name = own._data_name_pattern.format(number=int(digest[:16], 16))
        own._save_data(name, data)
        own._save_index({**own._load_index(), key: name})


def _kept(made: Any) -> Any:
    """Keep what is compiled between runs, where there is a folder for it that can be written."""
    try:
        made.enable_caching()
    except RuntimeError:  # neither beside the source nor in a home: it is compiled in each run
        return made
    own, files = made._cache, cast(Any, MachineCode)
    stamp = own._cache_file._source_stamp
    own._cache_file = files(own.cache_path, own._impl.filename_base, stamp)
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
