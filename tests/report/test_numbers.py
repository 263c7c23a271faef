"""Digits, separators, units and signs."""

import pytest

from margincalc.answers.results import Sensitivity
from margincalc.report import numbers


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (250000.0, "USD", "250,000.00"),
        (-0.001, "USDC", "0.00"),
        (-0.27280000, "BTC", "-0.27280000"),
        (1e15, "EUR", "1,000,000,000,000,000.00"),
        (None, "USD", "-"),
    ],
)
def test_amount(value: float | None, currency: str, text: str) -> None:
    assert numbers.amount(value, currency) == text


def test_signed_amounts_have_no_signed_zero() -> None:
    signed = [numbers.amount(value, "USD", sign=True) for value in (1.5, -1.5, 0.0, -0.0, 0.001)]
    assert signed == ["+1.50", "-1.50", "0.00", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2900.0, "2,900.00"),
        (99.5, "99.500"),
        (0.0625, "0.062500"),
        (0.0, "0.0000"),
        (1e-12, "0.000000000001"),
        (None, "none"),
    ],
)
def test_price(value: float | None, text: str) -> None:
    assert numbers.price(value) == text


@pytest.mark.parametrize(
    ("value", "spot", "text"),
    [
        (78528.31, 100000.0, "78,528"),
        (3262.2797, 3200.0, "3,262.28"),
        (186.734, 270.0, "186.73"),
        (0.0871, 0.123456, "0.08710"),
        (None, 1.0, "none"),
    ],
)
def test_level_has_the_digits_of_its_spot(value: float | None, spot: float, text: str) -> None:
    assert numbers.level(value, spot) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-10.0, "-10"), (0.5, "0.5"), (1e5, "100,000"), (1e-8, "0.00000001"), (None, "-")],
)
def test_quantity(value: float | None, text: str) -> None:
    assert numbers.quantity(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.411, "41.1 %"),
        (1.0, "100.0 %"),
        (1.0000462, "100.0046 %"),
        (0.99996, "99.9960 %"),
        (None, "none"),
    ],
)
def test_percent_says_on_which_side_of_a_whole(value: float | None, text: str) -> None:
    assert numbers.percent(value) == text


def test_moves_and_distances() -> None:
    assert numbers.move(-0.215) == "-21.5 %"
    assert numbers.move(0.00024) == "+0.02 %"
    assert numbers.move(None) == "none"
    assert numbers.distance(100.0, 115.6) == "+15.6 %"
    assert numbers.distance(100.0, None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.412, "-0.4120"),
        (-0.000318, "-0.0003180"),
        (642.13, "+642.1"),
        (-1904.23, "-1,904.2"),
        (-1.2041e-9, "-1.204e-09"),
    ],
)
def test_greek_has_four_digits(value: float, text: str) -> None:
    assert numbers.greek(value) == text


def test_greeks_are_scaled_as_their_headings_say() -> None:
    cells = numbers.greeks(Sensitivity(1.0, 2.0, 300.0, -365.0, 100.0))
    assert dict(zip(numbers.GREEKS, cells, strict=True)) == {
        "delta": "+1.000",
        "gamma": "+2.000",
        "vega/pt": "+3.000",
        "theta/day": "-1.000",
        "rho/pt": "+1.000",
    }


def test_times() -> None:
    assert numbers.moment("2026-11-20T08:00:00Z") == "2026-11-20 08:00 UTC"
    assert numbers.moment("2026-11-20T08:00:07+00:00") == "2026-11-20 08:00:07 UTC"
    assert numbers.expiry("2026-12-25T08:00:00Z") == "2026-12-25 08:00"
    assert numbers.expiry("perpetual") == "perpetual"
