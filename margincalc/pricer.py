"""Who does the arithmetic: NumPy, or kernels compiled from the same formulas.

A pricer is chosen once, around everything that an answer needs, as NumPy's own error state is:

    with using(compiled()):
        model.margin(book)

What it replaces asks for it: `pricing.black`, the sums of `arrays` and `risk`. Sums and groups are
the same to the last bit whoever computes them; prices agree to 1e-13 of the forward. Results name
the pricer that made them. NumPy is the default, and needs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
PricerName = Literal["numpy", "compiled"]


class BlackKernels(NamedTuple):
    """Black's formula on contiguous columns: forward, strike, volatility, time, call.

    Attributes
    ----------
    price : undiscounted prices, shape (N,)
    greeks : price, delta, gamma, vega and theta, shape (5, N)
    """

    price: Callable[..., Floats]
    greeks: Callable[..., Floats]


class SumKernels(NamedTuple):
    """Groups and sums, rows added one after the other in the order given.

    Attributes
    ----------
    group_rows : `arrays.group_rows` by pool and more; None where it is not made for the keys
    group_sum : `arrays.group_sum`
    group_totals : `arrays.group_totals`; None where it is not made for the keys
    net_short : pool, underlying and units of each series that a pool is short of; None as above
    products : sums of quantities times rows of an array, by group: what `risk.scenario_pnl` returns
    least : the least of each such sum and where it is, without keeping the others
    least_beside : the same, and the least without what is set apart
    """

    group_rows: Callable[[tuple[npt.NDArray[Any], ...]], tuple[Ints, Ints] | None]
    group_sum: Callable[[Floats, Ints, int], Floats]
    group_totals: Callable[[Floats, tuple[npt.NDArray[Any], ...]], tuple[Ints, Floats] | None]
    net_short: Callable[..., tuple[Ints, Ints, Floats] | None]
    products: Callable[..., Floats]
    least: Callable[..., tuple[Ints, Floats]]
    least_beside: Callable[..., tuple[Ints, Floats, Floats]]


@dataclass(frozen=True)
class Pricer:
    """Kernels in place of NumPy's own code, where there are any.

    Attributes
    ----------
    known : values of instruments that were computed before, by what they depend on; None where
        nothing is kept, as for a single account; or `known.Latest`, for one that ticks move
    """

    name: PricerName = "numpy"
    black: BlackKernels | None = None
    sums: SumKernels | None = None
    known: Any = field(default=None, repr=False)


NUMPY = Pricer()
_CURRENT: ContextVar[Pricer] = ContextVar("pricer", default=NUMPY)


def current() -> Pricer:
    """Return the pricer in use in this thread."""
    return _CURRENT.get()


@contextmanager
def using(pricer: Pricer) -> Iterator[Pricer]:
    """Use a pricer for all that is computed inside, in this thread."""
    token = _CURRENT.set(pricer)
    try:
        yield pricer
    finally:
        _CURRENT.reset(token)
