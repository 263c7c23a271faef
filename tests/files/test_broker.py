"""Cells as brokers write them."""

import pytest

from margincalc.files.broker import plain_number, plain_symbol


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("$4.10", "4.10"),
        ("-$1,234.50", "-1234.50"),
        ("1,000", "1000"),
        ("(20)", "-20"),
        ("($1,000.25)", "-1000.25"),
        (".5", ".5"),
        ("1e5", "1e5"),
        ("1,00", "1,00"),
        ("(-20)", "(-20)"),
        ("1.000,50", "1.000,50"),
        ("n/a", "n/a"),
        ("", ""),
    ],
)
def test_numbers(cell: str, plain: str) -> None:
    assert plain_number(cell) == plain


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("-SPY261218P650", "SPY261218P00650000"),
        (".SPY261218P650", "SPY261218P00650000"),
        ("MSFT210607C32.5", "MSFT210607C00032500"),
        ("MSFT 110122C27.5", "MSFT110122C00027500"),
        ("SPY   261218P00650000", "SPY   261218P00650000"),
        ("SPY261218P00650000", "SPY261218P00650000"),
        ("SPY", "SPY"),
        ("-BTC", "-BTC"),
        ("SPY261218P650.", "SPY261218P650."),
    ],
)
def test_symbols(cell: str, plain: str) -> None:
    assert plain_symbol(cell) == plain
