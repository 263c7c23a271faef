"""A row among many is what a single file says of the account, to the last bit."""

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

import margincalc as mc
from benchmarks.accounts import EXPRESSED
from margincalc.batch import books
from margincalc.liquidation import nearest
from margincalc.margin.load import model_names
from tests.batch.venues import Row, Venue, expected, rows, run, venue

GENERIC = "generic-portfolio"
SIDES = ("below", "above")
LADDERS = (
    GENERIC,
    "generic-standard",
    "deribit-pm",
    "derive-pm2",
    "derive-sm",
    "okx-options",
    "okx-pm",
    "occ-tims",
    "paradex-pm",
    "reg-t",
)
PROVE = bool(os.environ.get("MARGINCALC_PROVE"))


def assert_same(made: Venue, found: dict[Any, Row], few: list[Any], **rules: Any) -> None:
    """Compare rows with what `margin` says, by the same pricer."""
    underlyings = rules.pop("underlyings", ())
    for account in few:
        report = mc.margin(made.portfolio(account), **rules)
        row = found[account]
        single = expected(report, underlyings)
        assert {name: row[name] for name in single} == single, account
        others = row.keys() - single.keys()
        parts = {name for name in others if "component." in name}
        assert others - parts <= {"account", "positions", "quarantined"}
        assert all(row[name] == 0.0 for name in parts)


def sample(made: Venue, count: int = 6) -> list[Any]:
    """Return a few accounts, always the same ones."""
    accounts = list(dict.fromkeys(row["account"] for row in made.positions))
    return Random(3).sample(accounts, count)


@pytest.mark.parametrize("model", model_names())
def test_every_model(model: str, tmp_path: Path) -> None:
    count, few = (40, 6) if PROVE else (16, 2)
    made = venue(model, count)
    run(made, tmp_path, model, pricer="compiled")
    found = rows(tmp_path / "out")
    assert len(found) == count
    settings = EXPRESSED[model].settings
    assert_same(made, found, sample(made, few), model=model, settings=settings, pricer="compiled")


@pytest.mark.parametrize("at_once", ["few", "many"])
@pytest.mark.parametrize("model", LADDERS)
def test_liquidation_prices(
    model: str, at_once: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, spots = venue(model, 60), list(EXPRESSED[model].spots)
    if at_once == "many":  # as of accounts of which each node of the ladder is margined by itself
        monkeypatch.setattr(nearest, "ROWS_AHEAD", 1)
    run(made, tmp_path, model, liquidation=spots, pricer="compiled")
    found = rows(tmp_path / "out")
    monkeypatch.undo()
    settings = EXPRESSED[model].settings
    rules = {"model": model, "settings": settings, "pricer": "compiled", "underlyings": spots}
    assert_same(made, found, sample(made, 8), **rules)
    prices = [row[f"liquidation.{spots[0]}.{side}"] for row in found.values() for side in SIDES]
    assert sum(price is not None for price in prices) > 10


def test_numpy_is_the_same_path(tmp_path: Path) -> None:
    made = venue(GENERIC, 30)
    report = run(made, tmp_path, GENERIC, pricer="numpy")
    assert report.pricer == "numpy"
    assert_same(made, rows(tmp_path / "out"), sample(made), model=GENERIC)


def entered(made: Venue) -> Venue:
    """Give every other position an entry price, and some a group or a venue."""
    positions = [
        row
        | {
            "entry_price": 1234.5 + number if number % 2 else None,
            "pool": ("hedge", None, "wing")[number % 3],
            "venue": ("deribit", None)[number % 5 > 0],
        }
        for number, row in enumerate(made.positions)
        if "-C" in row["instrument"] or "-P" in row["instrument"]
    ]
    balances = [
        row | {"venue": ("deribit", None)[n % 3 > 0]} for n, row in enumerate(made.balances)
    ]
    return Venue(made.market, positions, balances)


@pytest.mark.parametrize("mode", ["isolated", "cross", "portfolio"])
def test_every_mode_with_entry_prices_groups_and_venues(mode: Any, tmp_path: Path) -> None:
    made = entered(venue(GENERIC, 40))
    run(made, tmp_path, mode=mode, liquidation=["BTC", "ETH"], pricer="compiled")
    rules = {"mode": mode, "pricer": "compiled", "underlyings": ["BTC", "ETH"]}
    few = sample(made, 8)
    assert_same(made, rows(tmp_path / "out"), few, **rules)


def test_venues_with_models_of_their_own(tmp_path: Path) -> None:
    made = entered(venue("generic-portfolio", 30))
    models = {"deribit": {"model": "generic-standard"}}
    positions = [row | {"venue": row["venue"] or ""} for row in made.positions]
    made = Venue(made.market | {"venues": models}, positions, made.balances)
    run(made, tmp_path, pricer="compiled")
    plain = made._replace(positions=[row | {"venue": row["venue"] or None} for row in positions])
    assert_same(plain, rows(tmp_path / "out"), sample(made), pricer="compiled")


@pytest.mark.parametrize(
    ("model", "size", "liquidation"),
    [("derive-pm2", "ROWS", ()), (GENERIC, "ROWS_MOVED", ("BTC",))],
)
def test_the_size_of_a_book_changes_nothing(
    model: str,
    size: str,
    liquidation: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = venue(model, 60)
    run(made, tmp_path / "whole", model, liquidation=liquidation)
    monkeypatch.setattr(books, size, 7)
    run(made, tmp_path / "cut", model, liquidation=liquidation)
    whole, cut = (
        (tmp_path / name / "out" / "accounts" / "part-000000.parquet").read_bytes()
        for name in ("whole", "cut")
    )
    assert whole == cut
