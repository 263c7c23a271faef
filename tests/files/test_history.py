"""Histories of prices: both layouts, and what is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

import margincalc as mc
from margincalc.errors import InputError
from margincalc.files.history import read_history


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    return path


def wide(count: int = 40) -> str:
    rows = [
        f"2026-01-{1 + n // 24:02d}T{n % 24:02d}:00:00Z,{100 + n},{10 + n}" for n in range(count)
    ]
    return "\n".join(["time,BTC,ETH", *rows]) + "\n"


def test_a_column_for_each_underlying(tmp_path: Path) -> None:
    found = read_history(written(tmp_path, wide()), ["ETH", "BTC"])
    assert found.years == pytest.approx(1.0 / 365.0 / 24.0)
    assert found.price[:2].tolist() == [[10.0, 100.0], [11.0, 101.0]]


def test_a_row_for_each_underlying_and_only_common_times(tmp_path: Path) -> None:
    rows = [
        f"{1_767_225_600 + 86_400 * n},{s}/USD,{100 + n}" for n in range(40) for s in ("BTC", "ETH")
    ]
    text = "\n".join(["timestamp,symbol,close", *rows[:-1]])
    found = read_history(written(tmp_path, text), ["BTC", "ETH"])
    assert found.price.shape == (39, 2)
    assert found.years == pytest.approx(1.0 / 365.0)


def test_a_history_is_simulated(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    price = 100_000.0 * np.exp(np.cumsum(rng.normal(0.0, 0.05, 300)))
    rows = [f"{1_700_000_000 + 86_400 * n},{p:.2f}" for n, p in enumerate(price)]
    path = written(tmp_path, "\n".join(["time,BTC", *rows]))
    portfolio = mc.load("sample_portfolios/btc_short_strangle.yaml")
    odds = mc.Odds(horizon="10d", law="history", prices=str(path), paths=2000)
    report = mc.passage(portfolio, odds=odds)
    assert report.steps == 10
    assert report.low > 0.1
    assert any("lower bound" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "a header such as"),
        ("time,BTC\n1,2\n", "a header such as"),
        ("time,symbol,close\n1,BTC,2\n2,BTC,2\n3,BTC,2\n", "prices of ETH"),
        (wide(5), "5 times"),
        (wide().replace("101,", "-1,"), "prices.csv:3"),
        (wide().replace("101,", "nan,"), "prices.csv:3"),
        (wide().replace("T01:00:00Z", "T00:00:00Z", 1), "a time that is not later"),
        (wide().replace("2026-01-01T03", "tomorrow"), "a time such as"),
        (wide() + "2026-02-01\n", "prices.csv:42"),
    ],
)
def test_faults_have_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_history(written(tmp_path, text), ["BTC", "ETH"])
    assert said in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_history(tmp_path / "none.csv", ["BTC"])
