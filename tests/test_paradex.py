"""Paradex: portfolio margin against a slow twin, groups of options against every settlement."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from random import Random
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.verify import verify
from margincalc.errors import ModelRefusal
from margincalc.portfolio import Portfolio
from tests.rows import assert_copies_are_pools_moved

AS_OF = dt.datetime(2026, 10, 20, 8, tzinfo=dt.UTC)
DAYS = (3, 30, 31, 90)
SPOTS = {"BTC": 100_000.0, "SOL": 180.0}
MODELS = ("paradex-pm", "paradex-cross")
SETTINGS = ("fees.delta_one=0.0004", "fees.option=0.0003")
SOL_PERPETUAL = "underlyings.SOL.delta_one={initial=0.05, maintenance=0.025}"
N = NormalDist().cdf
every_model = pytest.mark.parametrize("model", MODELS)
every_seed = pytest.mark.parametrize("seed", range(12))


def instruments(random: Random) -> Iterator[dict[str, Any]]:
    for underlying, spot in SPOTS.items():
        yield {"kind": "perpetual", "underlying": underlying}
        for share in random.sample((0.8, 0.9, 1.0, 1.05, 1.2), random.randrange(1, 6)):
            yield {
                "kind": "option",
                "underlying": underlying,
                "type": random.choice(("call", "put")),
                "strike": round(spot * share, 2),
                "expiry": (AS_OF + dt.timedelta(days=random.choice(DAYS))).isoformat(),
            }


def written(seed: int, *, orders: bool = True) -> dict[str, Any]:
    """Write an account with positions and orders on two underlyings."""
    random = Random(seed)
    positions, asked = [], []
    for instrument in instruments(random):
        quantity = float(random.choice((-5, -2, -1, 1, 2, 5)))
        positions.append({"instrument": instrument, "quantity": quantity})
        if random.random() < 0.5:
            price = SPOTS[instrument["underlying"]] * random.choice((0.02, 0.9, 1.1))
            asked.append({"instrument": instrument, "quantity": -quantity, "price": price})
    return {
        "as_of": AS_OF.isoformat(),
        "market": {
            name: {
                "spot": spot,
                "volatility": 0.5 + 0.1 * (seed % 3),
                "perpetual": {"mark": spot * 1.001, "funding_rate": random.uniform(-0.01, 0.01)},
            }
            for name, spot in SPOTS.items()
        },
        "collateral": [{"asset": "USDC", "quantity": 200_000.0}],
        "positions": positions,
        "orders": asked if orders else [],
    }


def account(content: Mapping[str, Any], model: str, *changes: str) -> Account:
    settings = SETTINGS + ((SOL_PERPETUAL,) if model == "paradex-cross" else ()) + changes
    return margined(Portfolio.model_validate(content), Rules(model=model, settings=settings))


def rows(found: Account) -> dict[str, list[float]]:
    """Return every figure of every pool."""
    result = found.result
    parts = {"equity": result.equity, **result.details}
    parts |= {f"maintenance {name}": part for name, part in result.components.items()}
    parts |= {f"initial {name}": part for name, part in result.initial_components.items()}
    return {name: part.tolist() for name, part in parts.items()}


@every_model
def test_the_worked_examples_are_met(model: str) -> None:
    report = verify(model)
    assert report.lines
    assert [line for line in report.lines if not line.matches] == []


# A slow twin


class Twin:
    """One underlying of a portfolio margin, step by step, in plain numbers."""

    def __init__(self, content: Mapping[str, Any], underlying: str, tables: Mapping[str, Any]):
        own = tables["underlyings"].get(underlying, {})
        self.tables = {
            key: {**tables[key], **own.get(key, {})}
            for key in ("grid", "tails", "volatility", "minimum_delta")
        }
        self.tops = own.get("rows", tables["rows"])
        self.market = content["market"][underlying]
        self.spot = self.market["spot"]
        self.content, self.underlying = content, underlying

    def scenarios(self) -> Iterator[tuple[float, float, float]]:
        """Yield spot move, volatility move and weight."""
        for move in self.tables["grid"]["spot"]:
            for shock in self.tables["grid"]["volatility"]:
                yield move, shock, 1.0
        tails = self.tables["tails"]
        for move, weight in zip(tails["spot"], tails["weight"], strict=True):
            yield move, tails["volatility"], weight
        for row in self.tops:
            yield row["spot"], row["volatility"], 1.0

    def of_own(self, what: str) -> list[Mapping[str, Any]]:
        """Return what is written of the underlying."""
        found = self.content[what]
        return [item for item in found if item["instrument"]["underlying"] == self.underlying]

    def price(self, instrument: Mapping[str, Any], move: float, shock: float) -> float:
        """Price in a moved market."""
        if instrument["kind"] == "perpetual":
            return float(self.market["perpetual"]["mark"] * (1.0 + move))
        time, volatility = self.terms(instrument)
        rule, days = self.tables["volatility"], time * 365.0
        power = rule["short_power"] if days < 30.0 else rule["long_power"]
        moved = volatility * (1.0 + shock * (30.0 / max(days, rule["floor_days"])) ** power)
        moved = max(moved, rule["minimum_up"]) if shock > 0.0 else moved
        sign, strike = 1.0 if instrument["type"] == "call" else -1.0, instrument["strike"]
        forward, width = self.spot * (1.0 + move), max(moved, 0.0) * math.sqrt(time)
        first = math.log(forward / strike) / width + width / 2.0
        return float(sign * (forward * N(sign * first) - strike * N(sign * (first - width))))

    def terms(self, instrument: Mapping[str, Any]) -> tuple[float, float]:
        """Return years to expiry and volatility."""
        left = dt.datetime.fromisoformat(instrument["expiry"]) - AS_OF
        return left / dt.timedelta(days=365), float(self.market["volatility"])

    def delta(self, instrument: Mapping[str, Any]) -> float:
        """Return the delta of one unit."""
        if instrument["kind"] == "perpetual":
            return float(self.market["perpetual"]["mark"] / self.spot)
        time, volatility = self.terms(instrument)
        width = volatility * math.sqrt(time)
        first = math.log(self.spot / instrument["strike"]) / width + width / 2.0
        return N(first) if instrument["type"] == "call" else N(first) - 1.0

    def scan(self, *, orders: bool) -> float:
        """Return the largest weighted loss."""
        worst = 0.0
        for move, shock, weight in self.scenarios():
            total = 0.0
            for held in self.of_own("positions"):
                before = self.price(held["instrument"], 0.0, 0.0)
                total += held["quantity"] * (self.price(held["instrument"], move, shock) - before)
            for asked in self.of_own("orders") if orders else ():
                after, size = self.price(asked["instrument"], move, shock), asked["quantity"]
                total -= max(size * (asked["price"] - after), 0.0)
            worst = max(worst, -weight * total)
        return worst

    def minimum(self, *, orders: bool) -> float:
        """Return the least charge for delta."""
        held = [self.delta(one["instrument"]) * one["quantity"] for one in self.of_own("positions")]
        asked = [self.delta(one["instrument"]) * one["quantity"] for one in self.of_own("orders")]
        asked = asked if orders else []
        longs, shorts = sum(max(d, 0.0) for d in held), sum(max(-d, 0.0) for d in held)
        most_long = longs + sum(max(d, 0.0) for d in asked)
        most_short = shorts + sum(max(-d, 0.0) for d in asked)
        unhedged = max(most_long - shorts, most_short - longs, 0.0)
        hedged = max(max(most_long, most_short) - unhedged, 0.0)
        least = self.tables["minimum_delta"]
        return float((least["unhedged"] * unhedged + least["hedged"] * hedged) * self.spot)

    def net(self, *, orders: bool) -> float:
        """Return the requirement before provisions."""
        return max(self.scan(orders=orders), self.minimum(orders=orders))

    def funding(self) -> float:
        """Return what is provided for funding."""
        rate = self.market["perpetual"]["funding_rate"]
        size = sum(
            one["quantity"]
            for one in self.of_own("positions")
            if one["instrument"]["kind"] == "perpetual"
        )
        return max(float(rate * size * self.spot), 0.0)

    def fees(self, what: str) -> float:
        """Return what it costs to trade all of it."""
        total = 0.0
        for one in self.of_own(what):
            price = self.price(one["instrument"], 0.0, 0.0)
            fee = min(0.0003 * self.spot, 0.125 * price)
            fee = 0.0004 * price if one["instrument"]["kind"] == "perpetual" else fee
            total += abs(one["quantity"]) * fee
        return total


@every_seed
def test_portfolio_margin_is_that_of_the_twin(seed: int) -> None:
    content = written(seed)
    found = account(content, "paradex-pm")
    twins = [Twin(content, name, found.venue.parameters) for name in SPOTS]
    provisions = sum(twin.funding() + twin.fees("positions") for twin in twins)
    initial = sum(twin.net(orders=True) + twin.fees("orders") for twin in twins)
    maintenance = sum(0.5 * twin.net(orders=False) for twin in twins)
    assert found.result.initial[0] == pytest.approx(initial + provisions, rel=1e-11)
    assert found.result.maintenance[0] == pytest.approx(maintenance + provisions, rel=1e-11)


def test_a_hedged_book_meets_the_least_charge_for_delta() -> None:
    content = written(0, orders=False)
    perpetual = {"kind": "perpetual", "underlying": "BTC"}
    future = {"kind": "future", "underlying": "BTC", "expiry": "2026-12-25"}
    content["positions"] = [
        {"instrument": perpetual, "quantity": 1.0},
        {"instrument": future, "quantity": -1.0},
    ]
    report = account(content, "paradex-pm").result
    assert report.components["floor_top_up"][0] > 0.0


# Groups of options


def settled(positions: list[dict[str, Any]], price: float) -> float:
    """Return what options pay at a settlement price."""
    total = 0.0
    for one in positions:
        sign = 1.0 if one["instrument"]["type"] == "call" else -1.0
        total += one["quantity"] * max(sign * (price - one["instrument"]["strike"]), 0.0)
    return total


@every_seed
def test_a_group_needs_no_more_than_its_loss_at_settlement(seed: int) -> None:
    random, content = Random(seed), written(seed, orders=False)
    expiry = (AS_OF + dt.timedelta(days=30)).isoformat()
    content["positions"] = [
        {
            "instrument": {
                "kind": "option",
                "underlying": "BTC",
                "type": random.choice(("call", "put")),
                "strike": strike,
                "expiry": expiry,
            },
            "quantity": float(random.choice((-2, -1, 1, 2))),
        }
        for strike in random.sample(range(80_000, 120_000, 5_000), 4)
    ]
    found = account(content, "paradex-cross", "fees.option=0.0")
    positions, value = content["positions"], float(np.sum(found.values)) - 200_000.0
    grid = np.linspace(0.0, 120_000.0, 241)  # every strike is on it
    loss = max(value - min(settled(positions, price) for price in grid), 0.0)
    calls = sum(p["quantity"] for p in positions if p["instrument"]["type"] == "call")
    parts = found.result.initial_components
    alone = parts["short_options"][0] + parts["long_options"][0]
    group = loss + 1.2 * max(-calls, 0.0) * SPOTS["BTC"]
    short = any(p["quantity"] < 0.0 for p in positions)
    expected = min(alone, group) if short else alone
    assert found.result.initial[0] == pytest.approx(expected, rel=1e-11)


def test_only_long_options_are_not_grouped() -> None:
    content = written(0, orders=False)
    content["positions"] = [
        {**held, "quantity": 1.0}
        for held in content["positions"]
        if held["instrument"]["kind"] == "option"
    ]
    assert account(content, "paradex-cross").result.components["spread_relief"][0] == 0.0


# Laws


@every_model
@every_seed
def test_an_account_is_its_row_in_a_book(model: str, seed: int) -> None:
    together = written(seed)
    others = [written(seed + 100 + number) for number in range(3)]
    for number, other in enumerate([together, *others]):
        for part in ("positions", "orders", "collateral"):
            other[part] = [{**item, "venue": f"v{number}"} for item in other[part]]
    merged = {
        **together,
        **{
            part: [item for one in (others[0], together, *others[1:]) for item in one[part]]
            for part in ("positions", "orders", "collateral")
        },
    }
    whole, alone = account(merged, model), account(together, model)
    row = whole.book.names.pools.index("v0")
    assert {name: part[row] for name, part in rows(whole).items()} == {
        name: part[0] for name, part in rows(alone).items()
    }


@every_model
@every_seed
def test_a_copy_in_a_moved_market_is_the_book_moved(model: str, seed: int) -> None:
    found = account(written(seed), model)
    factor = np.array([[1.0, 1.0], [0.8, 1.0], [1.25, 0.5]])
    assert_copies_are_pools_moved(found, [0, 0, 0], factor)


@every_model
@every_seed
def test_orders_add_to_initial_margin_alone(model: str, seed: int) -> None:
    found, without = (account(written(seed, orders=orders), model) for orders in (True, False))
    more = found.result.initial[0] - without.result.initial[0]
    assert more == pytest.approx(found.result.initial_components["open_orders"][0])
    assert more >= 0.0
    assert found.result.maintenance[0] == without.result.maintenance[0]


@every_model
def test_coin_carries_nothing(model: str) -> None:
    content = written(1)
    coin = {"asset": "BTC", "quantity": 0.5}
    plain, more = (
        account({**content, "collateral": content["collateral"] + extra}, model).result
        for extra in ([], [coin])
    )
    gained = more.equity[0] - plain.equity[0]
    assert gained == pytest.approx(0.5 * SPOTS["BTC"])
    assert more.maintenance[0] - plain.maintenance[0] == pytest.approx(gained)


# Refusals


@every_model
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "BTC"}, "coin"),
        ({"positions": [{"instrument": "BTC-PERPETUAL", "quantity": 1.0}]}, "inverse"),
        ({"positions": [{"instrument": "DOGE-PERPETUAL", "quantity": 1.0}]}, "DOGE"),
    ],
)
def test_what_the_venue_does_not_list_is_refused(
    model: str, change: dict[str, Any], reason: str
) -> None:
    settlement = "inverse" if reason == "inverse" else "linear"
    market = {"BTC": {"spot": 1e5, "settlement": settlement}, "DOGE": {"spot": 0.1}}
    content = {"as_of": AS_OF.isoformat(), "market": market, "positions": [], **change}
    with pytest.raises(ModelRefusal, match=reason):
        mc.margin(Portfolio.model_validate(content), model=model)


def test_a_perpetual_whose_margin_is_not_published_needs_a_setting() -> None:
    content = written(2)
    with pytest.raises(ModelRefusal, match="delta_one"):
        mc.margin(Portfolio.model_validate(content), model="paradex-cross")
    assert account(content, "paradex-cross").result.initial[0] > 0.0


@pytest.mark.parametrize("model", ["paradex-pm", "paradex-cross"])
def test_haircuts_are_each_margin_s_own_and_a_debt_counts_once(model: str) -> None:
    deposits = [
        {"asset": "USDC", "quantity": 1_000.0, "haircut": {"maintenance": 0.1, "initial": 0.3}},
        {"asset": "BTC", "quantity": -1.0},
    ]
    content = {
        "as_of": "2026-11-20T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0}},
        "collateral": deposits,
        "positions": [{"instrument": "BTC-PERPETUAL", "quantity": 1.0}],
    }
    result = account(content, model).result
    assert result.components["balances"][0] == pytest.approx(100.0)
    assert result.initial_components["balances"][0] == pytest.approx(300.0)
