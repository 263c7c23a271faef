"""Refuse what cannot be priced, and bring arguments to one shape.

A pricing function is a library entry point: a wrong number is the caller's mistake and a
`ValueError` that names the argument, the first bad index and the value found.
"""

import numpy as np
import numpy.typing as npt

from margincalc.arrays import BoolArray, FloatArray


def amounts(**named: npt.ArrayLike) -> dict[str, FloatArray]:
    """Return each argument as a float array, refusing NaN, infinities and negative numbers."""
    return {name: _checked(name, value, 0.0) for name, value in named.items()}


def reals(**named: npt.ArrayLike) -> dict[str, FloatArray]:
    """Return each argument as a float array, refusing NaN and infinities."""
    return {name: _checked(name, value, -np.inf) for name, value in named.items()}


def flags(name: str, value: npt.ArrayLike) -> BoolArray:
    """Return `value` as a boolean array, refusing any other type.

    Nothing is guessed from numbers or letters: a flag such as "P" read as true would price a
    put as a call.
    """
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise ValueError(
            f"{name} holds {array.dtype}; wanted booleans (True for a call, False for a put): "
            f'compare first, for example kinds == "call"'
        )
    return array


def refuse(name: str, value: FloatArray, wrong: BoolArray, wanted: str) -> None:
    """Raise ValueError for the first element of `value` that is `wrong`, if there is one."""
    if wrong.any():
        raise ValueError(f"{_place(name, wrong)} is {value[wrong][0]}; wanted {wanted}")


def _checked(name: str, value: npt.ArrayLike, least: float) -> FloatArray:
    array = np.asarray(value, dtype=np.float64)
    wanted = "a finite number" if least < 0.0 else "a finite number of at least 0"
    refuse(name, array, ~(np.isfinite(array) & (array >= least)), wanted)
    return array


def _place(name: str, wrong: BoolArray) -> str:
    if wrong.ndim == 0:
        return name
    first = np.argwhere(wrong)[0]
    return f"{name}[{', '.join(str(int(index)) for index in first)}]"
