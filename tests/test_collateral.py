"""Collateral in full: haircuts by tier, wrong-way risk, debts, the peg and doubtful feeds."""

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import margincalc as mc
from benchmarks import accounts
from benchmarks.accounts import EXPRESSED, chain
from margincalc.answers.account import Account
from margincalc.answers.results import MarginReport
from margincalc.portfolio import Portfolio
from tests.books import AS_OF, Settings, Style, margined, plain, portfolio, portfolios

Written = dict[str, Any]
SPOT = 100_000.0
MODELS = ("generic-portfolio", "generic-standard")
DOUBTFUL = Style(pools=True, doubts=True)
# Re-assembled elsewhere, an inverse contract would have lost the coin that it has made on the way.
CARRIED_LINEAR = Style(
    settlements=("linear",), coin=False, marks=False, quoted=False, entries=0.0, doubts=True
)
TIERS = [
    {"up_to": 100_000, "haircut": 0.05},
    {"up_to": 500_000, "haircut": {"maintenance": 0.1, "initial": 0.2}},
    {"haircut": 0.3},
]
every_model = pytest.mark.parametrize("model", MODELS)
of_portfolio = "generic-portfolio"


def book(collateral: list[Written], positions: list[Written] | None = None, **more: Any) -> Written:
    """Return an account with deposits, on a market of BTC and ETH."""
    market = {
        "BTC": {"spot": SPOT, "volatility": 0.6, "confidence": more.pop("confidence", None)},
        "ETH": {"spot": 4_000.0, "volatility": 0.7},
    }
    written = {"as_of": AS_OF.isoformat(), "market": market, "positions": positions or []}
    return written | {"collateral": collateral} | more


def account(written: Written, model: str = of_portfolio, mode: Any = None) -> Account:
    settings = EXPRESSED[model].settings if model in COIN_INSIDE else ()
    return margined(Portfolio.model_validate(written), mode, model, settings)


def report(written: Written, model: str = of_portfolio, settings: Settings = ()) -> MarginReport:
    return mc.margin(Portfolio.model_validate(written), model=model, settings=settings)


def part(found: Account, name: str) -> tuple[float, float]:
    """Return a component's maintenance and initial amount over all pools."""
    sides = (found.result.components, found.result.initial_components)
    maintenance, initial = (math.fsum(side[name]) if name in side else 0.0 for side in sides)
    return maintenance, initial


def piecewise(worth: float, tiers: list[Written], which: str) -> float:
    """What tiers take of a value, as one would by hand."""
    lost, below = 0.0, 0.0
    for tier in tiers:
        haircut, top = tier["haircut"], tier.get("up_to", math.inf)
        share = haircut[which] if isinstance(haircut, dict) else haircut
        lost += share * max(min(worth, top) - below, 0.0)
        below = top
    return lost


# Tiers


@every_model
@pytest.mark.parametrize(
    ("quantity", "maintenance", "initial"),
    [
        (0.5, 2_500.0, 2_500.0),  # 5 % of 50,000
        (1.0, 5_000.0, 5_000.0),  # up to the bound
        (3.0, 25_000.0, 45_000.0),  # and 10 %, or 20 %, of the 200,000 beyond it
        (7.0, 105_000.0, 145_000.0),  # 5,000 + 40,000 (80,000) + 30 % of 200,000
    ],
)
def test_each_tier_takes_its_share_of_the_value_inside_it(
    quantity: float, maintenance: float, initial: float, model: str
) -> None:
    found = account(book([{"asset": "BTC", "quantity": quantity, "tiers": TIERS}]), model)
    assert part(found, "collateral_haircut") == pytest.approx((maintenance, initial), rel=1e-13)
    assert found.result.equity[0] == pytest.approx(quantity * SPOT, rel=1e-14)


@given(
    worth=st.floats(1.0, 1e7),
    bounds=st.lists(st.floats(1.0, 1e7), max_size=5, unique=True).map(sorted),
    shares=st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6),
    cap=st.floats(1.0, 1e7),
)
def test_tiers_are_piecewise_and_what_is_above_the_cap_is_lost(
    worth: float, bounds: list[float], shares: list[float], cap: float
) -> None:
    bounded = [{"up_to": bound, "haircut": s} for bound, s in zip(bounds, shares, strict=False)]
    tiers = [*bounded, {"haircut": shares[5]}]
    found = account(book([{"asset": "USD", "quantity": worth, "tiers": tiers, "cap": cap}]))
    counted = min(worth, cap)
    expected = worth - counted + piecewise(counted, tiers, "maintenance")
    assert part(found, "collateral_haircut")[0] == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_one_open_tier_is_a_haircut() -> None:
    plainly = {"asset": "BTC", "quantity": 2.0, "haircut": 0.1}
    tiered = {"asset": "BTC", "quantity": 2.0, "tiers": [{"haircut": 0.1}]}
    assert report(book([tiered])).to_dict() == report(book([plainly])).to_dict()


@every_model
def test_bounds_are_in_coin_where_the_account_is(model: str) -> None:
    tiers = [{"up_to": 1.0, "haircut": 0.1}, {"haircut": 0.2}]
    found = account(
        book([{"asset": "BTC", "quantity": 4.0, "tiers": tiers}], currency="BTC"), model
    )
    assert part(found, "collateral_haircut")[0] == pytest.approx(0.1 + 0.6, rel=1e-13)


@every_model
def test_pools_share_a_deposit_with_its_tiers_and_cap(model: str) -> None:
    positions = [
        {"instrument": "BTC-PERPETUAL", "quantity": 1.0, "isolated_margin": 60_000.0},
        {"instrument": "ETH-PERPETUAL", "quantity": -2.0},
    ]
    deposits = [
        {"asset": "BTC", "quantity": 6.0, "tiers": TIERS, "cap": 550_000.0},
        {"asset": "USD", "quantity": -50_000.0},
    ]
    written = book(deposits, positions)
    whole, divided = account(written, model, "cross"), account(written, model, "isolated")
    assert divided.book.pools == 3
    for name in ("collateral_haircut", "borrow"):
        expected = part(whole, name)
        assert min(expected) > 0.0
        assert part(divided, name) == pytest.approx(expected, rel=1e-12)
    haircut = divided.result.components["collateral_haircut"]
    values = np.bincount(
        divided.book.pool,
        divided.book.quantity * divided.book.instruments.forward[divided.book.instrument],
        minlength=3,
    )
    own = divided.book.names.pools.index("BTC-PERPETUAL")
    assert haircut[own] / haircut.sum() == pytest.approx(60_000.0 / 550_000.0, rel=1e-12)
    assert values.sum() == pytest.approx(550_000.0 + SPOT - 8_000.0, rel=1e-12)


@every_model
@given(book=portfolios(CARRIED_LINEAR))
def test_a_ladder_is_what_assembling_at_its_spots_is(book: Portfolio, model: str) -> None:
    file = plain(book)
    factor = 0.8
    found = margined(book, "cross", model)
    moved = np.full((1, len(found.book.spot)), factor)
    ladder = found.model.margin(found.book.copies(np.zeros(1, np.int64), moved))
    for market in file["market"].values():
        market["spot"] *= factor
    for deposit in file["collateral"]:
        if deposit["moves_with"] not in (None, "none"):
            deposit["price"] *= 1.0 + deposit["beta"] * (factor - 1.0)
    again = margined(Portfolio.model_validate(file), "cross", model)
    for one, other in (
        (ladder.components, again.result.components),
        (ladder.initial_components, again.result.initial_components),
    ):
        for name, amount in one.items():
            scale = 1e-9 * max(1.0, math.fsum(abs(float(part[0])) for part in one.values()))
            assert float(amount[0]) == pytest.approx(float(other[name][0]), rel=0.0, abs=scale)


@every_model
@given(book=portfolios(DOUBTFUL), number=st.integers(0, 2))
def test_halves_of_a_deposit_are_the_whole(book: Portfolio, number: int, model: str) -> None:
    file = plain(book)
    number %= len(file["collateral"])
    deposit = file["collateral"][number]
    deposit |= {"tiers": (), "cap": None}  # of which each half would have its own
    whole = margined(Portfolio.model_validate(file), "cross", model)
    half = deposit | {"quantity": deposit["quantity"] / 2.0}
    file["collateral"] = [*file["collateral"], half]
    file["collateral"][number] = half
    halves = margined(Portfolio.model_validate(file), "cross", model)
    scale = 1e-11 * max(1.0, float(np.max(np.abs(whole.result.equity))) * 100.0)
    for one, other in (
        (whole.result.components, halves.result.components),
        (whole.result.initial_components, halves.result.initial_components),
    ):
        assert one.keys() == other.keys()
        for name, amount in one.items():
            assert other[name] == pytest.approx(amount, rel=1e-9, abs=scale)


def test_halves_of_a_deposit_have_each_their_own_tiers() -> None:
    whole = account(book([{"asset": "BTC", "quantity": 2.0, "tiers": TIERS}]))
    halves = account(book([{"asset": "BTC", "quantity": 1.0, "tiers": TIERS}] * 2))
    assert part(whole, "collateral_haircut")[0] == pytest.approx(15_000.0)
    assert part(halves, "collateral_haircut")[0] == pytest.approx(10_000.0)


# Wrong-way risk


def test_coin_beside_a_long_is_wrong_way_and_beside_a_short_it_offsets() -> None:
    coin = [{"asset": "BTC", "quantity": 1.0}]
    for quantity, alone, beyond in ((2.0, 30_000.0, 15_000.0), (-2.0, 30_000.0, -15_000.0)):
        written = book(coin, [{"instrument": "BTC-PERPETUAL", "quantity": quantity}])
        found = account(written)
        assert part(found, "scenario_loss") == pytest.approx((alone, 1.25 * alone), rel=1e-12)
        assert part(found, "wrong_way") == pytest.approx((beyond, 1.25 * beyond), rel=1e-12)
        worst = found.result.worst
        assert worst is not None
        assert worst.pnl[0] == pytest.approx(-alone - beyond, rel=1e-12)


def test_coin_on_its_own_is_wholly_wrong_way() -> None:
    found = account(book([{"asset": "BTC", "quantity": 1.0}]))
    assert part(found, "scenario_loss") == (0.0, 0.0)
    assert part(found, "wrong_way")[0] == pytest.approx(15_000.0, rel=1e-12)


def test_an_offset_is_at_most_the_loss_of_the_positions() -> None:
    written = book(
        [{"asset": "BTC", "quantity": 5.0}],
        [{"instrument": "BTC-25DEC26-130000-C", "quantity": -1.0}],
    )
    loss, beyond = (part(account(written), name)[0] for name in ("scenario_loss", "wrong_way"))
    assert loss > 0.0
    assert loss + beyond >= 0.0


COIN_INSIDE = ("deribit-pm", "okx-pm", "derive-pm1", "derive-pm2")
LOSSES = ("scenario_loss", "basis_contingency")


def lost(found: Account, which: int) -> float:
    """What the positions of a book lose in the worst case, by every name that it has."""
    names = [name for name in LOSSES if name in found.result.components]
    return math.fsum(part(found, name)[which] for name in names)


def perpetual_and_call(quantity: float) -> list[Written]:
    """Return positions that gain where the spot rises, for a quantity above 0."""
    call = {"instrument": "BTC-25DEC26-110000-C", "quantity": quantity, "volatility": 0.6}
    return [{"instrument": "BTC-PERPETUAL", "quantity": 2.0 * quantity}, call]


@pytest.mark.parametrize("model", COIN_INSIDE)
@pytest.mark.parametrize("quantity", [1.0, -1.0])
def test_a_venue_that_puts_coin_inside_its_scenarios_shows_what_coin_adds(
    model: str, quantity: float
) -> None:
    positions = perpetual_and_call(quantity)
    with_coin = account(book([{"asset": "BTC", "quantity": 1.5}], positions), model)
    without = account(book([{"asset": "USDC", "quantity": 1e6}], positions), model)
    for which, margin in enumerate(("maintenance", "initial")):
        assert lost(with_coin, which) == pytest.approx(lost(without, which), rel=1e-12)
        assert part(without, "wrong_way")[which] == 0.0
        beyond = part(with_coin, "wrong_way")[which]
        # Coin is in use at OKX only so far as it offsets what contracts owe of it.
        used = quantity < 0.0 or model != "okx-pm"
        assert (beyond * quantity > 100.0) if used else (beyond == 0.0), margin


@pytest.mark.parametrize("model", COIN_INSIDE)
@pytest.mark.parametrize("coin", [0.0, 0.7, 3.0, 40.0])
def test_positions_and_deposits_together_lose_the_worst_case(model: str, coin: float) -> None:
    deposits = [{"asset": "BTC", "quantity": coin}, {"asset": "USDC", "quantity": 1e6}]
    found = account(book(deposits, perpetual_and_call(-1.0)), model)
    worst, parameters = found.result.worst, found.venue.parameters
    assert worst is not None
    together = lost(found, 0) + part(found, "wrong_way")[0]
    factor = parameters.get("mm_factor", parameters.get("margin", {}).get("mm_factor", 1.0))
    assert together == pytest.approx(factor * max(-float(worst.pnl[0]), 0.0), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(
    ("deposits", "positions", "lacking"),
    [
        (["one"], ["one"], []),
        (["two"], ["two"], ["generic-standard at two"]),
        (["one", "two"], ["one", "two"], ["generic-standard at two"]),
        (["two"], ["one"], []),  # what lies elsewhere is not margined with the position
    ],
)
def test_of_an_account_over_venues_each_whose_rules_lack_it_is_named(
    deposits: list[str], positions: list[str], lacking: list[str]
) -> None:
    written = book(
        [{"asset": "BTC", "quantity": 1.0, "venue": venue} for venue in deposits],
        [{"instrument": "BTC-PERPETUAL", "quantity": -1.0, "venue": venue} for venue in positions],
        venues={"one": {"model": "derive-pm2"}, "two": {"model": "generic-standard"}},
    )
    found = margined(Portfolio.model_validate(written))
    notes = [note for note in found.notes if "wrong_way" in note]
    assert [note.partition(" has no wrong_way")[0] for note in notes] == lacking


def test_stock_deposited_for_options_written_on_it_offsets_them() -> None:
    written = {"instrument": "XYZ   261218C00100000", "quantity": -1.0, "volatility": 0.4}
    market = {"XYZ": {"spot": 100.0}}
    stock = {"asset": "XYZ", "quantity": 100.0, "moves_with": "XYZ", "price": 100.0}
    base = book([], [written]) | {"market": market}
    alone, covered = (
        account(base | {"collateral": deposits}, "occ-tims") for deposits in ([], [stock])
    )
    assert part(covered, "scenario_loss") == part(alone, "scenario_loss")
    assert part(alone, "wrong_way") == (0.0, 0.0)
    offset = part(covered, "wrong_way")[0]
    assert -part(alone, "scenario_loss")[0] <= offset < 0.0


def test_money_and_other_coins_are_not_wrong_way() -> None:
    deposits = [
        {"asset": "USDC", "quantity": 1e5},
        {"asset": "GOLD", "quantity": 3.0, "price": 4e3},
    ]
    found = account(book(deposits, [{"instrument": "BTC-PERPETUAL", "quantity": 1.0}]))
    assert part(found, "wrong_way") == (0.0, 0.0)


def test_in_an_account_in_coin_it_is_money_that_moves() -> None:
    perpetual = {"kind": "perpetual", "underlying": "BTC", "settlement": "inverse"}
    for asset, moves in (("BTC", False), ("USD", True)):
        price = {"price": 1e-5} if asset == "USD" else {}
        deposits = [{"asset": asset, "quantity": 1.0 / (1e-5 if moves else 1.0), **price}]
        positions = [{"instrument": perpetual, "quantity": 50_000.0}]
        found = account(book(deposits, positions, currency="BTC"))
        assert (abs(part(found, "wrong_way")[0]) > 0.01) is moves


@given(book=portfolios(DOUBTFUL))
def test_the_split_leaves_the_loss_as_it_is(book: Portfolio) -> None:
    found = margined(book, "portfolio", of_portfolio)
    worst = found.result.worst
    assert worst is not None
    loss = np.bincount(worst.pool, np.maximum(-worst.pnl, 0.0), minlength=found.book.pools)
    parts = found.result.components
    together = parts["scenario_loss"] + parts["wrong_way"]
    scale = 1e-12 * float(np.max(parts["scenario_loss"] + loss + 1.0))
    assert together == pytest.approx(loss, rel=1e-12, abs=scale)


@every_model
@pytest.mark.parametrize("seed", range(10))
def test_an_account_is_its_row_among_others(seed: int, model: str) -> None:
    rng = Random(seed)
    style = Style(coin=False, doubts=True)
    file = plain(portfolio(rng, style))
    other = plain(portfolio(rng, style))
    names = sorted(set(file["market"]) | set(other["market"]))
    market = {name: (file["market"] | other["market"])[name] for name in names}
    both = file | {"market": market, "quotes": {}}
    for section in ("positions", "collateral"):
        mine = [held | {"venue": "a"} for held in file[section]]
        both[section] = [*mine, *(held | {"venue": "b"} for held in other[section])]
    both["positions"] = [p | {"volatility": 0.6, "mark_price": None} for p in both["positions"]]
    whole = margined(Portfolio.model_validate(both), "cross", model)
    for number, venue in enumerate(("a", "b")):
        own = both | {
            section: [held for held in both[section] if held["venue"] == venue]
            for section in ("positions", "collateral")
        }
        alone = margined(Portfolio.model_validate(own), "cross", model)
        row = whole.book.names.pools.index(venue)
        assert row == number
        for name, amount in whole.result.initial_components.items():
            assert amount[row] == alone.result.initial_components[name][0]


# Debts


@every_model
def test_a_debt_needs_a_share_of_its_value_and_has_no_haircut(model: str) -> None:
    deposits = [
        {"asset": "USD", "quantity": -95_000.0},
        {"asset": "BTC", "quantity": -0.5, "haircut": 0.2, "cap": 10.0},
        {"asset": "ETH", "quantity": 100.0},
    ]
    found = account(book(deposits), model)
    assert part(found, "borrow") == pytest.approx((2_900.0, 14_500.0), rel=1e-13)
    assert part(found, "collateral_haircut") == (0.0, 0.0)
    assert found.result.equity[0] == pytest.approx(255_000.0, rel=1e-13)
    assert "collateral[1] is owed; its haircut and cap would be of a deposit" in found.notes


@every_model
def test_a_debt_is_free_where_its_share_is_zero(model: str) -> None:
    shares = ("borrow.maintenance=0.0", "borrow.initial=0.0")
    written = book([{"asset": "USD", "quantity": -95_000.0}])
    free, charged = report(written, model, shares), report(written, model)
    assert charged.initial_margin - free.initial_margin == pytest.approx(9_500.0, rel=1e-13)
    assert free.components["borrow"] == 0.0


# The peg, and feeds in doubt


@pytest.mark.parametrize(("stable", "growth"), [(1.0, 0.0), (0.99, 0.0), (0.98, 0.04), (0.9, 0.36)])
def test_a_fallen_settlement_money_raises_the_initial_factor(stable: float, growth: float) -> None:
    positions = [{"instrument": "BTC-PERPETUAL", "quantity": 2.0}]
    found = account(book([{"asset": "USD", "quantity": 1e5}], positions, stable_price=stable))
    loss, notional = 30_000.0, 2_000.0  # 15 % of 200,000, and its charge of 1 %
    expected = (0.0, growth * (loss + notional))
    assert part(found, "peg") == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert found.result.initial[0] == pytest.approx((1.25 + growth) * (loss + notional), rel=1e-9)


@pytest.mark.parametrize(
    ("confidence", "charge"), [(1.0, 0.0), (0.55, 0.0), (0.549, 0.451), (0.0, 1.0)]
)
def test_doubtful_feeds_cost_a_share_of_what_they_price(confidence: float, charge: float) -> None:
    positions = [
        {"instrument": "BTC-25DEC26-130000-C", "quantity": -3.0},
        {"instrument": "BTC-25DEC26-140000-C", "quantity": 3.0},
        {"instrument": "BTC-PERPETUAL", "quantity": -0.5},
        {"instrument": "ETH-PERPETUAL", "quantity": -10.0},  # of another feed
    ]
    deposits = [
        {"asset": "BTC", "quantity": 1.0},
        {"asset": "USD", "quantity": 1e5, "confidence": confidence},  # which nothing moves
    ]
    found = account(book(deposits, positions, confidence=confidence))
    notional = (3.0 + 3.0 + 0.5 + 1.0) * SPOT
    assert part(found, "oracle_confidence") == pytest.approx((0.0, charge * notional), rel=1e-12)


def test_a_venue_without_these_tables_has_none_of_their_components() -> None:
    deposits = [{"asset": "USDC", "quantity": -1e4}, {"asset": "USDC", "quantity": 1e5}]
    positions = [{"instrument": "BTC-PERPETUAL", "quantity": 1.0}]
    written = book(deposits, positions, confidence=0.1, stable_price=0.9)
    found = margined(Portfolio.model_validate(written), None, "dederi-pm", ["factors.initial=1.2"])
    assert not {"borrow", "peg", "oracle_confidence"} & set(found.result.initial_components)


# Every model says what it makes of deposits that move with positions


@pytest.mark.parametrize("model", sorted(EXPRESSED))
def test_every_model_shows_wrong_way_risk_or_says_that_it_has_none(model: str) -> None:
    rules = EXPRESSED[model]
    (name, spot), *_ = rules.spots.items()
    (leg, *_) = chain(model)
    asset = {"asset": name, "quantity": 3.0, "price": spot, "moves_with": name}
    whole = accounts.market(model) | {
        "positions": [{"instrument": leg.instrument, "quantity": leg.unit}],
        "collateral": [asset],
    }
    found = margined(Portfolio.model_validate(whole), model=model, settings=rules.settings)
    said = [note for note in found.notes if "no wrong_way" in note]
    if "wrong_way" in found.result.components:
        assert not said
    else:
        assert len(said) == 1
        assert name in said[0]
    assert found.venue.proof == "own" or any("wrong_way" in note for note in found.venue.notes)
    money = {**whole, "collateral": [{"asset": "CASH", "quantity": 3.0, "price": spot}]}
    plain = margined(Portfolio.model_validate(money), model=model, settings=rules.settings)
    assert not any("wrong_way" in note for note in plain.notes)
