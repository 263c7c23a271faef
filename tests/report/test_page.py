"""The report page without a browser: whole, alone, escaped, and the same each time."""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import margincalc as mc
from margincalc.assembly.pools import Mode
from margincalc.report import numbers
from tests.cli import ROOT, STRANGLE
from tests.proving import PROVE

FOLDER = ROOT / "sample_portfolios"
FEW = ("btc_short_strangle", "isolated_perpetuals", "just_under_maintenance")  # opened elsewhere
OTHERS = (
    "btc_covered_call_inverse",
    "desk_market",
    "eth_calendar_spread",
    "eth_gamma_hedged_perp",
    "loan",
    "long_only",
    "spx_iron_condor",
    "two_underlyings_three_collaterals",
    "two_venues",
    "us_equity_options",
)
SAMPLES = (*FEW, *OTHERS) if PROVE else FEW
ACCOUNT = "</script><script>alert(1)</script>"
INSTRUMENT = "<script>alert(2)</script>"
MOST_BYTES = 2_000_000


class Elements(HTMLParser):
    """Collects the elements of a page, their attributes and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.kinds: list[str] = []
        self.links: list[str] = []
        self.contents: list[str] = []
        self.handlers: list[str] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.kinds.append(tag)
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")
        self.links += [value or "" for key, value in attrs if key in ("href", "src", "action")]
        self.contents += [value or "" for key, value in attrs if key == "content"]
        self.handlers += [key for key, _ in attrs if key.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        """Leave a script."""
        self._in_script = False

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if self._in_script:
            self.scripts[-1] += data
        else:
            self.words.append(data)


def of(sample: str) -> str:
    """Return a sample's page, made once; that of isolated positions in their own mode."""
    return made(sample, "isolated" if sample.startswith("isolated") else None)


@cache
def made(sample: str, mode: Mode | None) -> str:
    """Return a sample's page."""
    return mc.report(mc.load(FOLDER / f"{sample}.yaml"), mode=mode)


@cache
def hostile() -> str:
    """Return the strangle's page, under names that would break out of a careless one."""
    put = {"underlying": "BTC", "kind": "option", "type": "put", "strike": 90000}
    text = (
        Path(STRANGLE)
        .read_text("utf-8")
        .replace("account: btc-short-strangle", f"account: '{ACCOUNT}'")
    )
    text = text.replace("instrument: BTC-25DEC26-90000-P", f"instrument: '{INSTRUMENT}'")
    terms = json.dumps({INSTRUMENT: {**put, "expiry": "2026-12-25"}})
    with TemporaryDirectory() as folder:
        file = Path(folder) / "book.yaml"
        file.write_text(f"{text}\ninstruments: {terms}\n")
        return mc.report(mc.load(file))


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_has_a_page_that_stands_alone(sample: str) -> None:
    stands_alone(of(sample))


def stands_alone(text: str) -> None:
    """Check that a page is small, and asks nothing of anyone."""
    assert len(text.encode()) < MOST_BYTES
    elements = Elements(text)
    assert all(link.startswith(("#", "data:")) for link in elements.links)
    assert all(f'id="{link[1:]}"' in text for link in elements.links if link.startswith("#"))
    assert not re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", style_of(text))
    assert not {"iframe", "img", "object", "embed", "base", "form"} & set(elements.kinds)
    assert any(value.startswith("default-src 'none'") for value in elements.contents)
    assert ">nan<" not in text.lower()


def style_of(text: str) -> str:
    """Return what a browser acts on: the style sheet and the scripts that are no data."""
    elements = Elements(text)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    return "".join(styles) + "".join(elements.scripts[-1:])


def test_the_same_input_gives_the_same_bytes() -> None:
    assert made.__wrapped__("isolated_perpetuals", "isolated") == of("isolated_perpetuals")


def test_the_first_screen_has_the_figures_of_margin() -> None:
    report = mc.margin(mc.load(STRANGLE))
    words = Elements(of("btc_short_strangle")).words
    for value in (report.equity, report.initial_margin, report.maintenance_margin):
        assert numbers.amount(value, report.currency) in words
    assert numbers.percent(report.margin_ratio) in words
    titles = ("Safe today", "Nearest liquidation prices", "Requirement by part")
    order = [words.index(title) for title in titles]
    assert order == sorted(order)


def test_text_of_the_file_stays_text() -> None:
    plain, shown = Elements(of("btc_short_strangle")), Elements(hostile())
    assert shown.kinds == plain.kinds
    assert shown.handlers == []
    assert ACCOUNT in shown.words
    assert INSTRUMENT in shown.words
    assert "alert(" not in "".join(shown.scripts)


def test_the_grid_has_what_margin_computes_in_its_markets() -> None:
    portfolio = mc.load(STRANGLE)
    grid = json.loads(Elements(of("btc_short_strangle")).scripts[0])
    spots, volatilities, days = grid["spots"], grid["volatilities"], grid["days"]
    for day, volatility, spot in ((0, 2, 20), (3, 4, 12), (len(days) - 1, 0, 30), (5, 5, 0)):
        changes = mc.what_if(
            spot=[f"{spots[spot]:+g}%"] if spots[spot] else [],
            vol=[f"{volatilities[volatility]:+g}%"] if volatilities[volatility] else [],
            days=days[day],
        )
        report = mc.margin(portfolio, changes=changes)
        place = (day * len(volatilities) + volatility) * len(spots) + spot
        for key in ("equity", "initial_margin", "maintenance_margin"):
            assert grid[key][place] == pytest.approx(getattr(report, key), rel=1e-12, abs=1e-9)


def test_the_grid_of_several_pools_is_that_of_their_report() -> None:
    mode: Mode = "isolated"
    sample = "isolated_perpetuals"
    portfolio = mc.load(FOLDER / f"{sample}.yaml")
    grid = json.loads(Elements(of(sample)).scripts[0])
    spots = grid["spots"]
    for place in (0, 11, 20, 29, 40):
        moved = mc.what_if(spot=[f"{spots[place]:+g}%"] if spots[place] else [])
        report = mc.margin(portfolio, mode=mode, changes=moved)
        for key in ("equity", "initial_margin", "maintenance_margin"):
            assert grid[key][place] == pytest.approx(getattr(report, key), rel=1e-12, abs=1e-9)
        assert (grid["margin_ratio"][place] is None) == (report.margin_ratio is None)
        assert (grid["margin_ratio"][place] or 0.0) == pytest.approx(report.margin_ratio or 0.0)
        excess = min(pool.excess for pool in report.pools)
        assert grid["least_excess"][place] == pytest.approx(excess, rel=1e-12, abs=1e-9)


def test_what_a_book_cannot_have_is_left_out_in_words() -> None:
    text = of("isolated_perpetuals")
    assert "No options: volatility moves nothing" in text
    assert 'id="volatility"' not in text
