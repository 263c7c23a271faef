"""What a file of the `span` family says: rows, combined commodities, spreads, published arrays."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from margincalc.margin.base import Factor, Parameters, Share
from margincalc.margin.span_entries import ROWS, Entries, Entry, Key, add
from margincalc.margin.span_files import read
from margincalc.margin.span_spreads import Charge, InterSpread, IntraSpread

Amount = Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1e12)]
Move = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=1, le=100)]
Days = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=365)]
Weight = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1)]
Weights = Annotated[tuple[Weight, ...], Field(min_length=4, max_length=4)]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Expiry = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])(-[0-9]{2})?$")]
Value = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1e12, le=1e12)]


class Rows(Parameters):
    """The extreme rows, in price scan ranges and the share that counts; days that pass."""

    extreme_move: Move
    extreme_cover: Share
    look_ahead: Days


class PriceScan(Parameters):
    """The price scan range, said in one of three ways: of the forward, in its points, in money."""

    share: Annotated[Share, Field(gt=0)] | None = None
    points: Amount | None = None
    money: Amount | None = None  # per `contract` of the commodity

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(said is not None for said in (self.share, self.points, self.money)) != 1:
            raise ValueError("one of `share`, `points` and `money`")
        return self


class VolatilityScan(Parameters):
    """The volatility scan range: a share of each option's own volatility, or points."""

    relative: Share | None = None
    absolute: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=5)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.relative is None) == (self.absolute is None):
            raise ValueError("one of `relative` and `absolute`")
        return self


class Delivery(Parameters):
    """A charge per delta, long or short, of months that expire within some days."""

    within_days: Days
    charge: Charge


class Commodity(Parameters):
    """A combined commodity: the underlying it is named for, and others.

    Attributes
    ----------
    contract : units of the underlying per delta
    short_option_minimum : account currency per option contract sold
    tiers : last month of each tier; later months are the next one
    scan_by_tier : whether each tier is scanned by itself
    spreads : between tiers, in order of priority
    """

    underlyings: tuple[str, ...] = ()
    contract: Amount = 1.0
    price_scan: PriceScan | None = None
    volatility_scan: VolatilityScan | None = None
    short_option_minimum: Charge
    tiers: tuple[Month, ...] = ()
    scan_by_tier: bool = False
    spreads: tuple[IntraSpread, ...] = ()
    delivery: Delivery | None = None

    @model_validator(mode="after")
    def _tiers(self) -> Self:
        if any(later <= month for month, later in pairwise(self.tiers)):
            raise ValueError("tiers in order of their last months, each once")
        last = len(self.tiers) + 1
        if any(max(spread.tiers) > last for spread in self.spreads):
            raise ValueError(f"spreads between tiers 1 to {last}, which are those of `tiers`")
        return self


class Listed(Parameters):
    """One contract's array written out as files have it: losses of one long contract."""

    underlying: str
    right: Annotated[str, Field(pattern="^[CP]?$")] = ""
    strike: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1e12)] = 0.0
    expiry: Expiry
    loss: Annotated[tuple[Value, ...], Field(min_length=ROWS, max_length=ROWS)]
    delta: Value


class Published(Parameters):
    """Arrays that are read instead of valued: of a risk parameter file, and written out."""

    file: str | None = None
    contracts: tuple[Listed, ...] = ()

    def entries(self) -> Entries:
        """Return the arrays by contract."""
        found = read(Path(self.file)) if self.file is not None else {}
        for own in self.contracts:
            key = Key(own.underlying, own.right, own.strike, own.expiry)
            add(found, key, Entry(tuple(-loss for loss in own.loss), own.delta))
        return found


class SpanParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    initial_factor : initial margin over maintenance margin
    delta_weights : of no move, and of each of 1/3, 2/3 and the whole price scan range
    inter_spreads : in order of priority
    """

    initial_factor: Factor
    rows: Rows
    delta_weights: Weights
    commodities: dict[str, Commodity]
    inter_spreads: tuple[InterSpread, ...] = ()
    arrays: Published | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not any(self.delta_weights):
            raise ValueError("a delta weight that is greater than 0")
        for name, own in self.commodities.items():
            if self.arrays is None and (own.price_scan is None or own.volatility_scan is None):
                raise ValueError(f"price_scan and volatility_scan of {name}, or `arrays` to read")
        named = [leg.commodity for spread in self.inter_spreads for leg in spread.legs]
        unknown = [name for name in named if name not in self.commodities]
        if unknown:
            raise ValueError(f"commodities that are defined; {unknown[0]} is not")
        underlyings = [each for own in members(self.commodities).values() for each in own]
        if len(set(underlyings)) < len(underlyings):
            raise ValueError("underlyings that belong to one commodity each")
        return self


def members(commodities: Mapping[str, Commodity]) -> dict[str, tuple[str, ...]]:
    """Return the underlyings of each commodity, that of its name first."""
    return {
        name: (name, *(each for each in own.underlyings if each != name))
        for name, own in commodities.items()
    }
