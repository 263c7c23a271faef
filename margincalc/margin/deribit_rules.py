"""The tables of a `deribit` model's file, by the words of the venue's page and account summary."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from margincalc.margin.base import Parameters, Share
from margincalc.margin.deribit_shocks import Amount, DeltaShock, RollShock
from margincalc.margin.grids import Power, SpotMove

Volatility = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=10)]


def _other_than_none(move: float) -> float:
    """Refuse a large move of nothing: one counts in proportion to its inverse."""
    if move == 0.0:
        raise ValueError("a move other than 0")
    return move


LargeMove = Annotated[SpotMove, AfterValidator(_other_than_none)]


class Rows(Parameters):
    """The rows that every table has: buckets on each side of the price, and large moves."""

    buckets_count: Annotated[int, Field(ge=1, le=50)]
    extended_moves: tuple[LargeMove, ...]


class VolatilityTable(Parameters):
    """Relative moves of a 30-day volatility, and how they change with the expiry."""

    range_up: Volatility
    range_down: Share
    short_term_power: Power
    long_term_power: Power
    minimum_for_shock_up: Volatility
    floor_days: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=400)]


class ExtendedTable(Parameters):
    """What counts of a large move: a share, less an amount in USD that grows with the move."""

    factor: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, le=1)]
    dampener_usd: Amount


class Offset(Parameters):
    """How much of a gain counts against losses of other underlyings."""

    pnl_offset: Share
    max_offsetable_pnl_usd: Amount


class Reserved(Parameters):
    """Amounts that the venue holds beside, of each pool; as its account page shows them."""

    open_orders_margin: Amount
    mmp_margin: Amount
    spot_margin: Amount


class DeribitSet(Parameters):
    """The parameters of one underlying."""

    price_range: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=0, lt=1)]
    volatility: VolatilityTable
    extended: ExtendedTable
    offset: Offset
    roll_shock: RollShock
    delta_shock: DeltaShock


class DeribitParameters(Parameters):
    """The file's tables.

    Attributes
    ----------
    tables : one over all of an account, or one for each settlement currency
    equity_side_impact : whether coin that is held is part of the table
    """

    tables: Literal["cross", "segregated"]
    equity_side_impact: Literal["both", "none"]
    mm_factor: Share
    rows: Rows
    reserved: Reserved
    underlyings: dict[str, DeribitSet] = Field(min_length=1)
