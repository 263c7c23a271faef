"""The parts of the written form: what a person writes of a market, a position, a deposit.

Frozen, checked field by field, and free of arrays; `margincalc.book` holds the computed form.
Amounts are in the account currency, volatilities and rates decimals per year (0.6 is 60 %),
quantities signed (short is negative). A time without a zone is UTC.
"""

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from margincalc.times import EXPIRY, TIME, expiry_key, instant

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1e15, le=1e15)]
LEAST = 1e-12  # of a price or size: a smaller one is a slip, and its inverse is no number
Positive = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=LEAST, le=1e15)]
Price = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=0, le=1e15)]
Volatility = Annotated[
    float,
    Field(
        allow_inf_nan=False,
        strict=True,
        gt=0,
        le=10,
        description="a decimal per year: 0.6 is 60 %",
    ),
]
Rate = Annotated[
    float,
    Field(allow_inf_nan=False, strict=True, ge=-2, le=2, description="a decimal: 0.05 is 5 %"),
]
Fraction = Annotated[
    float,
    Field(allow_inf_nan=False, strict=True, ge=0, le=1, description="a decimal: 0.15 is 15 %"),
]
Flag = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Instant = Annotated[dt.datetime, BeforeValidator(instant), Field(description=TIME)]
ExpiryKey = Annotated[str, BeforeValidator(expiry_key), Field(description=EXPIRY)]
Settlement = Literal["linear", "inverse"]


class Written(BaseModel):
    """A mapping of a file: its keys are the fields, and no other is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Instrument(Written):
    """Terms of a contract; what its name already says need not be repeated."""

    kind: Literal["option", "future", "perpetual", "spot"] | None = None
    underlying: Text | None = None
    expiry: ExpiryKey | None = Field(
        None, description="a day, or a day and time; the day's own hour is the market's"
    )
    strike: Positive | None = None
    type: Literal["call", "put"] | None = None
    settlement: Settlement | None = None
    multiplier: Positive | None = Field(None, description="units of the underlying per contract")
    exercise: Literal["european", "american"] | None = None
    listed: Flag | None = Field(
        None, description="an exchange's equity option: 100 a contract, 16:00 in New York"
    )
    lot: Positive | None = Field(None, description="smallest tradable quantity")
    fee: Fraction | None = Field(None, description="of the underlying's value, per trade")


class Quote(Written):
    """What the market says of one instrument. Inverse options are quoted in coin."""

    mark: Price | None = None
    volatility: Volatility | None = None
    bid: Price | None = None
    ask: Price | None = None
    confidence: Fraction | None = None


class Forward(Written):
    """A forward price in two parts; a move of the spot scales the variable one only.

    An expiry that has passed and is not yet paid is wholly fixed, at its settlement price.
    """

    fixed: Price = 0.0
    variable: Price


class Svi(Written):
    """Raw SVI of Gatheral (2004): total variance of log-moneyness, as it was fitted."""

    a: Finite
    b: Price
    rho: Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1, le=1)]
    m: Finite
    sigma: Price
    forward: Positive | None = Field(None, description="of the fit; default: the expiry's forward")
    time: Positive | None = Field(
        None, description="of the fit, in years; default: the time to expiry"
    )


class ExpiryMarket(Written):
    """What the market says of one expiry."""

    forward: Positive | Forward | None = None
    rate: Rate | None = None
    svi: Svi | None = None
    confidence: Fraction | None = None


class Dividend(Written):
    """A cash dividend per unit of the underlying."""

    date: ExpiryKey
    amount: Price


class Perpetual(Written):
    """The perpetual of an underlying: its mark, and its funding rate per eight hours."""

    mark: Positive | None = None
    funding_rate: Rate | None = None
    confidence: Fraction | None = None


class Underlying(Written):
    """An underlying's market; from `settlement` on, the defaults of its contracts."""

    spot: Positive
    rate: Rate = 0.0
    yield_: Annotated[Rate, Field(alias="yield")] = 0.0
    volatility: Volatility | None = None
    dividends: tuple[Dividend, ...] = ()
    expiries: dict[ExpiryKey, ExpiryMarket] = {}
    perpetual: Perpetual | None = None
    beta: Finite | None = None
    correlation_set: Text | None = None
    confidence: Fraction | None = None
    roots: tuple[Text, ...] = Field((), description="other symbols of its options, such as SPXW")
    settlement: Settlement | None = None
    multiplier: Positive | None = None
    exercise: Literal["european", "american"] | None = None
    listed: Flag | None = None
    lot: Positive | None = None
    fee: Fraction | None = None


class Haircut(Written):
    """A haircut that differs between maintenance and initial margin."""

    maintenance: Fraction
    initial: Fraction


class Tier(Written):
    """The haircut of the part of a deposit's value between the tier before and `up_to`."""

    up_to: Positive | None = Field(
        None, description="value of the whole deposit; the last tier has none"
    )
    haircut: Fraction | Haircut


class Collateral(Written):
    """An amount of an asset, valued at market; its haircut is part of the requirement.

    A negative quantity is a debt: haircuts, tiers and cap are of what is deposited, and a model may
    charge what is owed.
    """

    asset: Text
    quantity: Finite
    price: Positive | None = Field(
        None, description="default: 1 for money, the spot of an underlying"
    )
    haircut: Fraction | Haircut = 0.0
    tiers: tuple[Tier, ...] = Field((), description="haircuts that grow with the deposit's value")
    cap: Price | None = Field(None, description="the largest value that counts as collateral")
    moves_with: Text | None = Field(
        None, description="an underlying, or `none`; default: the asset's own"
    )
    beta: Finite = Field(1.0, description="relative move per relative move of that underlying")
    confidence: Fraction | None = None
    venue: Text | None = None


class Position(Written):
    """A signed quantity of an instrument, named or spelled out."""

    instrument: Text | Instrument
    quantity: Finite = Field(description="negative is short")
    entry_price: Price | None = None
    mark_price: Price | None = Field(None, description="of an inverse option in coin")
    volatility: Volatility | None = None
    isolated_margin: Price | None = None
    group: Text | None = Field(None, description="legs that share an isolated pool")
    unsettled: Finite = Field(0.0, description="profit and funding booked but not yet paid")
    venue: Text | None = None


class VenueRules(Written):
    """By which model a venue margins what names it."""

    model: Text


class Order(Written):
    """An open order; a positive quantity buys."""

    instrument: Text | Instrument
    quantity: Finite = Field(description="negative sells")
    price: Price
    venue: Text | None = None


class Stated(Written):
    """What a venue says of the whole account, for comparison; nothing is computed from it."""

    source: Text = Field("venue", description="who says so")
    equity: Finite | None = None
    initial_margin: Finite | None = None
    maintenance_margin: Finite | None = None
