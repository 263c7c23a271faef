"""Pairings solved together are those solved alone, and as cheap as another solver finds."""

from random import Random

import numpy as np
import pytest

from margincalc.arrays import FloatArray
from margincalc.margin import pairing, programmes
from margincalc.margin.pairing import Pairing, Prices, Terms, pair
from margincalc.margin.strategies import Legs, Strategy, columns
from tests.pairings import KEPT, Account, Leg, alone

TERMS = Terms(spread=1.0, box=0.5, strike=0.1, whole=True)


def drawn(rng: Random, legs: int) -> Account:
    """Draw an account: near strikes and few expiries, so that much can be paired."""
    spot = rng.choice((20.0, 95.0, 690.0))
    found = [
        Leg(
            call=rng.random() < 0.5,
            strike=round(spot * (0.85 + 0.03 * rng.randrange(10)), 1),
            days=rng.choice((20, 60, 300)),
            value=round(rng.uniform(0.1, 0.2) * spot * 100.0, 2),
            quantity=rng.choice((-3, -2, -1, 1, 2, 5)),
        )
        for _ in range(rng.randint(1, legs))
    ]
    return Account(spot, tuple(found), rng.choice((0, 0, 100, 250, -130)))


def blocks(accounts: list[Account], times: float, *, european: bool) -> tuple[Legs, Prices]:
    """Write accounts as blocks, with maintenance of shares; of every other, European options."""
    held = [
        (number, account, leg) for number, account in enumerate(accounts) for leg in account.legs
    ]
    block = np.array([number for number, _, _ in held])
    legs = Legs(
        block,
        np.array([leg.quantity * times for _, _, leg in held]),
        np.full(len(held), 100.0),
        np.array([leg.call for _, _, leg in held]),
        np.array([leg.strike for _, _, leg in held]),
        np.array([leg.days / 365.0 for _, _, leg in held]),
        (block % 2 == 0) if european else np.ones(len(held), bool),
        np.array([account.shares * times for account in accounts]),
    )
    prices = Prices(
        np.array([account.spot for account in accounts]),
        np.array([KEPT[account.shares > 0] * account.spot for account in accounts]),
        np.array([leg.value for _, _, leg in held]),
        np.array([alone(account.spot, leg) for _, account, leg in held]),
    )
    return legs, prices


def book(seed: int, *, times: float = 1.0, legs: int = 7) -> tuple[Legs, Prices]:
    rng = Random(seed)
    return blocks([drawn(rng, legs) for _ in range(120)], times, european=True)


def needed(found: Pairing) -> list[float]:
    total: list[float] = found.published.sum(axis=0).tolist()
    return total


def test_a_block_alone_is_its_row_among_others_to_the_last_bit() -> None:
    legs, prices = book(1)
    together = pair(legs, prices, TERMS, hedged=True)
    for number in range(len(legs.shares)):
        mine = np.arange(len(legs.shares)) == number
        own, rows = legs.of(mine)
        by_itself = pair(own, prices.of(mine, rows), TERMS, hedged=True)
        for one, many in zip(by_itself, together, strict=True):
            assert one[:, 0].tolist() == many[:, number].tolist()


def test_how_many_blocks_are_looked_at_together_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    legs, prices = book(2)
    wanted = pair(legs, prices, TERMS, hedged=True)
    monkeypatch.setattr(pairing, "_PAIRS", 50)
    monkeypatch.setattr(programmes, "_TOGETHER", 1)
    found = pair(legs, prices, TERMS, hedged=True)
    assert found.margin.tolist() == wanted.margin.tolist()


@pytest.mark.parametrize("times", [1.0, 100_000.0, 0.37])
@pytest.mark.parametrize("whole", [True, False])
def test_tables_and_highs_find_the_same_requirement(
    times: float, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    legs, prices = book(3, times=times)
    terms = TERMS._replace(whole=whole)
    by_tables = needed(pair(legs, prices, terms, hedged=True))
    monkeypatch.setattr(programmes, "_DENSE", 0)
    assert needed(pair(legs, prices, terms, hedged=True)) == pytest.approx(by_tables, rel=1e-11)


@pytest.mark.parametrize("limit", ["_BRANCHED", "_DEEPEST"])
def test_what_branches_too_often_goes_to_highs(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    legs, prices = book(4)
    wanted = needed(pair(legs, prices, TERMS, hedged=True))
    monkeypatch.setattr(programmes, limit, 1)
    asked: list[programmes.Programmes] = []
    by_highs = programmes._by_highs

    def noted(own: programmes.Programmes) -> FloatArray:
        asked.append(own)
        return by_highs(own)

    monkeypatch.setattr(programmes, "_by_highs", noted)
    assert needed(pair(legs, prices, TERMS, hedged=True)) == pytest.approx(wanted, rel=1e-12)
    assert asked


def test_a_set_of_spreads_inside_another_is_left_out() -> None:
    """Calls sold to expire on two days, under one bought that outlives both: one bucket."""
    legs = (
        Leg(True, 100.0, 20, 1.0, -1),
        Leg(True, 105.0, 60, 1.0, -1),
        Leg(True, 110.0, 90, 1.0, 1),
    )
    ways = columns(blocks([Account(100.0, legs)], 1.0, european=False)[0], hedged=False)
    assert ways.legs[ways.kind == Strategy.MEMBER, 0].tolist() == [0, 1, 2]
    near = legs[2]._replace(days=30)  # outlives the first alone: a vertical, and one that is naked
    ways = columns(
        blocks([Account(100.0, (*legs[:2], near))], 1.0, european=False)[0], hedged=False
    )
    assert ways.kind.tolist() == [Strategy.ALONE] * 3 + [Strategy.VERTICAL]
    assert ways.legs[3, :2].tolist() == [0, 2]
