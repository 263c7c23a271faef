"""Random portfolios, for tests of what must hold of every one.

A portfolio is drawn as the mapping that a file would hold, from a `random.Random`; hypothesis
supplies one whose choices it can shrink (`st.randoms`), a test of a thousand accounts a seeded one.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from margincalc.answers import margining
from margincalc.answers.account import Account
from margincalc.assembly.pools import Mode
from margincalc.portfolio import Portfolio
from tests import oracle

AS_OF = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
SPOTS = {"BTC": 100_000.0, "ETH": 4_000.0, "SOL": 180.0, "XRP": 2.5}
CASH = ("USD", "USDC")
Written = dict[str, Any]
Settings = Sequence[str]


@dataclass(frozen=True)
class Style:
    """What a random portfolio may hold.

    Attributes
    ----------
    underlyings : how many at most
    kinds : of instruments
    settlements : of contracts
    coin : keep the account in a coin: yes, no, or either (None)
    marks : whether prices are quoted, so that marks differ from model values
    quoted : whether forwards and rates are quoted, so that they are not carried
    deposits : kinds of collateral: cash, coin, other
    pools : whether groups, venues and isolated margins are written
    positions : how many at most
    entries : how often a position has its entry price
    doubts : whether feeds lack confidence and the settlement money its peg
    days : to the expiries, of which some are listed
    """

    underlyings: int = 3
    kinds: tuple[str, ...] = ("option", "option", "option", "future", "perpetual", "spot")
    settlements: tuple[str, ...] = ("linear", "inverse")
    coin: bool | None = None
    marks: bool = True
    quoted: bool = True
    deposits: tuple[str, ...] = ("cash", "coin", "other")
    pools: bool = False
    positions: int = 6
    entries: float = 0.6
    doubts: bool = False
    days: tuple[int, ...] = (1, 2, 7, 14, 30, 31, 60, 120, 365)


ANY = Style()
WITH_POOLS = Style(pools=True)
CARRIED = Style(marks=False, quoted=False, entries=1.0)


def margined(
    book: Portfolio, mode: Mode | None = None, model: str | None = None, settings: Settings = ()
) -> Account:
    """Margin a portfolio, without liquidation prices."""
    return margining.margined(book, margining.Rules(mode, model, tuple(settings)))


def portfolios(style: Style = ANY) -> st.SearchStrategy[Portfolio]:
    """Portfolios of a style."""
    return st.randoms(use_true_random=False).map(lambda rng: portfolio(rng, style))


def portfolio(rng: Random, style: Style = ANY) -> Portfolio:
    """Draw a portfolio."""
    return Portfolio.model_validate(written(rng, style))


def plain(portfolio: Portfolio) -> Written:
    """Return a portfolio as the oracle reads it."""
    return portfolio.model_dump(by_alias=True)


def written(rng: Random, style: Style = ANY) -> Written:
    """Draw the mapping of a portfolio file."""
    coin = rng.random() < 0.25 if style.coin is None else style.coin
    count = 1 if coin else rng.randint(1, style.underlyings)
    names = sorted(rng.sample(sorted(SPOTS), count))
    days = sorted(rng.sample(style.days, rng.randint(1, 3)))
    book: Written = {
        "account": "random",
        "currency": names[0] if coin else "USD",
        "as_of": AS_OF.isoformat(),
        "market": {name: _underlying(rng, style, name, days) for name in names},
        "quotes": {},
    }
    instruments = _instruments(rng, style, names, days)
    book["positions"] = [_position(rng, book, style, name) for name in instruments]
    gross = sum(abs(_notional(book, position)) for position in book["positions"])
    book["collateral"] = _deposits(rng, style, book, gross)
    if style.marks:
        _quote(rng, book)
    if style.doubts:
        _doubt(rng, book)
    if style.pools:
        _isolate(rng, book)
    return book


def day_name(days: int) -> str:
    """Write an expiry so many days after the valuation, as contract names do."""
    day = AS_OF + dt.timedelta(days=days)
    return f"{day.day}{oracle.MONTHS[day.month - 1]}{day:%y}"


def day_key(days: int) -> str:
    """Write an expiry as a market does."""
    return (AS_OF + dt.timedelta(days=days)).date().isoformat()


def _underlying(rng: Random, style: Style, name: str, days: Sequence[int]) -> Written:
    spot = _digits(SPOTS[name] * rng.uniform(0.7, 1.4), 6)
    market: Written = {
        "spot": spot,
        "rate": round(rng.uniform(-0.02, 0.12), 4),
        "yield": round(rng.uniform(-0.01, 0.05), 4),
        "volatility": round(rng.uniform(0.25, 1.2), 3),
        "settlement": rng.choice(style.settlements),
    }
    if style.quoted:
        market["expiries"] = _expiries(rng, spot, days)
        if rng.random() < 0.5:
            market["perpetual"] = {"mark": _digits(spot * rng.uniform(0.99, 1.01), 7)}
        if rng.random() < 0.2:
            market["dividends"] = [{"date": day_key(5), "amount": _digits(spot * 0.01, 3)}]
    return market


def _expiries(rng: Random, spot: float, days: Sequence[int]) -> Written:
    """Draw what is quoted of some expiries."""
    expiries: Written = {}
    for count in days:
        said: Written = {}
        if rng.random() < 0.5:
            said["forward"] = _forward(rng, spot)
        if rng.random() < 0.4:
            said["rate"] = round(rng.uniform(0.0, 0.1), 4)
        if rng.random() < 0.15:
            said["svi"] = {"a": 0.01, "b": 0.05, "rho": -0.3, "m": 0.02, "sigma": 0.2}
        if said:
            expiries[day_key(count)] = said
    return expiries


def _forward(rng: Random, spot: float) -> float | Written:
    whole = _digits(spot * rng.uniform(0.97, 1.06), 7)
    if rng.random() < 0.7:
        return whole
    return {"fixed": _digits(spot * 0.01, 3), "variable": whole}


def _instruments(
    rng: Random, style: Style, names: Sequence[str], days: Sequence[int]
) -> list[str | Written]:
    found: list[str | Written] = []
    for _ in range(rng.randint(1, style.positions)):
        name, kind = rng.choice(names), rng.choice(style.kinds)
        found.append(_instrument(rng, name, kind, rng.choice(days)))
    if style.positions > 1 and rng.random() < 0.2:
        found.append(found[0])  # held twice, and netted
    return found


def _instrument(rng: Random, name: str, kind: str, days: int) -> str | Written:
    head = name
    if kind == "spot":
        return name
    if kind == "perpetual":
        return f"{head}-PERPETUAL"
    if kind == "future":
        return f"{head}-{day_name(days)}"
    deviation = 0.7 * math.sqrt(days / 365.0) * rng.uniform(-1.5, 1.5)
    strike = _digits(SPOTS[name] * math.exp(deviation), 3)
    side = rng.choice("CP")
    if rng.random() < 0.15:  # spelled out, with terms that no name has
        return {
            "underlying": name,
            "expiry": day_key(days),
            "strike": strike,
            "type": "call" if side == "C" else "put",
            "multiplier": 0.1,
        }
    text = repr(strike).removesuffix(".0").replace(".", "d")
    return f"{head}-{day_name(days)}-{text}-{side}"


def _position(rng: Random, book: Written, style: Style, instrument: str | Written) -> Written:
    contract = _contract(book, instrument)
    spot = book["market"][contract.underlying]["spot"]
    notional = rng.choice((-1.0, 1.0)) * rng.uniform(2e3, 4e5)
    in_quote = contract.inverse and contract.kind != "option"
    position: Written = {
        "instrument": instrument,
        "quantity": _digits(notional / (1.0 if in_quote else spot * contract.multiplier), 4),
    }
    if rng.random() < style.entries and contract.kind != "spot":
        price = spot if contract.kind != "option" else 0.03 * (1.0 if contract.inverse else spot)
        position["entry_price"] = _digits(price * rng.uniform(0.8, 1.2), 5)
    if rng.random() < 0.15 and contract.kind != "spot":
        paid = notional / (spot if contract.inverse else 1.0)
        position["unsettled"] = _digits(0.01 * paid, 4)
    if style.pools and rng.random() < 0.4:
        position["group"] = rng.choice(("hedge", "wing"))
    if style.pools and rng.random() < 0.3:
        position["venue"] = "deribit"
    return position


def _notional(book: Written, position: Written) -> float:
    """Return a position's size in account currency."""
    contract = _contract(book, position["instrument"])
    spot = book["market"][contract.underlying]["spot"]
    unit = 1.0 if contract.inverse and contract.kind != "option" else spot
    quote = position["quantity"] * contract.multiplier * unit
    return float(quote / spot if book["currency"] != "USD" else quote)


def _deposits(rng: Random, style: Style, book: Written, gross: float) -> list[Written]:
    found = []
    for _ in range(rng.randint(1, 3)):
        worth = gross * math.exp(rng.uniform(-3.0, 0.7))
        found.append(_deposit(rng, rng.choice(style.deposits), book, worth))
        if style.pools and rng.random() < 0.4:
            found[-1]["venue"] = "deribit"
    return found


def _deposit(rng: Random, kind: str, book: Written, worth: float) -> Written:
    coin = book["currency"] != "USD"
    own = book["market"][book["currency"]]["spot"] if coin else 1.0
    asset = rng.choice(CASH if kind == "cash" else sorted(book["market"]))
    price = 1.0 if kind == "cash" else book["market"][asset]["spot"]
    deposit: Written = {"asset": asset, "quantity": _digits(worth * own / price, 5)}
    if kind == "other":
        deposit = {"asset": "GOLD", "quantity": _digits(worth / 0.04, 5), "price": 0.04}
        if rng.random() < 0.5:
            deposit["moves_with"] = rng.choice(sorted(book["market"]))
            deposit["beta"] = round(rng.uniform(-0.5, 1.5), 2)
    if kind == "cash" and rng.random() < 0.15:
        deposit["quantity"] *= -0.2  # owed
    if rng.random() < 0.2:
        deposit["tiers"] = _tiers(rng, worth)
    elif rng.random() < 0.6:
        deposit["haircut"] = rng.choice((0.05, {"maintenance": 0.1, "initial": 0.2}))
    if rng.random() < 0.2:
        deposit["cap"] = _digits(worth * rng.uniform(0.3, 1.5), 3)
    return deposit


def _tiers(rng: Random, worth: float) -> list[Written]:
    """Draw haircuts by tier, about what a deposit is worth."""
    bounds = sorted({_digits(worth * rng.uniform(0.1, 1.5), 3) for _ in range(rng.randint(1, 3))})
    tiers: list[Written] = [{"up_to": bound} for bound in bounds]
    return [tier | {"haircut": _haircut(rng)} for tier in [*tiers, {}]]


def _haircut(rng: Random) -> float | Written:
    share = round(rng.uniform(0.0, 0.5), 2)
    return rng.choice((share, {"maintenance": share, "initial": round(share * 1.5, 3)}))


def _doubt(rng: Random, book: Written) -> None:
    """Let some feeds lack confidence, and the money that the account settles in its peg."""
    book["stable_price"] = rng.choice((1.0, 0.985, 0.97))
    doubtful = [*book["market"].values(), *book["collateral"]]
    for market in book["market"].values():
        doubtful += market.get("expiries", {}).values()
        doubtful += [market["perpetual"]] if "perpetual" in market else []
    for said in doubtful:
        if rng.random() < 0.3:
            said["confidence"] = rng.choice((0.2, 0.5, 0.55, 0.9))


def _quote(rng: Random, book: Written) -> None:
    """Quote marks and volatilities of some of what is held."""
    contracts = [_contract(book, position["instrument"]) for position in book["positions"]]
    first = {contract.name: number for number, contract in reversed(list(enumerate(contracts)))}
    for name, number in sorted(first.items(), key=lambda item: contracts[item[1]].kind):
        contract = contracts[number]
        quote = _quoted(rng, book, contract)
        if isinstance(book["positions"][number]["instrument"], str):
            book["quotes"][name] = quote
            continue
        keys = {"mark": "mark_price", "volatility": "volatility"}
        for held, own in zip(book["positions"], contracts, strict=True):
            if own.name == name:
                held.update({keys[key]: value for key, value in quote.items()})


def _quoted(rng: Random, book: Written, contract: oracle.Contract) -> Written:
    """Draw a quote; futures sort before options, whose forwards they may be."""
    if rng.random() < 0.3:
        return {}
    whole = plain(Portfolio.model_validate(book))
    forward = sum(oracle.forward_of(whole, contract))
    if contract.kind != "option":
        return {"mark": _digits(forward * rng.uniform(0.99, 1.02), 8)}
    volatility = round(rng.uniform(0.4, 1.1), 4)
    if rng.random() < 0.4:
        return {"volatility": volatility}
    years = oracle.years_to(whole, contract)
    price = oracle.black(forward, contract.strike, volatility, years, contract.call)
    rate = oracle.rate_of(whole, contract)
    if contract.inverse:
        rate = book["market"][contract.underlying]["yield"]
        price /= forward
    mark = price * math.exp(-rate * years)
    out = oracle.black(forward, contract.strike, volatility, years, contract.strike > forward)
    if rng.random() < 0.5 and out > 1e-4 * forward:  # otherwise the mark hardly knows a volatility
        return {"mark": mark}
    return {"mark": mark * rng.uniform(0.9, 1.1), "volatility": volatility}


def _isolate(rng: Random, book: Written) -> None:
    """State some isolated margins, within what each venue's deposits are worth."""
    whole = plain(Portfolio.model_validate(book))
    account = oracle.account_of(whole, "cross")
    for venue in (None, "deribit"):
        mine = account.of(venue or "random")
        worth = math.fsum(held.value(mine.market) for held in mine.kinds("collateral"))
        for position in book["positions"]:
            if position.get("venue") == venue and rng.random() < 0.3 and worth > 0.0:
                share = rng.uniform(0.05, 0.3) / len(book["positions"]) * 2.0
                position["isolated_margin"] = _digits(worth * share * 0.999, 4)


def _contract(book: Written, instrument: str | Written) -> oracle.Contract:
    """Return terms from a mapping that may leave defaults out."""
    defaults: Written = {"settlement": None, "multiplier": None}
    market = {name: defaults | own for name, own in book["market"].items()}
    return oracle.contract_of({"market": market}, instrument)


def _digits(value: float, count: int) -> float:
    """Round to significant digits."""
    return float(f"{value:.{count}g}")
