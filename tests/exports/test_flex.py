"""Flex statements in practice: another base currency, OCC symbols alone, two accounts."""

from pathlib import Path

import pytest

import margincalc as mc
from margincalc.errors import InputError
from tests.exports.answers import holdings

FLEX = """<FlexQueryResponse><FlexStatements><FlexStatement accountId="U1" toDate="2026-11-20">
<AccountInformation accountId="U1" currency="{base}"/>
<CashReport><CashReportCurrency currency="EUR" endingCash="1000"/></CashReport>
<ConversionRates>{rates}</ConversionRates>
<OpenPositions>
<OpenPosition assetCategory="STK" currency="USD" symbol="AAPL" position="100" markPrice="270"/>
<OpenPosition assetCategory="OPT" currency="USD" symbol="AAPL  270115C00290000" position="-1"
 multiplier="100" markPrice="5.85"/>
</OpenPositions></FlexStatement></FlexStatements></FlexQueryResponse>"""
RATE = '<ConversionRate reportDate="20261120" fromCurrency="{}" toCurrency="{}" rate="{}"/>'


@pytest.mark.parametrize(
    ("base", "rates", "price"),
    [
        ("USD", RATE.format("EUR", "USD", 1.25), 1.25),
        ("EUR", RATE.format("USD", "EUR", 0.8), 1.25),
        ("EUR", "", None),
    ],
)
def test_flex_statement_in_another_base(
    tmp_path: Path, base: str, rates: str, price: float | None
) -> None:
    file = tmp_path / "flex.xml"
    file.write_text(FLEX.format(base=base, rates=rates), "utf-8")
    portfolio = mc.load(file)
    assert portfolio.collateral[0].price == price
    assert any("no price of EUR" in remark for remark in portfolio.remarks) == (price is None)


def test_flex_option_is_known_by_its_symbol_alone(tmp_path: Path) -> None:
    file = tmp_path / "flex.xml"
    file.write_text(FLEX.format(base="USD", rates=RATE.format("EUR", "USD", 1.25)), "utf-8")
    assert holdings(mc.load(file)) == [("AAPL", 100.0), ("AAPL  270115C00290000", -1.0)]
    file.write_text(file.read_text("utf-8").replace("270115C", "270231C"), "utf-8")
    with pytest.raises(InputError, match="contract that can exist"):
        mc.load(file)


def test_flex_statement_of_two_accounts_is_refused(tmp_path: Path) -> None:
    text = FLEX.format(base="USD", rates="")
    start, end = text.index("<FlexStatement "), text.index("</FlexStatements>")
    file = tmp_path / "flex.xml"
    file.write_text(text[:end] + text[start:end] + text[end:], "utf-8")
    with pytest.raises(InputError, match="another day of the account"):
        mc.load(file)
    second = text[start:end].replace("U1", "U2")
    file.write_text(text[:end] + second + text[end:], "utf-8")
    with pytest.raises(InputError, match="a second account"):
        mc.load(file)


def test_flex_options_of_an_index_s_other_root(tmp_path: Path) -> None:
    """No statement has the index; with it from a market, a put spread needs its width."""
    text = FLEX.format(base="USD", rates="").replace('currency="EUR"', 'currency="USD"')
    start, end = text.index("<OpenPosition asset"), text.index("</OpenPositions>")
    option = (
        '<OpenPosition assetCategory="OPT" currency="USD" symbol="{}" underlyingSymbol="SPX"'
        ' position="{}" multiplier="100" markPrice="{}"/>'
    )
    held = option.format("SPXW  261218P06000000", -1, 55)
    held += option.format("SPX   261218P05800000", 1, 35)
    file, market = tmp_path / "flex.xml", tmp_path / "market.yaml"
    file.write_text(text[:start] + held + text[end:], "utf-8")
    market.write_text("market: {SPX: {spot: 6600, rate: 0.038, yield: 0.011}}\n", "utf-8")
    report = mc.margin(mc.load(file, market=market), model="reg-t")
    assert report.initial_margin == 100 * (200 - 55 + 35)
