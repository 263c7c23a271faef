"""Compiled twins of the arithmetic, for many accounts at once; needs the `scale` extra.

`compiled` is all that others use. The files beside this one import numba, and are imported here
when a compiled pricer is asked for, never before. Machine code is kept beside them between runs.

    _jit -> _elementary -> black
         -> groups -----------> sums
    _lanes -> screen, shared -> sums
"""

from importlib.util import find_spec

from margincalc.errors import MissingExtraError
from margincalc.pricer import NUMPY, BlackKernels, Pricer, PricerName, SumKernels


def compiled() -> Pricer:
    """Return the pricer of compiled kernels.

    Raises
    ------
    MissingExtraError
        Where numba is not installed.
    """
    try:
        from margincalc.kernels import black, groups, sums
    except ImportError as error:
        raise MissingExtraError(
            f"the compiled pricer needs {error.name}: pip install 'margincalc[scale]'"
        ) from None
    return Pricer(
        "compiled",
        BlackKernels(black.price, black.greeks),
        SumKernels(
            groups.group_rows,
            sums.group_sum,
            groups.group_totals,
            groups.net_short,
            sums.products,
            sums.least,
            sums.least_beside,
        ),
    )


def pricer_named(name: PricerName) -> Pricer:
    """Return the pricer of a name."""
    return compiled() if name == "compiled" else NUMPY


def fastest() -> PricerName:
    """Name the compiled pricer where numba is installed, NumPy's elsewhere."""
    return "compiled" if find_spec("numba") is not None else "numpy"
