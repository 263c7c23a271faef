"""CSV of positions."""

import pytest

from margincalc.errors import InputError
from margincalc.files.csv_text import CsvRows


def test_rows_and_places() -> None:
    text = """Instrument, quantity ,group,venue

"BTC-PERPETUAL",1e2,007,
,,,
BTC,-1,"two
lines",x
"""
    cells = CsvRows(text, "p.csv")
    assert cells.rows == [
        {"instrument": "BTC-PERPETUAL", "quantity": 100.0, "group": "007"},
        {"instrument": "BTC", "quantity": -1, "group": "two\nlines", "venue": "x"},
    ]
    assert cells("positions[0].quantity") == "p.csv:3, column quantity"
    assert cells("positions[1]") == "p.csv:5"
    assert cells("positions[2].quantity") == "p.csv, positions[2].quantity"
    assert cells("as_of") == "p.csv, as_of"
    assert cells("") == "p.csv"


def test_a_header_alone_is_no_positions() -> None:
    assert CsvRows("instrument,quantity\n", "p.csv").rows == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("instrument,quantty\n", "did you mean `quantity`?"),
        ("instrument;quantity\n", "commas, not semicolons"),
        ("instrument\n", "no column quantity"),
        ("instrument,quantity,quantity\n", "twice"),
        ("BTC-PERPETUAL,1\n", "a header such as"),
        ("instrument,quantity\nBTC\n", "p.csv:2\n    found 1 cells; wanted 2"),
        ('instrument,quantity\n"BTC,1\n', "valid CSV"),
        ('instrument,quantity\n"B"TC,1\n', "valid CSV"),
        ("instrument,quantity\n" + "x" * 200_000 + ",1\n", "field larger than field limit"),
    ],
)
def test_refused(text: str, found: str) -> None:
    with pytest.raises(InputError) as caught:
        CsvRows(text, "p.csv")
    assert found in str(caught.value)
