"""`watch` says when a status changes, and ends with the last."""

import csv
import datetime as dt
import gzip
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import margincalc as mc
from margincalc import files
from margincalc.feed import websocket
from tests.cli import SAMPLES, STRANGLE, UNDER
from tests.cli.conftest import Run, run

__all__ = ["run"]
TICKS = str(SAMPLES / "ticks.ndjson")


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_statuses_change_in_order(run: Run) -> None:
    outcome = run("watch", STRANGLE, "--ticks", TICKS, "--no-latency")
    said = events(outcome.out)
    assert (outcome.status, outcome.err) == (0, "")
    assert [event["event"] for event in said] == [
        "start", "status", "refused", "status", "refused", "held", "refused", "status", "end",
    ]  # fmt: skip
    changes = [(event["from"], event["status"]) for event in said if event["event"] == "status"]
    assert changes == [
        ("healthy", "restricted"),
        ("restricted", "liquidatable"),
        ("liquidatable", "healthy"),
    ]
    assert said[-1]["refused"] == 3
    assert run("watch", STRANGLE, "--ticks", TICKS, "--no-latency").out == outcome.out


def test_the_start_is_what_margin_says(run: Run) -> None:
    report = mc.margin(mc.load(STRANGLE))
    start = events(run("watch", STRANGLE, "--ticks", os.devnull).out)[0]
    for key in (
        "currency",
        "equity",
        "initial_margin",
        "maintenance_margin",
        "margin_ratio",
        "status",
    ):
        assert start[key] == getattr(report, key)
    assert report.worst_scenario is not None
    assert start["worst_scenario"] == {
        "label": report.worst_scenario.label,
        "pnl": report.worst_scenario.pnl,
    }
    assert start["liquidation"]["BTC"]["above"] == report.liquidation["BTC"].above


def test_prices_of_what_is_liquidatable_are_called_a_recovery(run: Run) -> None:
    for file, recovery in ((STRANGLE, False), (UNDER, True)):
        start = events(run("watch", file, "--ticks", os.devnull).out)[0]
        assert start["liquidation"]["BTC"]["recovery"] is recovery
        portfolio = mc.load(file)
        before = mc.hedge(portfolio).to_dict()["before"]
        said = mc.margin(portfolio).to_dict()
        assert said["pools"][0]["liquidation"]["BTC"]["recovery"] is recovery
        assert said["liquidation"] == before["liquidation"]


def test_the_exit_status_is_that_of_the_last_state(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "crash"
    path.write_text('{"underlying": "BTC", "spot": 60000}\n')
    assert run("watch", STRANGLE, "--ticks", str(path)).status == 1
    assert run("watch", STRANGLE, "--ticks", os.devnull).status == 0
    assert run("watch", STRANGLE, "--ticks", os.devnull, "--above", "0.5").status == 1


def test_states_come_as_often_as_asked(run: Run) -> None:
    said = events(run("watch", STRANGLE, "--ticks", TICKS, "--every", "2").out)
    states = [event for event in said if event["event"] == "state"]
    assert len(states) == 3
    assert all(event["latency_ms"] > 0.0 for event in states)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "both standard input"),
        ([STRANGLE, "--connect", "ws://x", "--follow"], "--connect goes neither"),
        ([STRANGLE, "--connect", "x"], "an address such as"),
        ([STRANGLE, "--above", "nan"], "a share such as 5%"),
        ([STRANGLE, "--ticks", "/no/such/file"], "wanted a file of ticks"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], message: str) -> None:
    outcome = run("watch", *arguments)
    assert outcome.status == 2
    assert message in outcome.err


def test_what_is_held_is_subscribed_to() -> None:
    session = mc.watch(mc.load(STRANGLE))
    assert json.loads(session.subscription())["params"]["channels"] == [
        "ticker.BTC-25DEC26-115000-C.100ms",
        "ticker.BTC-25DEC26-90000-P.100ms",
        "deribit_price_index.btc_usd",
    ]


def test_an_index_is_that_by_which_a_contract_settles() -> None:
    held = ["BTC_USDC-PERPETUAL", "ETH-PERPETUAL", "ETH_USDC-PERPETUAL", "BTC_USDC"]
    assert websocket.channels(held, ["BTC", "ETH", "SOL", "XRP_USDC"])[3:] == [
        f"deribit_price_index.{name}"
        for name in ("btc_usdc", "eth_usd", "eth_usdc", "sol_usd", "xrp_usdc")
    ]


def test_what_the_venue_does_not_subscribe_to_is_said() -> None:
    session = mc.watch(mc.load(STRANGLE))
    wanted = json.loads(session.subscription())["params"]["channels"]
    known = wanted[1:]
    answers = [
        {"jsonrpc": "2.0", "id": 1, "result": wanted, "usIn": 1, "usOut": 2},
        {"jsonrpc": "2.0", "id": 1, "result": known},
        {"jsonrpc": "2.0", "id": 2, "result": "ok"},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 11050, "message": "bad_request"}},
        ["result"],
    ]
    said = [*session.events(json.dumps(answer).encode() for answer in answers)]
    assert [each.get("line") for each in said] == [None, 2, 4, 5, None]
    assert said[1]["reason"] == f"the venue has no {wanted[0]}"
    assert "bad_request" in said[2]["reason"]


@pytest.mark.parametrize("market", ["BTC", "BTC_USDC"])
def test_deribits_tickers_of_linear_contracts_move_the_market_that_holds_them(market: str) -> None:
    portfolio = mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {market: {"spot": 100_000.0}},
            "positions": [{"instrument": "BTC_USDC-PERPETUAL", "quantity": 1.0}],
            "collateral": [{"asset": "USDC", "quantity": 50_000.0}],
        }
    )
    session = mc.watch(portfolio)
    ticker = {"instrument_name": "BTC_USDC-PERPETUAL", "mark_price": 99e3, "index_price": 98e3}
    index = {"index_name": "btc_usdc", "price": 97e3}
    said = [
        ("ticker.BTC_USDC-PERPETUAL.100ms", ticker),
        ("deribit_price_index.btc_usdc", index),
    ]
    lines = [
        json.dumps(
            {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": c, "data": d}}
        )
        for c, d in said
    ]
    last = [*session.events(line.encode() for line in lines)][-1]
    assert (last["ticks"], last["refused"]) == (3, 0)
    assert session.desk.book.spot.tolist() == [97e3]
    assert float(session.desk.figures.equity[0]) == pytest.approx(49_000.0 - 99e3 / 98.0)


def futures(spot: float, entry: float | None) -> mc.Portfolio:
    """Return an account of a perpetual at a spot, perhaps with what was paid for it."""
    paid = {} if entry is None else {"entry_price": entry}
    return mc.Portfolio.model_validate(
        {
            "as_of": "2026-11-20T08:00:00Z",
            "market": {"BTC": {"spot": spot}},
            "positions": [{"instrument": "BTC-PERPETUAL", "quantity": 2.0, **paid}],
            "collateral": [{"asset": "USD", "quantity": 50_000.0}],
        }
    )


def test_without_an_entry_price_profit_is_counted_from_the_market_of_the_file() -> None:
    """As a move of the spot and a liquidation price count it."""
    session = mc.watch(futures(100_000.0, None))
    lines = [b'{"underlying": "BTC", "spot": 99000}']
    assert [each["equity"] for each in session.events(lines) if "equity" in each] == [50_000.0]
    followed = float(session.desk.figures.equity[0])
    assert followed == 48_000.0
    assert followed == mc.margin(futures(99_000.0, 100_000.0)).equity
    moved = mc.what_if(spot=["-1%"])
    assert followed == mc.margin(futures(100_000.0, None), changes=moved).equity
    assert mc.margin(futures(99_000.0, None)).equity == 50_000.0  # nothing says what was paid


DATA = os.environ.get("MARGINCALC_DATA")  # a folder of real chains; unset, they are not replayed
HELD = ("BTC-27FEB26-65000-P", "BTC-27FEB26-78000-C")
STEPS = 60
if DATA is not None:

    def test_a_short_gamma_account_falls_with_the_market_of_5_february_2026() -> None:
        folder = Path(str(DATA)) / "deribit"
        before = quotes(folder / "20260205T042952Z.csv.gz")
        after = quotes(folder / "20260205T212937Z.csv.gz")
        session = mc.watch(short_gamma(before), model="deribit-pm")
        said = list(session.events(tickers(before, after)))
        changes = [(event["from"], event["status"]) for event in said if event["event"] == "status"]
        assert changes == [("healthy", "restricted"), ("restricted", "liquidatable")]
        assert (session.refused, session.failed) == (0, True)


Quotes = dict[str, dict[str, str]]


def quotes(path: Path) -> Quotes:
    """Return the rows of a chain for what is held."""
    with gzip.open(path, "rt") as file:
        return {
            row["instrument_name"]: row
            for row in csv.DictReader(file)
            if row["instrument_name"] in HELD
        }


def short_gamma(chain: Quotes) -> mc.Portfolio:
    """Ten of each sold, and coins that carried them comfortably on the morning."""
    rows = [chain[name] for name in HELD]
    positions = [
        {
            "instrument": name,
            "quantity": -10,
            "mark_price": float(row["mark_price"]),
            "volatility": float(row["implied_volatility"]),
        }
        for name, row in zip(HELD, rows, strict=True)
    ]
    content = {
        "account": "short-gamma",
        "currency": "BTC",
        "as_of": rows[0]["timestamp"],
        "market": {
            "BTC": {
                "spot": float(rows[0]["index_price"]),
                "settlement": "inverse",
                "expiries": {"2026-02-27": {"forward": float(rows[0]["underlying"])}},
            }
        },
        "positions": positions,
        "collateral": [{"asset": "BTC", "quantity": 2.0}],
    }
    return files.load("-", stdin=io.BytesIO(json.dumps(content).encode()))


def tickers(before: Quotes, after: Quotes) -> Iterator[bytes]:
    """Yield Deribit's notifications along the way from one chain to the next.

    What is not recorded between them is taken on a straight line; the last are the chain's own.
    """
    for step in range(1, STEPS + 1):
        for name in HELD:
            yield ticker(name, before[name], after[name], step / STEPS)


def ticker(name: str, first: dict[str, str], last: dict[str, str], share: float) -> bytes:
    """Return the notification of an option, `share` of the way from one row to another."""

    def between(key: str) -> float:
        return float(first[key]) * (1.0 - share) + float(last[key]) * share

    start, end = (dt.datetime.fromisoformat(row["timestamp"]).timestamp() for row in (first, last))
    data = {
        "timestamp": int(1000.0 * (start * (1.0 - share) + end * share)),
        "instrument_name": name,
        "index_price": between("index_price"),
        "underlying_price": between("underlying"),
        "mark_price": between("mark_price"),
        "mark_iv": 100.0 * between("implied_volatility"),
    }
    params = {"channel": f"ticker.{name}.100ms", "data": data}
    message = {"jsonrpc": "2.0", "method": "subscription", "params": params}
    return json.dumps(message).encode()


def test_a_stock_is_one_in_a_pool_without_its_options_too() -> None:
    session = mc.watch(
        mc.load(SAMPLES / "us_equity_options.yaml"), model="reg-t", mode="isolated", latency=False
    )
    said = [*session.events([])]
    assert [each["pool"] for each in said[:-1]].count("AAPL") == 1
