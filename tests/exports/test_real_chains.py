"""Real chains of Deribit, in the shape of its answers: they convert, reprice, and have smiles.

Run where MARGINCALC_DATA names the folder that holds `deribit/*.csv.gz`.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import margincalc as mc
from margincalc.pricing.svi_fit import FLAT, Smile, arbitrage
from tests.pricing.chains import Chain, parity_forward, read_deribit

COIN = 1e-4
PATHS = sorted((Path(os.environ["MARGINCALC_DATA"]) / "deribit").glob("*.csv.gz"))
DAYS = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name[:20])


def milliseconds(chain: Chain, row: int) -> float:
    """Return when a row was quoted, from its expiry and the time that is left."""
    expiry = datetime.fromisoformat(str(chain.expiry[row]))
    return (expiry.timestamp() - float(chain.time[row]) * 365 * 86400) * 1000


def forwards(chain: Chain) -> dict[tuple[str, str], float]:
    """Return the parity forward of each expiry, of the strike nearest to it."""
    parity = parity_forward(chain)
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for row, forward in enumerate(parity):
        key = (str(chain.currency[row]), str(chain.expiry[row]))
        near = abs(float(chain.strike[row]) / float(forward) - 1.0)
        best[key] = min(best.get(key, (np.inf, 0.0)), (near, float(forward)))
    return {key: forward for key, (_, forward) in best.items()}


def answers(chain: Chain, currency: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a chain as get_book_summary_by_currency has it, and a position in each option."""
    own = forwards(chain)
    spot = min((e, f) for (c, e), f in own.items() if c == currency)[1]
    market, positions = [], []
    for row in np.flatnonzero(chain.currency == currency):
        forward = own[(currency, str(chain.expiry[row]))]
        market.append(
            {
                "instrument_name": str(chain.name[row]),
                "base_currency": currency,
                "underlying_price": forward,
                "estimated_delivery_price": spot,
                "mark_price": float(chain.mark[row]),
                "mark_iv": float(chain.volatility[row]) * 100.0,
                "creation_timestamp": milliseconds(chain, int(row)),
            }
        )
        positions.append(
            {
                "instrument_name": str(chain.name[row]),
                "direction": "buy",
                "size": 1.0,
                "average_price": 0.0,
                "mark_price": float(chain.mark[row]),
            }
        )
    head = {"jsonrpc": "2.0", "id": 1}
    return {**head, "result": market}, {**head, "result": positions}


def converted(path: Path, currency: str, folder: Path) -> tuple[mc.Portfolio, Chain]:
    chain = read_deribit(path)
    files = []
    for name, answer in zip(("market", "positions"), answers(chain, currency), strict=True):
        file = folder / f"{name}.json"
        file.write_text(json.dumps(answer), "utf-8")
        files.append(file)
    return mc.load(files[1], join=files[:1]), chain


@DAYS
@pytest.mark.parametrize("currency", ["BTC", "ETH"])
def test_a_chain_converts_and_its_options_are_worth_their_marks(
    path: Path, currency: str, tmp_path: Path
) -> None:
    """Without their marks, by volatility and one forward an expiry, options are within 1e-4 coin.

    On the day on which BTC fell by a tenth, forwards moved while a chain was read: half more.
    """
    portfolio, chain = converted(path, currency, tmp_path)
    assert len(portfolio.positions) == int((chain.currency == currency).sum())
    quotes = {
        name: quote.model_copy(update={"mark": None}) for name, quote in portfolio.quotes.items()
    }
    unmarked = portfolio.model_copy(update={"quotes": quotes})
    worth = {line.instrument: line.mark_price for line in mc.margin(unmarked).positions}
    error = {
        name: abs(worth[name] - (quote.mark or 0.0)) for name, quote in portfolio.quotes.items()
    }
    worst = max(error, key=error.__getitem__)
    print(f"\n{path.name[:16]} {currency}: {len(error)} options, {error[worst]:.1e} at {worst}")
    assert error[worst] < COIN * (1.5 if path.name.startswith("20260205") else 1.0)


def in_the_shape_of_okx(market: dict[str, Any]) -> list[Any]:
    """Return a market as public/opt-summary and public/mark-price have it: numbers as texts."""
    summaries, marks = [], []
    for row in market["result"]:
        base, day, strike, side = row["instrument_name"].split("-")
        named = f"{base}-USD-{datetime.strptime(day, '%d%b%y'):%y%m%d}-{strike}-{side}"
        plain = {"instType": "OPTION", "instId": named, "ts": str(int(row["creation_timestamp"]))}
        volatility = str(row["mark_iv"] / 100.0)
        forward = str(row["underlying_price"])
        summaries.append({**plain, "markVol": volatility, "fwdPx": forward})
        marks.append({**plain, "markPx": str(row["mark_price"])})
    return [{"code": "0", "msg": "", "data": rows} for rows in (summaries, marks)]


def in_the_shape_of_ccxt(market: dict[str, Any]) -> dict[str, Any]:
    """Return a market as fetchOptionChain has that of Deribit: without volatilities of its own."""
    chain = {}
    for row in market["result"]:
        base, day, strike, side = row["instrument_name"].split("-")
        symbol = f"{base}/USD:{base}-{datetime.strptime(day, '%d%b%y'):%y%m%d}-{strike}-{side}"
        info = {key: str(value) for key, value in row.items()}
        said = {"impliedVolatility": None, "markPrice": row["mark_price"]}
        forward = {"underlyingPrice": row["underlying_price"], "timestamp": None}
        chain[symbol] = {"info": info, "symbol": symbol, **said, **forward}
    return chain


@DAYS
def test_a_chain_is_the_same_in_the_shape_of_other_interfaces(path: Path, tmp_path: Path) -> None:
    market, _ = answers(read_deribit(path), "BTC")
    shapes = {"deribit": [market], "okx": in_the_shape_of_okx(market)}
    shapes["ccxt"] = [in_the_shape_of_ccxt(market)]
    found = {}
    for name, parts in shapes.items():
        files = [tmp_path / f"{name}{number}.json" for number in range(len(parts))]
        for file, part in zip(files, parts, strict=True):
            file.write_text(json.dumps(part), "utf-8")
        found[name] = mc.load(files[0], join=files[1:])
    assert found["ccxt"].quotes == found["deribit"].quotes
    assert found["okx"].quotes == found["deribit"].quotes
    for name in ("okx", "ccxt"):
        assert found[name].market["BTC"].expiries == found["deribit"].market["BTC"].expiries


@DAYS
@pytest.mark.parametrize("currency", ["BTC", "ETH"])
def test_a_chain_has_smiles_without_arbitrage(path: Path, currency: str, tmp_path: Path) -> None:
    portfolio, _ = converted(path, currency, tmp_path)
    report = mc.chain(portfolio)
    before, fitted = FLAT, [line for line in report.smiles if line.problem is None]
    for line in fitted:
        smile = Smile(*(getattr(line, name) for name in Smile._fields))
        assert arbitrage(smile, before, 3.0) is None
        before = smile
    errors = [line.error or 0.0 for line in fitted]
    largest = max(line.largest_error or 0.0 for line in fitted)
    print(
        f"\n{path.name[:16]} {currency}: {len(fitted)} of {len(report.smiles)} expiries, "
        f"error {max(errors):.4f} (median {np.median(errors):.4f}), largest {largest:.3f}"
    )
    assert len(fitted) == len(report.smiles)
    assert float(np.median(errors)) < 0.01
