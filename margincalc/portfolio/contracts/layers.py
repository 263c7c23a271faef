"""What is written of one instrument, layer over layer, each a mapping of the fields that it states.

Layers are plain mappings, not `Instrument`s: thousands are made when a venue is read, of values
that were checked where they were written.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypedDict, cast

from margincalc.portfolio.names import Kind, Terms
from margincalc.portfolio.written import Instrument, Settlement


class Said(TypedDict, total=False):
    """Fields of `Instrument` that are stated, none of them None."""

    kind: Kind
    underlying: str
    expiry: str
    strike: float
    type: Literal["call", "put"]
    settlement: Settlement
    multiplier: float
    exercise: Literal["european", "american"]
    listed: bool
    lot: float
    fee: float


class Layers(NamedTuple):
    """All that is written of one instrument, lowest first, each with its path."""

    path: str
    name: str | None  # None when spelled out
    layers: tuple[tuple[str, Said], ...]

    def merged(self) -> Said:
        """Return the layers as one; where one is silent, the one below shows."""
        merged: Said = {}
        for _, layer in self.layers:
            merged.update(layer)
        return merged

    def path_of(self, field: str) -> str:
        """Return where the topmost layer that says something of a field says it."""
        path = next(path for path, layer in reversed(self.layers) if field in layer)
        return path if self.name and path == self.path else f"{path}.{field}"


def said_by_entry(instrument: Instrument) -> Said:
    """Return what an entry states."""
    stated = ((field, getattr(instrument, field)) for field in instrument.model_fields_set)
    return cast(Said, {field: value for field, value in stated if value is not None})


def said_by_name(terms: Terms, market: Mapping[str, object]) -> Said:
    """Return what a name says; it may name its quote currency with its underlying."""
    said: Said = {"kind": terms.kind, "underlying": terms.base}
    if terms.quote is not None and f"{terms.base}_{terms.quote}" in market:
        said["underlying"] = f"{terms.base}_{terms.quote}"
    if terms.expiry is not None:
        said["expiry"] = terms.expiry.isoformat()
    if terms.kind == "option":
        said["strike"], said["type"] = terms.strike, "call" if terms.call else "put"
    if terms.listed:
        said["listed"] = True
    if terms.listed or terms.quote is not None:
        said["settlement"] = "linear"
    return said
