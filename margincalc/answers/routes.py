"""How money moves between venues: a matrix of routes, read from a file or stated pair by pair."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from margincalc.arrays import FloatArray
from margincalc.errors import did_you_mean, input_error, shown
from margincalc.files.columns import Columns, read_columns
from margincalc.simulation.transfers import Network, Route

KNOWN = ("from", "to", "seconds", "cost", "most", "halt")
LATEST, DEAREST = 1e8, 0.99  # seconds of a route, and the share that it loses
Pair = tuple[str, str]


class Routes(NamedTuple):
    """Routes of their own, and what lets nothing out.

    Attributes
    ----------
    stated : of pairs; later ones hold
    halts : seconds, by sender and receiver; `""` is every receiver
    """

    stated: tuple[Route, ...] = ()
    halts: tuple[tuple[Pair, float], ...] = ()

    def network(self, names: list[str], default: Route) -> Network:
        """Return the matrix of all pairs of an account's venues.

        Raises
        ------
        InputError
            If a route or a halt names no venue of the account, or is no possible one.
        """
        for route in self.stated:
            _check_pair("--route", (route.sender, route.receiver), names)
            if not 0.0 <= route.seconds <= LATEST and route.seconds != np.inf:
                raise input_error("--route", f"{route.seconds:g} seconds", f"up to {LATEST:g}")
            if not (0.0 <= route.cost <= DEAREST and route.most >= 0.0):
                found = f"a cost of {route.cost:g} and at most {route.most:g}"
                raise input_error("--route", found, f"a cost up to {DEAREST:g}, an amount from 0")
        for pair, seconds in self.halts:
            _check_pair("--halt", pair, names)
            if not 0.0 <= seconds <= 1e9:
                raise input_error("--halt", f"{seconds:g} seconds", "a time from 0")
        return Network.of(names, default, self.stated, dict(self.halts))


def _check_pair(option: str, pair: Pair, names: list[str]) -> None:
    """Refuse venues that the account has not; a halt may be of every receiver."""
    for name in pair:
        if name not in names and (name or option == "--route"):
            wanted = f"one of {', '.join(names)}"
            raise input_error(option, shown(name), wanted, did_you_mean(name, names) or "")
    if pair[0] == pair[1]:
        raise input_error(option, f"{pair[0]} to itself", "two venues")


def read_routes(source: str | Path) -> Routes:
    """Read a table of routes, CSV or Parquet, a row for each pair.

    `from`, `to` and `seconds`, empty where money cannot go; perhaps `cost` (a share), `most` (an
    amount) and `halt` (seconds for which nothing leaves).

    Raises
    ------
    InputError
        If the file is wrong.
    """
    table = read_columns(source)
    table.refuse_unknown(KNOWN)
    table.need("from", "to", "seconds", example=",".join(KNOWN))
    pairs = list(zip(table.texts("from"), table.texts("to"), strict=True))
    seconds = np.nan_to_num(table.numbers("seconds", least=0.0, absent=True), nan=np.inf)
    cost, most, halt = (
        _column(table, name, absent).tolist()
        for name, absent in (("cost", 0.0), ("most", np.inf), ("halt", 0.0))
    )
    rows = zip(pairs, seconds.tolist(), cost, most, strict=True)
    stated = tuple(Route(*pair, *figures) for pair, *figures in rows)
    stopped = tuple(pair for pair in zip(pairs, halt, strict=True) if pair[1] > 0.0)
    return Routes(stated, stopped)


def _column(table: Columns, name: str, absent: float) -> FloatArray:
    if name not in table.cells:
        return np.full(table.rows, absent)
    return np.nan_to_num(table.numbers(name, least=0.0, absent=True), nan=absent)
