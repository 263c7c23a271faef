"""Liquidation engines by name: dated TOML files like those of margin models, read the same way."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from margincalc.margin.base import Parameters, Venue
from margincalc.margin.load import Shelf, load_model
from margincalc.simulation.engine import Engine


def _incremental() -> type[Parameters]:
    from margincalc.simulation.incremental import Incremental

    return Incremental


def _dutch() -> type[Parameters]:
    from margincalc.simulation.dutch import DutchAuction

    return DutchAuction


def _fillable() -> type[Parameters]:
    from margincalc.simulation.fillable import Fillable

    return Fillable


def _partial() -> type[Parameters]:
    from margincalc.simulation.partial import Partial

    return Partial


def _tiers() -> type[Parameters]:
    from margincalc.simulation.tiers import Tiers

    return Tiers


def _pro_rata() -> type[Parameters]:
    from margincalc.simulation.pro_rata import ProRata

    return ProRata


def _fixed_spread() -> type[Parameters]:
    from margincalc.simulation.lenders import FixedSpread

    return FixedSpread


def _discount() -> type[Parameters]:
    from margincalc.simulation.lenders import Discount

    return Discount


def _builds(family: Callable[[], type[Parameters]]) -> Callable[[Mapping[str, Any]], Any]:
    """Return what builds an engine of a family, imported when one of it is read."""
    return lambda tables: family().model_validate(tables)


FAMILIES = {
    name: _builds(family)
    for name, family in {
        "incremental": _incremental,
        "dutch": _dutch,
        "fillable": _fillable,
        "partial": _partial,
        "tiers": _tiers,
        "pro_rata": _pro_rata,
        "fixed_spread": _fixed_spread,
        "discount": _discount,
    }.items()
}
FOLDER = Path(__file__).parent.parent / "engines"
ENGINES = Shelf(FOLDER, FAMILIES, "--engine", "--engine-set")


class Dated(NamedTuple):
    """An engine with the papers of its file."""

    engine: Engine
    papers: Venue


def load_engine(name: str, as_of: dt.date, settings: Sequence[str] = ()) -> Dated:
    """Load the engine called `name`, or the file at a path that ends in `.toml`.

    Raises
    ------
    InputError
        As `load_model`.
    """
    papers = load_model(name, as_of, settings, ENGINES)
    return Dated(cast(Engine, papers.model), papers)
