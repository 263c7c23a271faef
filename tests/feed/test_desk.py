"""An account that follows ticks stands where a new computation of its market would put it."""

import datetime as dt
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margincalc.answers.margining import Rules, margined
from margincalc.feed.desk import Ahead, Desk
from margincalc.feed.ticks import Refused, Tick
from tests import books
from tests.cli import SAMPLES
from tests.feed.following import follow
from tests.proving import examples

MODES = ("isolated", "cross", "portfolio")


def desk_of(rng: Random, mode: str = "portfolio") -> Desk:
    """Put a random portfolio on a desk."""
    portfolio = books.portfolio(rng, books.ANY)
    account = margined(portfolio, Rules(mode))  # type: ignore[arg-type]
    return Desk(account.book, account.model, account.assembly.as_of)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=examples(15), deadline=None)
@given(rng=st.randoms(use_true_random=False))
def test_a_desk_stands_where_its_market_puts_it_to_the_bit(rng: Random, mode: str) -> None:
    follow(rng, desk_of(rng, mode), 6)


def test_only_what_holds_the_instrument_is_margined_again() -> None:
    import margincalc as mc

    portfolio = mc.load(SAMPLES / "two_underlyings_three_collaterals.yaml")
    account = margined(portfolio, Rules("isolated"))
    desk = Desk(account.book, account.model, account.assembly.as_of)
    names = desk.book.names
    option = next(name for name in names.instruments if name.endswith("-C"))
    touched, _ = desk.apply([Tick(instrument=option, volatility=0.7)])
    row = names.instruments.index(option)
    assert touched.tolist() == sorted(set(desk.book.pool[desk.book.instrument == row].tolist()))
    assert 0 < len(touched) < desk.book.pools


def strangle() -> Desk:
    import margincalc as mc

    account = margined(mc.load(SAMPLES / "btc_short_strangle.yaml"), Rules())
    return Desk(account.book, account.model, account.assembly.as_of)


CALL = "BTC-25DEC26-115000-C"


@pytest.mark.parametrize(
    ("tick", "reason"),
    [
        (Tick(underlying="ETH", spot=4000.0), "ETH of which the book holds nothing"),
        (Tick(instrument="BTC-25DEC26-1-C", mark=1.0), "does not hold"),
        (Tick(underlying="BTC", spot=1_000_000.0), "+890.1 % at once"),
        (Tick(underlying="BTC", spot=10_000.0), "-90.1 % at once"),
        (Tick(underlying="BTC", volatility=0.5), "only instruments have"),
        (Tick(underlying="BTC", forward=1.0), "without its `expiry`"),
        (Tick(underlying="BTC", expiry="2026-12-31", forward=1.0), "holds nothing"),
        (Tick(instrument=CALL, mark=200_000.0), "which no volatility gives"),
        (Tick(instrument=CALL, mark=150_000.0, volatility=0.6), "which no volatility gives"),
        (Tick(instrument=CALL, forward=1e9, volatility=0.6), "at once; wanted less than"),
        (Tick(underlying="BTC", expiry="2026-12-25", forward=1_000.0), "-99.0 % at once"),
        (Tick(instrument=CALL, funding=0.1), "a funding of"),
        (Tick(instrument=CALL, spot=1.0), "a spot of"),
        (Tick(books.AS_OF - dt.timedelta(days=1), "BTC", spot=99_000.0), "another --as-of"),
        (Tick(books.AS_OF + dt.timedelta(days=30), "BTC", spot=99_000.0), "30.0 days ahead"),
        (Tick(books.AS_OF + dt.timedelta(seconds=61), "BTC", spot=99_000.0), "61 s ahead"),
        (Tick(instrument=CALL, volatility=15.0), "15 for BTC-25DEC26-115000-C, which was 0.55"),
        (Tick(instrument=CALL, volatility=0.0055, mark=3_000.0), "0.6 for 60 %"),
        (Tick(underlying="BTC_EURR", spot=90_000.0), "BTC_EURR of which the book holds nothing"),
        (Tick(underlying="BTC_ETH", spot=99_000.0), "BTC_ETH of which the book holds nothing"),
    ],
)
def test_what_is_refused_moves_nothing(tick: Tick, reason: str) -> None:
    desk = strangle()
    before = [figure.copy() for figure in desk.figures]
    book, time = desk.book, desk.time
    with pytest.raises(Refused) as refusal:
        desk.apply([Tick(underlying="BTC", spot=101_000.0), tick])
    assert reason in str(refusal.value)
    assert (desk.book, desk.time) == (book, time)
    for kept, was in zip(desk.figures, before, strict=True):
        np.testing.assert_array_equal(kept, was)


def test_an_older_quote_of_the_same_is_stale() -> None:
    desk = strangle()
    later, earlier = (books.AS_OF + dt.timedelta(seconds=seconds) for seconds in (10, 9))
    desk.apply([Tick(later, "BTC", spot=101_000.0)])
    with pytest.raises(Refused) as refusal:
        desk.apply([Tick(earlier, "BTC", spot=90_000.0)])
    assert "quoted later" in str(refusal.value)
    desk.apply([Tick(earlier, instrument=CALL, volatility=0.6)])  # another subject may lag
    assert desk.book.spot[0] == 101_000.0


@pytest.mark.parametrize(
    "tick", [Tick(underlying="BTC", spot=1e5), Tick(instrument=CALL, mark=9.0)]
)
def test_an_expiry_beside_it_makes_no_old_quote_new(tick: Tick) -> None:
    desk = strangle()
    later, earlier = (books.AS_OF + dt.timedelta(seconds=seconds) for seconds in (10, 9))
    desk.apply([tick._replace(time=later)])
    for day in ("2026-12-25", "2026-12-26"):
        with pytest.raises(Refused, match="quoted later"):
            desk.apply([tick._replace(time=earlier, expiry=day)])


@pytest.mark.parametrize("both_first", [True, False])
def test_a_forward_beside_a_spot_is_as_old_as_one_alone(both_first: bool) -> None:
    """It was taken for none: an older forward was used after it, and it after a newer one."""
    desk, day = strangle(), "2026-12-25"
    both = Tick(underlying="BTC", spot=100_000.0, expiry=day, forward=100_900.0)
    ticks = both, Tick(underlying="BTC", expiry=day, forward=98_000.0)
    first, second = ticks if both_first else ticks[::-1]
    desk.apply([first._replace(time=books.AS_OF + dt.timedelta(seconds=10))])
    with pytest.raises(Refused, match="quoted later"):
        desk.apply([second._replace(time=books.AS_OF + dt.timedelta(seconds=9))])


def test_what_is_said_aside_is_left_out_where_it_was_quoted_later() -> None:
    """Instruments' tickers come in any order, and each names the index."""
    desk = strangle()
    later, earlier = (books.AS_OF + dt.timedelta(seconds=seconds) for seconds in (10, 9.9))
    put, day = "BTC-25DEC26-90000-P", "2026-12-25"
    for time, name, spot in ((later, CALL, 101_000.0), (earlier, put, 100_900.0)):
        desk.apply(
            [
                Tick(time, "BTC", spot=spot, aside=True),
                Tick(time, "BTC", expiry=day, forward=spot + 400.0, aside=True),
                Tick(time, instrument=name, volatility=0.6),
            ]
        )
    assert desk.book.spot[0] == 101_000.0
    assert set(desk.book.instruments.forward[desk.book.instruments.strike > 0.0]) == {101_400.0}
    assert set(desk.book.instruments.volatility[desk.book.instruments.strike > 0.0]) == {0.6}
    with pytest.raises(Refused, match="quoted later"):
        desk.apply([Tick(earlier, "BTC", spot=100_900.0)])
    desk.apply([Tick(later, "BTC", spot=100_900.0)])


def test_what_was_used_ahead_of_the_feed_makes_nothing_else_stale() -> None:
    desk = strangle()
    early, on_time, late = (books.AS_OF + dt.timedelta(seconds=each) for each in (60, 0, -60))
    desk.apply([Tick(early, instrument=CALL, volatility=0.6)])
    desk.apply([Tick(on_time, "BTC", spot=101_000.0)])
    desk.apply([Tick(late, instrument="BTC-25DEC26-90000-P", volatility=0.6)])
    with pytest.raises(Refused, match="121 s behind the feed"):
        desk.apply([Tick(late - dt.timedelta(seconds=1), "BTC", "", "2026-12-25", forward=101e3)])


@pytest.mark.parametrize("volatility", [0.0551, 3.0, 5.5])
def test_volatilities_may_jump(volatility: float) -> None:
    desk = strangle()
    desk.apply([Tick(instrument=CALL, volatility=volatility)])
    row = desk.book.names.instruments.index(CALL)
    assert desk.book.instruments.volatility[row] == volatility


def test_times_within_a_line_are_measured_from_before_it() -> None:
    desk = strangle()
    steps = [books.AS_OF + dt.timedelta(seconds=50 * number) for number in range(1, 4)]
    with pytest.raises(Ahead, match="100 s ahead"):
        desk.apply([Tick(time, "BTC", spot=101_000.0) for time in steps])
    assert desk.time == books.AS_OF


def test_time_passes_with_the_ticks() -> None:
    desk = strangle()
    row = desk.book.names.instruments.index(CALL)
    before = desk.book.instruments.time[row]
    desk.apply([Tick(books.AS_OF + dt.timedelta(seconds=59), "BTC", spot=100_000.0)])
    assert desk.book.instruments.time[row] == before
    desk.apply([Tick(books.AS_OF + dt.timedelta(seconds=60), "BTC", spot=100_000.0)])
    assert desk.book.instruments.time[row] == pytest.approx(before - 60 / (365 * 86400))


def test_a_mark_and_a_volatility_leave_equity_at_the_mark() -> None:
    desk = strangle()
    desk.apply([Tick(instrument=CALL, mark=2500.0, volatility=0.6)])
    held = desk.book.instruments
    row = desk.book.names.instruments.index(CALL)
    assert held.volatility[row] == 0.6
    other = strangle()
    other.apply([Tick(instrument=CALL, mark=2500.0)])
    assert other.figures.equity[0] == pytest.approx(desk.figures.equity[0], abs=1e-6)


def test_a_mark_is_the_model_s_value_where_it_alone_is_quoted() -> None:
    desk = strangle()
    row = desk.book.names.instruments.index(CALL)
    for volatility in (None, 0.6, None):
        desk.apply([Tick(instrument=CALL, mark=2500.0, volatility=volatility)])
        assert bool(desk.book.instruments.implied[row]) is (volatility is None)


def test_an_option_that_expires_is_paid() -> None:
    desk = strangle()
    desk.ahead = dt.timedelta(days=6)
    end = dt.datetime(2026, 12, 25, 9, tzinfo=dt.UTC)
    while desk.time < end:
        desk.apply([Tick(min(desk.time + dt.timedelta(days=6), end), "BTC", spot=120_000.0)])
    figures = desk.figures
    assert figures.equity[0] == pytest.approx(262_340.55 - 10 * 5_000.0)
    assert figures.maintenance[0] == 0.0
    for late in (Tick(mark=20_000.0), Tick(volatility=0.6), Tick(forward=90_000.0)):
        with pytest.raises(Refused, match="nothing is left but money"):
            desk.apply([late._replace(instrument=CALL)])
