"""A slow twin of the calculator, one number at a time: plain Python and `math`, no arrays.

It is written from what the numbers mean, not from the code: an account is a list of holdings,
every holding knows its own value in a moved market, and a requirement is what the rules say of
that list. Nothing of margincalc is imported; parameters come from the model's TOML file.
"""

import datetime as dt
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

VENUES = Path(__file__).parent.parent / "margincalc" / "venues"
YEAR = 365 * 86400.0
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_NAME = re.compile(
    r"([A-Z0-9]+)(?:_([A-Z]+))?-(?:PERPETUAL|(\d+)([A-Z]{3})(\d\d)(?:-(\d+(?:d\d+)?)-([CP]))?)"
)
Written = Mapping[str, Any]


# Prices


def normal(x: float) -> float:
    """Return the probability that a standard normal variable is below x."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def black(forward: float, strike: float, volatility: float, years: float, call: bool) -> float:
    """Black (1976), undiscounted, by the out-of-the-money side and parity."""
    side = 1.0 if call else -1.0
    intrinsic = max(side * (forward - strike), 0.0)
    total = volatility * math.sqrt(years)
    if total <= 0.0 or forward <= 0.0:
        return intrinsic
    out = 1.0 if strike >= forward else -1.0  # a call is out of the money above the forward
    d1 = math.log(forward / strike) / total + 0.5 * total
    d2 = d1 - total
    return intrinsic + out * (forward * normal(out * d1) - strike * normal(out * d2))


def volatility_of(price: float, forward: float, strike: float, years: float, call: bool) -> float:
    """Find the volatility of an undiscounted price by halving."""
    low, high = 0.0, 20.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if black(forward, strike, middle, years, call) < price:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


# Terms


@dataclass(frozen=True)
class Contract:
    """What an instrument is."""

    name: str
    kind: str
    underlying: str
    expiry: dt.datetime | None = None
    strike: float = 0.0
    call: bool = False
    inverse: bool = False
    multiplier: float = 1.0


def contract_of(written: Written, instrument: str | Written) -> Contract:
    """Return the terms of an instrument, named or spelled out."""
    if isinstance(instrument, str):
        return _named(written, instrument)
    own = {key: value for key, value in instrument.items() if value is not None}
    market = written["market"][own["underlying"]]
    default = "option" if "strike" in own else "future"
    kind = own.get("kind", default)
    return Contract(
        repr(sorted(own.items(), key=str)),
        kind,
        own["underlying"],
        _moment(own["expiry"]) if "expiry" in own else None,
        own.get("strike", 0.0),
        own.get("type") == "call",
        own.get("settlement", market["settlement"]) == "inverse",
        own.get("multiplier", market["multiplier"] or 1.0),
    )


def _named(written: Written, name: str) -> Contract:
    if name in written["market"]:
        return Contract(name, "spot", name)
    match = _NAME.fullmatch(name)
    assert match is not None, name
    base, quote, day, month, year, strike, side = match.groups()
    own = f"{base}_{quote}" if f"{base}_{quote}" in written["market"] else base
    market = written["market"][own]
    inverse = quote is None and market["settlement"] == "inverse"
    multiplier = market["multiplier"] or 1.0
    if day is None:
        return Contract(name, "perpetual", own, None, 0.0, False, inverse, multiplier)
    expiry = dt.datetime(2000 + int(year), MONTHS.index(month) + 1, int(day), 8, tzinfo=dt.UTC)
    if strike is None:
        return Contract(name, "future", own, expiry, 0.0, False, inverse, multiplier)
    number = float(strike.replace("d", "."))
    return Contract(name, "option", own, expiry, number, side == "C", inverse, multiplier)


def _moment(key: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(key)
    return moment if moment.tzinfo else moment.replace(hour=8, tzinfo=dt.UTC)


def years_to(written: Written, contract: Contract) -> float:
    """Return the years of 365 days from the valuation to expiry."""
    if contract.expiry is None:
        return 0.0
    seconds: float = (contract.expiry - written["as_of"]).total_seconds()
    return seconds / YEAR


def mark_of(written: Written, contract: Contract, field_: str = "mark") -> float | None:
    """Return what quotes or positions say of a contract: its mark or its volatility."""
    for name, quote in written["quotes"].items():
        known = _NAME.fullmatch(name) or name in written["market"]
        if known and contract_of(written, name) == contract and quote[field_] is not None:
            return float(quote[field_])
    key = "mark_price" if field_ == "mark" else field_
    for position in written["positions"]:
        if contract_of(written, position["instrument"]) == contract and position[key] is not None:
            return float(position[key])
    return None


def forward_of(written: Written, contract: Contract) -> tuple[float, float]:
    """Return a contract's forward, fixed and variable part: quoted, a mark, or carried."""
    market, own = written["market"][contract.underlying], mark_of(written, contract)
    if contract.kind != "option" and own is not None:
        return 0.0, own
    if contract.expiry is None:
        perpetual = market["perpetual"] or {}
        quoted = perpetual.get("mark") if contract.kind == "perpetual" else None
        return 0.0, quoted or market["spot"]
    said = expiry_of(written, contract)
    if isinstance(said.get("forward"), dict):
        return said["forward"]["fixed"], said["forward"]["variable"]
    years = years_to(written, contract)
    carried = market["spot"]
    rate = rate_of(written, contract)
    for dividend in market["dividends"]:
        paid = (_midnight(dividend["date"]) - written["as_of"]).total_seconds() / YEAR
        if 0.0 < paid <= years:
            carried -= dividend["amount"] * math.exp(-rate * paid)
    carried = max(carried, 0.0) * math.exp((rate - market["yield"]) * years)
    return 0.0, said.get("forward") or _future_mark(written, contract) or carried


def _midnight(key: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(key)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _future_mark(written: Written, contract: Contract) -> float | None:
    """Return the mark of the future of an option's expiry, if the market quotes one."""
    named = [position["instrument"] for position in written["positions"]]
    for name in [*written["quotes"], *named]:
        if isinstance(name, str) and not _NAME.fullmatch(name):
            continue
        other = contract_of(written, name)
        same = (other.underlying, other.expiry) == (contract.underlying, contract.expiry)
        mark = mark_of(written, other) if other.kind == "future" and same else None
        if mark is not None:
            return mark
    return None


def expiry_of(written: Written, contract: Contract) -> Written:
    """Return what the market says of a contract's expiry."""
    for key, said in written["market"][contract.underlying]["expiries"].items():
        if _moment(key) == contract.expiry:
            return dict(said)
    return {}


def rate_of(written: Written, contract: Contract) -> float:
    """Return the interest rate of the quote currency to a contract's expiry."""
    said = expiry_of(written, contract).get("rate")
    return float(written["market"][contract.underlying]["rate"] if said is None else said)


# Holdings


@dataclass(frozen=True)
class Market:
    """Where the holdings are valued: each underlying's spot, and an option's own volatility."""

    spot: Mapping[str, float]
    move: Mapping[str, float] = field(default_factory=dict)  # relative, of the spot
    shock: Callable[[float, float], float] | None = None  # volatility, years -> volatility

    def now(self, underlying: str) -> float:
        """Return the moved spot."""
        return self.spot[underlying] * (1.0 + self.move.get(underlying, 0.0))


@dataclass(frozen=True)
class Holding:
    """A quantity of something in a pool; `kind` may also be collateral or owed (an unpaid sum)."""

    pool: str
    name: str
    kind: str
    quantity: float
    underlying: str | None = None
    coin: str | None = None  # the account's currency, where it is a coin
    multiplier: float = 1.0
    strike: float = 0.0
    call: bool = False
    inverse: bool = False
    years: float = 0.0
    rate: float = 0.0  # of the currency it is settled in
    volatility: float = 0.0
    beta: float = 1.0
    fixed: float = 0.0
    price: float = 1.0  # forward's variable part, or an asset's price, in quote currency
    entry: float = 0.0  # price from which a future's profit counts
    over_model: float = 0.0  # mark less model value of the whole holding
    # Haircuts by tier: the value to which each applies, then maintenance and initial.
    tiers: tuple[tuple[float, float, float], ...] = ((math.inf, 0.0, 0.0),)
    cap: float = math.inf  # largest value that counts
    confidence: float = 1.0  # the least of the feeds that price it

    def forward(self, market: Market) -> float:
        """Return the moved forward or price."""
        move = market.move.get(self.underlying or "", 0.0)
        return max(self.fixed + self.price * max(1.0 + self.beta * move, 0.0), 0.0)

    def value(self, market: Market) -> float:
        """Return the value of the whole holding in account currency, by model."""
        quote = self.quantity * self.multiplier * self._unit(market)
        return quote / market.now(self.coin) if self.coin else quote

    def _unit(self, market: Market) -> float:
        """Return the value of one unit in quote currency."""
        forward = self.forward(market)
        spot = market.now(self.underlying) if self.underlying else 1.0
        if self.kind == "option":
            volatility = self.volatility
            if market.shock is not None:
                volatility = market.shock(volatility, self.years)
            price = black(forward, self.strike, volatility, self.years, self.call)
            present = price * math.exp(-self.rate * self.years)
            return present / forward * spot if self.inverse else present
        if self.kind in ("future", "perpetual"):
            if self.inverse:
                return (1.0 / self.entry - 1.0 / forward) * spot
            return forward - self.entry
        if self.kind == "owed":
            return spot if self.inverse else 1.0
        return forward

    def counted(self, market: Market) -> float:
        """Return its part of equity: at the mark, where there is one."""
        return self.value(market) + self.over_model

    def moved(self, market: Market) -> "Holding":
        """Return the holding in a market that has moved and stays there."""
        move = market.move.get(self.underlying or "", 0.0)
        return replace(self, price=self.price * max(1.0 + self.beta * move, 0.0))


@dataclass(frozen=True)
class Account:
    """Holdings in a market."""

    spot: Mapping[str, float]
    holdings: tuple[Holding, ...]
    coin: str | None = None
    stable: float = 1.0  # price of the money it settles in

    @property
    def market(self) -> Market:
        """The market as it is."""
        return Market(self.spot)

    def pools(self) -> list[str]:
        """List the pools in the order in which the file mentions them."""
        return list(dict.fromkeys(holding.pool for holding in self.holdings))

    def of(self, pool: str) -> "Account":
        """Return one pool of the account."""
        mine = tuple(holding for holding in self.holdings if holding.pool == pool)
        return replace(self, holdings=mine)

    def kinds(self, *kinds: str) -> list[Holding]:
        """Return the holdings of some kinds."""
        return [holding for holding in self.holdings if holding.kind in kinds]

    def equity(self) -> float:
        """Return what everything is worth."""
        return math.fsum(holding.counted(self.market) for holding in self.holdings)

    def gross(self) -> float:
        """Return the size against which rounding is measured."""
        worth = [abs(holding.counted(self.market)) for holding in self.holdings]
        return math.fsum(worth + [abs(self.notional(holding)) for holding in self.holdings])

    def notional(self, holding: Holding) -> float:
        """Return the market value of what a contract is on, in account currency."""
        if holding.kind not in ("option", "future", "perpetual"):
            return 0.0
        coined = holding.inverse and holding.kind != "option"
        unit = 1.0 if coined else holding.forward(self.market)
        quote = holding.quantity * holding.multiplier * unit
        return quote / self.spot[self.coin] if self.coin else quote

    def unit_of(self, underlying: str) -> float:
        """Return the price of one unit of an underlying in account currency."""
        return 1.0 if self.coin else self.spot[underlying]

    def shifted(self, factors: Mapping[str, float]) -> "Account":
        """Return the account with spots multiplied, volatility unchanged at each strike."""
        move = {name: factor - 1.0 for name, factor in factors.items()}
        market = Market(self.spot, move)
        spot = {name: price * factors.get(name, 1.0) for name, price in self.spot.items()}
        moved = tuple(held.moved(market) for held in self.holdings)
        return replace(self, spot=spot, holdings=moved)


def account_of(written: Written, mode: str) -> Account:
    """Return the holdings of a written portfolio, its pools as the mode names them."""
    coin = written["currency"] if written["currency"] in written["market"] else None
    holdings: list[Holding] = []
    for position in written["positions"]:
        holdings += _position(written, position, mode, coin)
    for number, deposit in enumerate(written["collateral"]):
        holdings.append(_deposit(written, deposit, f"deposit {number}", mode, coin))
    spot = {name: market["spot"] for name, market in written["market"].items()}
    return Account(spot, tuple(holdings), coin, written["stable_price"])


def _pool(written: Written, item: Written, own: str, mode: str) -> str:
    venue: str | None = item["venue"]
    if mode != "isolated":
        return venue or str(written["account"])
    return f"{venue}: {own}" if venue else own


def _position(written: Written, position: Written, mode: str, coin: str | None) -> list[Holding]:
    contract = contract_of(written, position["instrument"])
    pool = _pool(written, position, position["group"] or contract.name, mode)
    fixed, price = forward_of(written, contract)
    market = written["market"][contract.underlying]
    held = Holding(
        pool,
        contract.name,
        contract.kind,
        position["quantity"],
        contract.underlying,
        coin,
        contract.multiplier,
        contract.strike,
        contract.call,
        contract.inverse,
        years_to(written, contract),
        market["yield"] if contract.inverse else rate_of(written, contract),
        fixed=fixed,
        price=price,
        entry=position["entry_price"] or fixed + price,
        confidence=_confidence(written, contract),
    )
    if contract.kind == "option":
        held = _with_mark(written, contract, held)
    found = [held]
    if position["unsettled"]:
        settled = contract.underlying if contract.inverse or coin else None
        found.append(
            Holding(
                pool,
                "owed",
                "owed",
                position["unsettled"],
                settled,
                coin,
                inverse=contract.inverse,
            )
        )
    return found


def _with_mark(written: Written, contract: Contract, held: Holding) -> Holding:
    spot = written["market"][contract.underlying]["spot"]
    here = Market({contract.underlying: spot})
    mark = mark_of(written, contract)
    volatility = mark_of(written, contract, "volatility")
    if volatility is None and mark is not None:
        forward = held.forward(here)
        price = mark * math.exp(held.rate * held.years) * (forward if held.inverse else 1.0)
        volatility = volatility_of(price, forward, held.strike, held.years, held.call)
    if volatility is None:
        volatility = _default_volatility(written, contract, held.forward(here), held.years)
    held = replace(held, volatility=volatility)
    if mark is None:
        return held
    worth = held.quantity * held.multiplier * mark * (spot if held.inverse else 1.0)
    return replace(held, over_model=(worth / spot if held.coin else worth) - held.value(here))


def _default_volatility(
    written: Written, contract: Contract, forward: float, years: float
) -> float:
    svi = expiry_of(written, contract).get("svi")
    if svi is None:
        return float(written["market"][contract.underlying]["volatility"])
    reach = 4.0 * math.sqrt(svi["a"] + svi["b"] * svi["sigma"])
    away = math.log(contract.strike / (svi["forward"] or forward))
    away = min(max(away, -reach), reach) - svi["m"]
    bend = math.sqrt(away**2 + svi["sigma"] ** 2)
    variance = svi["a"] + svi["b"] * (svi["rho"] * away + bend)
    return math.sqrt(variance / (svi["time"] or years))


def _confidence(written: Written, contract: Contract) -> float:
    """Return the confidence of the feed of a contract's own, or of its spot if that is less."""
    market = written["market"][contract.underlying]
    said = expiry_of(written, contract) if contract.expiry is not None else {}
    if contract.kind == "perpetual":
        said = market["perpetual"] or {}
    known = [said.get("confidence"), market["confidence"]]
    return min([1.0, *(float(own) for own in known if own is not None)])


def _deposit(written: Written, deposit: Written, name: str, mode: str, coin: str | None) -> Holding:
    asset, market = deposit["asset"], written["market"]
    follows = deposit["moves_with"] or asset
    underlying = follows if follows in market else None
    price = deposit["price"]
    if price is None:
        price = market[asset]["spot"] if asset in market else 1.0
        if asset in market and not coin:
            price /= written["stable_price"]
    elif coin:
        price *= market[coin]["spot"]  # written in the account's coin
    tiers = [
        (tier.get("up_to") or math.inf, *_both(tier["haircut"]))
        for tier in deposit["tiers"] or [{"haircut": deposit["haircut"]}]
    ]
    doubtful = (
        [deposit["confidence"], market[underlying or coin]["confidence"]]
        if (underlying or coin)
        else [deposit["confidence"]]
    )
    return Holding(
        _pool(written, deposit, "unallocated", mode),
        name,
        "collateral",
        deposit["quantity"],
        underlying or coin,  # in a coin account money itself moves against the coin
        coin,
        beta=deposit["beta"] if underlying else 0.0,
        price=price,
        tiers=tuple(tiers),
        cap=math.inf if deposit["cap"] is None else deposit["cap"],
        confidence=min([1.0, *(own for own in doubtful if own is not None)]),
    )


def _both(haircut: float | Written) -> tuple[float, float]:
    if isinstance(haircut, float | int):
        return float(haircut), float(haircut)
    return float(haircut["maintenance"]), float(haircut["initial"])


# Requirements


@dataclass(frozen=True)
class Requirement:
    """A pool's margin, its parts by name, and each underlying's worst scenario."""

    maintenance: dict[str, float]
    initial: dict[str, float]
    worst: dict[str, tuple[int, float]] = field(default_factory=dict)

    def total(self, which: str = "maintenance") -> float:
        """Return the sum of the parts."""
        parts: dict[str, float] = getattr(self, which)
        return math.fsum(parts.values())


Rules = Callable[[Account], Requirement]


def parameters(name: str) -> dict[str, Any]:
    """Read the parameters of a model from its latest file."""
    path = sorted(VENUES.glob(f"{name}.*.toml"))[-1]
    tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))["parameters"]
    return tables


def netted(holdings: Iterable[Holding]) -> list[Holding]:
    """Return one holding per contract."""
    sums: dict[str, Holding] = {}
    for held in holdings:
        known = sums.get(held.name)
        quantity = held.quantity + (known.quantity if known else 0.0)
        sums[held.name] = replace(held, quantity=quantity)
    return list(sums.values())


def scenarios(tables: Written) -> list[tuple[float, float, float]]:
    """List the scenarios: spot move, volatility move, weight."""
    grid, tails = tables["grid"], tables["tails"]
    rows = [(spot, move, 1.0) for spot in grid["spot"] for move in grid["volatility"]]
    for spot in tails["spot"]:
        weight = min(tails["cover"] / abs(spot), 1.0)
        rows.append((spot, tails["volatility"], weight))
    return rows


def shocked(tables: Written, move: float) -> Callable[[float, float], float]:
    """Return what a stated volatility move does to a volatility at some years to expiry."""
    rule = tables["volatility"]

    def shock(volatility: float, years: float) -> float:
        days = years * 365.0
        power = rule["short_power"] if days <= 30.0 else rule["long_power"]
        scaled = move * (30.0 / max(days, rule["floor_days"])) ** power
        moved = volatility * (1 + scaled) if rule["rule"] == "relative" else volatility + scaled
        least = rule["minimum_up"] if move > 0.0 else 0.0
        return float(max(moved, least, 0.0))

    return shock


def haircuts(account: Account, initial: bool) -> float:
    """Return what deposits count for less than their market value."""
    lost = []
    for held in account.kinds("collateral"):
        worth, below = held.value(account.market), 0.0
        if worth <= 0.0:
            continue
        counted = min(worth, held.cap)
        lost.append(worth - counted)
        for up_to, *shares in held.tiers:
            lost.append(max(min(counted, up_to) - below, 0.0) * shares[initial])
            below = up_to
    return math.fsum(lost)


def borrowed(account: Account) -> float:
    """Return what is owed, each debt by itself."""
    worth = [held.value(account.market) for held in account.kinds("collateral")]
    return math.fsum(max(-amount, 0.0) for amount in worth)


def doubted(tables: Written, account: Account) -> float:
    """Return the charge on what doubtful feeds price."""
    charged = []
    for held in netted(account.kinds("option", "future", "perpetual", "spot", "collateral")):
        if held.confidence >= tables["threshold"] or held.underlying is None:
            continue
        notional = account.notional(held)
        if held.kind == "option":
            notional = held.quantity * held.multiplier * account.unit_of(held.underlying)
        elif held.kind in ("spot", "collateral"):
            # In coin it is money that moves.
            still = held.beta == (1.0 if account.coin else 0.0)
            notional = 0.0 if still else held.value(account.market)
        charged.append((1.0 - held.confidence) * tables["charge"] * abs(notional))
    return math.fsum(charged)


def scan(tables: Written) -> Rules:
    """Return the rules of a scenario grid."""
    rows = scenarios(tables)
    charges, factors, peg = tables["charges"], tables["factors"], tables["peg"]

    def rules(account: Account) -> Requirement:
        worst: dict[str, tuple[int, float]] = {}
        alone: list[float] = []
        for underlying in sorted({held.underlying for held in account.holdings if held.underlying}):
            mine = [
                (held, held.value(account.market))
                for held in account.holdings
                if held.underlying == underlying
            ]
            pnl = [scenario_pnl(account, mine, underlying, tables, row) for row in rows]
            least = min(range(len(rows)), key=pnl.__getitem__)
            worst[underlying] = (least, pnl[least])
            own = [(held, now) for held, now in mine if held.kind != "collateral"]
            without = [scenario_pnl(account, own, underlying, tables, row) for row in rows]
            alone.append(max(-min(without), 0.0))
        together = math.fsum(max(-pnl, 0.0) for _, pnl in worst.values())
        parts = {
            "scenario_loss": math.fsum(alone),
            "wrong_way": together - math.fsum(alone),
            "short_options": charges["short_options"] * _net_short(account),
            "delta_one": charges["delta_one"] * _gross_notional(account),
        }
        sides = []
        for initial, which in enumerate(("maintenance", "initial")):
            side = {name: factors[which] * amount for name, amount in parts.items()}
            if initial:
                growth = max(peg["threshold"] - account.stable, 0.0) * peg["factor"]
                side["peg"] = growth * math.fsum(parts.values())
            side["collateral_haircut"] = haircuts(account, bool(initial))
            side["borrow"] = tables["borrow"][which] * borrowed(account)
            sides.append(side)
        sides[1]["oracle_confidence"] = doubted(tables["confidence"], account)
        return Requirement(sides[0], sides[1], worst)

    return rules


def scenario_pnl(
    account: Account,
    holdings: Sequence[tuple[Holding, float]],
    underlying: str,
    tables: Written,
    row: tuple[float, float, float],
) -> float:
    """Return the weighted profit of holdings, each with its present value, in one scenario."""
    spot, volatility, weight = row
    there = Market(account.spot, {underlying: spot}, shocked(tables, volatility))
    return weight * math.fsum(held.value(there) - now for held, now in holdings)


def _net_short(account: Account) -> float:
    """Value the units net short at each strike and expiry, calls and puts together."""
    units: dict[tuple[str | None, float, float], float] = {}
    for held in account.kinds("option"):
        key = (held.underlying, held.years, held.strike)
        units[key] = units.get(key, 0.0) + held.quantity * held.multiplier
    return math.fsum(
        max(-held, 0.0) * account.unit_of(name or "") for (name, _, _), held in units.items()
    )


def _gross_notional(account: Account) -> float:
    every = netted(account.kinds("future", "perpetual"))
    return math.fsum(abs(account.notional(held)) for held in every)


def standard(tables: Written) -> Rules:
    """Return the rules of each position by itself."""

    def rules(account: Account) -> Requirement:
        maintenance = _standard_side(tables, account, "maintenance")
        return Requirement(maintenance, _standard_side(tables, account, "initial"))

    return rules


def _standard_side(tables: Written, account: Account, which: str) -> dict[str, float]:
    futures, spots = [], []
    for held in netted(account.kinds("future", "perpetual")):
        futures.append(_share(tables["delta_one"], account, held, account.notional(held), which))
    for held in netted(account.kinds("spot")):
        spots.append(_share(tables["spot"], account, held, held.value(account.market), which))
    shorts = [held for held in netted(account.kinds("option")) if held.quantity < 0.0]
    options = [_short_option(tables["short_option"], account, held, which) for held in shorts]
    return {
        "short_options": math.fsum(options),
        "delta_one": math.fsum(futures),
        "spot": math.fsum(spots),
        "collateral_haircut": haircuts(account, which == "initial"),
        "borrow": tables["borrow"][which] * borrowed(account),
    }


def _share(rates: Written, account: Account, held: Holding, notional: float, which: str) -> float:
    units = abs(notional) / account.unit_of(held.underlying or "")
    return float((rates[which] + rates.get("slope", 0.0) * units) * abs(notional))


def _short_option(rates: Written, account: Account, held: Holding, which: str) -> float:
    spot = account.spot[held.underlying or ""]
    if which == "initial":
        beyond = max(held.strike - spot if held.call else spot - held.strike, 0.0)
        unit = max(rates["initial"] * spot - beyond, rates["initial_minimum"] * spot)
    else:
        unit = rates["maintenance"] * spot
    if not held.call:
        unit = min(unit, held.strike)
    quote = -held.quantity * held.multiplier * unit
    return quote / account.spot[account.coin] if account.coin else float(quote)


FAMILIES: dict[str, Callable[[Written], Rules]] = {
    "generic-portfolio": scan,
    "generic-standard": standard,
}


def rules_of(model: str) -> Rules:
    """Return the rules of one of the two generic models."""
    return FAMILIES[model](parameters(model))


# Isolated pools


def funded(written: Written, account: Account, rules: Rules) -> Account:
    """Divide the deposits of each venue among its isolated pools, in file order."""
    for venue in dict.fromkeys(item["venue"] for item in written["collateral"]):
        account = _funded_at(written, account, rules, venue)
    return account


def _funded_at(written: Written, account: Account, rules: Rules, venue: str | None) -> Account:
    rest = f"{venue}: unallocated" if venue else "unallocated"
    deposits = account.of(rest).kinds("collateral")
    others = tuple(held for held in account.holdings if held not in deposits)
    worth = max(math.fsum(held.value(account.market) for held in deposits), 0.0)
    stated = _stated(written, venue)
    left = worth - sum(stated.values())
    given: dict[str, float] = {}
    for pool in [name for name in account.pools() if _venue_of(written, name) == venue]:
        if pool == rest:
            continue
        need = stated.get(pool)
        if need is None:
            need = min(_need(account.of(pool), rules), left)
            left -= need
        given[pool] = need
    shares = {pool: amount / worth for pool, amount in given.items() if worth > 0.0}
    shares[rest] = left / worth if worth > 0.0 else 1.0
    parts = [
        _part(held, pool, share) for pool, share in shares.items() for held in deposits if share
    ]
    return replace(account, holdings=others + tuple(parts))


def _part(held: Holding, pool: str, share: float) -> Holding:
    """Return a share of a deposit, with its share of every bound."""
    tiers = tuple((up_to * share, low, high) for up_to, low, high in held.tiers)
    return replace(
        held, pool=pool, quantity=held.quantity * share, cap=held.cap * share, tiers=tiers
    )


def _venue_of(written: Written, pool: str) -> str | None:
    for item in (*written["positions"], *written["collateral"]):
        if item["venue"] and pool.startswith(f"{item['venue']}: "):
            return str(item["venue"])
    return None


def _stated(written: Written, venue: str | None) -> dict[str, float]:
    stated: dict[str, float] = {}
    for position in written["positions"]:
        if position["venue"] == venue and position["isolated_margin"] is not None:
            name = contract_of(written, position["instrument"]).name
            pool = _pool(written, position, position["group"] or name, "isolated")
            stated[pool] = stated.get(pool, 0.0) + position["isolated_margin"]
    return stated


def _need(pool: Account, rules: Rules) -> float:
    """Return a pool's initial margin, and what it costs to buy its options back."""
    options = math.fsum(held.counted(pool.market) for held in pool.kinds("option", "spot"))
    return rules(pool).total("initial") + max(-options, 0.0)


# Liquidation


def excess(account: Account, rules: Rules, factors: Mapping[str, float]) -> float:
    """Return equity less maintenance margin with spots multiplied."""
    moved = account.shifted(factors)
    return moved.equity() - rules(moved).total()


def crossing(
    account: Account, rules: Rules, underlying: str, nodes: Sequence[float]
) -> float | None:
    """Return the first multiple of spot along `nodes` at which the excess changes sign."""

    def at(factor: float) -> float:
        return excess(account, rules, {underlying: factor})

    near, here = nodes[0], at(nodes[0])
    for far in nodes[1:]:
        there = at(far)
        if (there >= 0.0) != (here >= 0.0):
            return _bisected(at, near, far)
        near, here = far, there
    return None


def _bisected(function: Callable[[float], float], low: float, high: float) -> float:
    start = function(low) >= 0.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (function(middle) >= 0.0) == start:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
