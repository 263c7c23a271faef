"""The written form of a whole: an account with its market, or a market to lay over it.

What the parts may say is checked as they are read; what they say together, `contracts` and
`assembly` check.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import Field, PrivateAttr

from margincalc.portfolio.written import (
    Collateral,
    ExpiryMarket,
    Instant,
    Instrument,
    Order,
    Position,
    Positive,
    Quote,
    Stated,
    Text,
    Underlying,
    VenueRules,
    Written,
)

W = TypeVar("W", bound=Written)


class MarketSnapshot(Written):
    """A market without an account, as `--market` reads it."""

    as_of: Instant | None = None
    currency: Text | None = None
    stable_price: Positive | None = None
    market: dict[Text, Underlying] = Field({})
    quotes: dict[Text, Quote] = Field({})
    instruments: dict[Text, Instrument] = Field({})
    collateral: tuple[Collateral, ...] = ()


class Portfolio(Written):
    """One account with its market: the content of a portfolio file.

    `margincalc.load` reads one from a file, `Portfolio.model_validate` from a mapping of the same
    keys; what a key of theirs may say, the page of the file has. It never changes, so that one may
    be margined under many rules.

    Attributes
    ----------
    account, currency : its name, and the money of every amount
    as_of : when it is valued; None for what is given beside it
    stable_price : of the money that contracts settle in: 0.998 where USDC trades there
    market : of each underlying its spot, expiries, rates, volatility
    quotes : of each instrument its mark, volatility, bid and ask
    instruments : terms of names that are used in positions and quotes
    collateral, positions, orders : what it holds, and what it has offered to trade
    venues : the model that each venue of its positions margins by
    stated : equity and margins that a venue states, to be set beside those computed
    """

    account: Text = "account"
    currency: Text = "USD"
    as_of: Instant | None = None
    stable_price: Positive = 1.0
    market: dict[Text, Underlying] = Field({})
    quotes: dict[Text, Quote] = Field({})
    instruments: dict[Text, Instrument] = Field({})
    collateral: tuple[Collateral, ...] = ()
    positions: tuple[Position, ...] = ()
    orders: tuple[Order, ...] = ()
    venues: dict[Text, VenueRules] = Field({})
    stated: Stated | None = None

    _locate: Callable[[str], str] = PrivateAttr(default=str)
    _remarks: tuple[str, ...] = PrivateAttr(default=())

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was decided when it was converted, and by name what was left out."""
        return self._remarks

    def remarked(self, remarks: tuple[str, ...]) -> "Portfolio":
        """Return the portfolio with what there is to say of its conversion."""
        found = self.model_copy()
        found._remarks = remarks
        return found

    def place(self, path: str) -> str:
        """Return where `path` stands in the file it was read from."""
        return self._locate(path)

    def located(self, locate: Callable[[str], str]) -> "Portfolio":
        """Return the portfolio with a function that finds a path's line in its file."""
        found = self.model_copy()
        found._locate = locate
        return found

    def with_market(self, snapshot: MarketSnapshot) -> "Portfolio":
        """Return the portfolio in another market; what the snapshot leaves unsaid stays."""
        update: dict[str, Any] = {
            "market": _over(self.market, snapshot.market),
            "quotes": _over(self.quotes, snapshot.quotes),
            "instruments": _over(self.instruments, snapshot.instruments),
            "collateral": self.collateral + snapshot.collateral,
        }
        for name in ("as_of", "currency", "stable_price"):
            if getattr(snapshot, name) is not None:
                update[name] = getattr(snapshot, name)
        return self.model_copy(update=update)


def _over(old: Mapping[str, W], new: Mapping[str, W]) -> dict[str, W]:
    """Return the entries of both; of one that both have, the fields that `new` states hold."""
    both = {key: _restated(old[key], entry) for key, entry in new.items() if key in old}
    return {**old, **new, **both}


def _restated(old: W, new: W) -> W:
    update = {name: getattr(new, name) for name in new.model_fields_set}
    if isinstance(old, Underlying) and isinstance(new, Underlying):
        if new.expiries:
            timed = _timed(old.expiries, new.expiries), _timed(new.expiries, old.expiries)
            update["expiries"] = _over(*timed)
        if old.perpetual is not None and new.perpetual is not None:
            update["perpetual"] = _restated(old.perpetual, new.perpetual)
    return old.model_copy(update=update)


def _timed(own: dict[str, ExpiryMarket], other: dict[str, ExpiryMarket]) -> dict[str, ExpiryMarket]:
    """Return `own`, where it gives a day to which `other` gives one time, under that time."""
    keys = {}
    for key in own:
        alike = [known for known in other if known[:10] == key]
        keys[key] = alike[0] if len(alike) == 1 and alike[0] not in own else key
    return {keys[key]: entry for key, entry in own.items()}
