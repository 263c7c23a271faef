"""`chain`: smiles from quotes, volatilities filled in, and the margin that they lead to."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import margincalc as mc
from margincalc.answers.chain_results import ChainReport
from margincalc.pricing import black
from margincalc.pricing.svi_fit import FLAT, Smile, arbitrage
from tests.cli import SAMPLES

SAMPLE = SAMPLES / "btc_chain.yaml"
MARCH = Smile(0.06, 0.13, -0.08, 0.03, 0.25)  # from which the sample's marks were made, and rounded
DECEMBER = Smile(0.012, 0.07, -0.12, 0.01, 0.12)


@pytest.fixture(scope="module")
def report() -> ChainReport:
    return mc.chain(mc.load(SAMPLE))


def volatility(smile: Smile, strike: float, forward: float, days: float) -> float:
    k = np.array([math.log(strike / forward)])
    return float(np.sqrt(smile.variance(k)[0] / (days / 365)))


def test_rounded_marks_give_their_smiles_back(report: ChainReport) -> None:
    assert [line.problem for line in report.smiles] == [None, None, None]
    assert [line.quotes for line in report.smiles] == [8, 9, 8]
    assert all((line.largest_error or 1.0) < 5e-4 for line in report.smiles)
    before = FLAT
    for line in report.smiles:
        smile = Smile(*(getattr(line, name) for name in Smile._fields))
        assert arbitrage(smile, before, 3.0) is None
        assert (line.least_density or 0.0) > 0.0
        before = smile


def test_missing_volatilities_are_those_of_the_smile(report: ChainReport) -> None:
    call, put, between = report.filled
    assert call.volatility == pytest.approx(volatility(DECEMBER, 110e3, 100_400, 35), abs=2e-4)
    assert put.volatility == pytest.approx(volatility(DECEMBER, 85e3, 100_400, 35), abs=2e-4)
    assert (call.source, between.source) == ("smile", "between expiries")


def test_between_expiries_total_variance_is_linear_in_time(report: ChainReport) -> None:
    line = report.filled[2]
    forward = 100_000.0  # of January: nothing is quoted, and there is no rate
    near = volatility(DECEMBER, 120e3 / forward, 1.0, 35) ** 2 * 35
    far = volatility(MARCH, 120e3 / forward, 1.0, 126) ** 2 * 126
    linear = near + (far - near) * (70 - 35) / (126 - 35)
    assert line.volatility == pytest.approx(math.sqrt(linear / 70), abs=3e-4)


def test_the_filled_file_is_margined_and_prices_what_was_quoted(
    report: ChainReport, tmp_path: Path
) -> None:
    file = tmp_path / "book.yaml"
    file.write_text(mc.convert(SAMPLE), "utf-8")
    with pytest.raises(mc.InputError, match="no volatility for BTC-25DEC26-110000-C") as error:
        mc.margin(mc.load(file))
    assert "margincalc chain FILE --write" in str(error.value)
    assert mc.margin(report.portfolio).maintenance_margin > 0.0
    december = report.portfolio.market["BTC"].expiries["2026-12-25"].svi
    assert december is not None
    assert december.forward == 100_400
    smiled = volatility(DECEMBER, 90e3, 100_400, 35)
    mark = float(black.price(100_400.0, 90_000.0, smiled, 35 / 365, False))
    assert mark == pytest.approx(2160, abs=1.0)


def test_a_held_option_takes_its_smile_from_the_file_too(report: ChainReport) -> None:
    """Without the filled volatility, the `svi` of its expiry gives the same."""
    whole = report.portfolio
    filled = {line.instrument for line in report.filled if line.source == "smile"}
    kept = {name: quote for name, quote in whole.quotes.items() if name not in filled}
    smiled = mc.margin(whole.model_copy(update={"quotes": kept})).positions
    for ours, theirs in zip(mc.margin(whole).positions, smiled, strict=True):
        assert ours.volatility == pytest.approx(theirs.volatility, rel=1e-12)


def test_a_thin_expiry_is_said_to_be_thin_and_what_is_expired_is_left_out() -> None:
    portfolio = mc.load(SAMPLE).model_copy(
        update={
            "quotes": {
                name.replace("26MAR27", "26MAR26"): quote
                for name, quote in mc.load(SAMPLE).quotes.items()
                if "25DEC26-1" not in name and "25DEC26-9" not in name
            }
        }
    )
    report = mc.chain(portfolio)
    assert [line.problem for line in report.smiles] == [None, "fewer than 5 strikes"]
    assert report.notes == ("8 quotes are of no option that is still to expire",)
    assert {line.source for line in report.filled} == {"beyond the last expiry"}


def test_bid_and_ask_stand_for_a_mark() -> None:
    portfolio = mc.load(SAMPLE)
    spread = {
        name: quote.model_copy(
            update={"mark": None, "bid": (quote.mark or 0) * 0.99, "ask": (quote.mark or 0) * 1.01}
        )
        for name, quote in portfolio.quotes.items()
    }
    ours = mc.chain(portfolio.model_copy(update={"quotes": spread})).filled
    theirs = mc.chain(portfolio).filled
    found = {line.instrument: line.volatility for line in ours}
    assert all(
        found[line.instrument] == pytest.approx(line.volatility, abs=1e-9) for line in theirs
    )
    assert len(found) == len(theirs) + len(spread)  # what has neither mark nor volatility needs one


def test_json_is_whole(report: ChainReport) -> None:
    content = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert content["schema"] == "margincalc.chain/1"
    assert next(iter(content)) == "schema"
    assert {*content["smiles"][0]} == {*report.smiles[0]._fields}


def test_options_without_vega_have_no_smile() -> None:
    far = {f"BTC-21NOV26-{100 * n}000-C": {"volatility": 0.05} for n in range(9, 16)}
    content = {"as_of": "2026-11-20T08:00:00Z", "market": {"BTC": {"spot": 100_000.0}}}
    (line,) = mc.chain(mc.Portfolio.model_validate({**content, "quotes": far})).smiles
    assert (line.strikes, line.a) == (7, None)
    assert line.problem == "no option whose price a volatility changes"


def test_options_that_wait_for_their_payment_have_no_smile() -> None:
    paid = {"2026-12-25": {"forward": {"fixed": 100_000.0, "variable": 0.0}}}
    held = [
        {"instrument": f"BTC-25DEC26-{90 + n}000-C", "quantity": 1.0, "volatility": 0.5}
        for n in range(6)
    ]
    content = {
        "as_of": "2026-12-26T08:00:00Z",
        "market": {"BTC": {"spot": 100_000.0, "expiries": paid}},
        "positions": held,
    }
    report = mc.chain(mc.Portfolio.model_validate(content))
    assert (report.smiles, report.filled) == ((), ())
