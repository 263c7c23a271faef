"""The report page in headless Chromium; collected only where there is one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import margincalc as mc
from margincalc.assembly.pools import Mode
from margincalc.report import numbers
from tests.cli import STRANGLE
from tests.cli.conftest import Run
from tests.conftest import CHROMIUM
from tests.report.test_page import ACCOUNT, FOLDER, INSTRUMENT, hostile, of
from tests.report.test_population_page import population

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = (390, 1280)
FIGURES = (
    "equity",
    "initial_margin",
    "maintenance_margin",
    "available_funds",
    "excess",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS), timeout=0)
        yield browser
        browser.close()


CONTRAST = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((x) => x / 255)
    .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, n) => sum + x * [0.2126, 0.7152, 0.0722][n], 0);
  const card = parts(getComputedStyle(document.querySelector(".panel")).backgroundColor);
  return Math.min(...[...document.querySelectorAll(".heat td")].map((cell) => {
    cell.style.setProperty("--depth", 1);
    const style = getComputedStyle(cell), [r, g, b, a = 1] = parts(style.backgroundColor);
    const under = [r, g, b].map((x, n) => a * x + (1 - a) * card[n]);
    const pair = [light(parts(style.color)), light(under)].sort((x, y) => y - x);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  }));
}"""
"""The least contrast of a text on a heat map at its deepest, as WCAG 2.2 defines it."""


class Opened:
    """A page that was opened, with what went wrong and what it asked of others."""

    def __init__(self, browser: Browser, file: Path, width: int = 1280, scheme: str = "light"):
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.set_default_timeout(0)  # a busy machine takes its time
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def move(self, **sliders: float) -> None:
        """Set sliders, as a hand would."""
        for key, value in sliders.items():
            self.page.locator(f"#{key}").fill(f"{value:g}")

    def shown(self, key: str) -> str:
        """Return the text of an element."""
        return self.page.locator(f"#{key}").inner_text()


def written(folder: Path, text: str) -> Path:
    file = folder / "report.html"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_without_an_error_or_a_request_and_fits(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    file = written(tmp_path, of("btc_short_strangle"))
    opened = loaded(browser, file, width, scheme)
    assert opened.page.locator("#curve svg path").count() == 2
    assert opened.page.evaluate(CONTRAST) > 4.5
    opened.page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_population_loads_alike(browser: Browser, tmp_path: Path, width: int) -> None:
    opened = loaded(browser, written(tmp_path, population()), width, "dark")
    assert opened.page.locator("svg").count() == 4
    first = opened.page.locator("#safe").bounding_box()
    assert first is not None
    assert first["y"] + first["height"] < 900
    opened.page.close()


def loaded(browser: Browser, file: Path, width: int, scheme: str) -> Opened:
    """Open a page that has no error, asks nothing of others, and is as wide as its window."""
    opened = Opened(browser, file, width, scheme)
    assert opened.errors == []
    assert opened.requests == [file.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    return opened


@pytest.mark.parametrize(
    ("sample", "mode", "moves"),
    [
        ("btc_short_strangle", None, {"spot": 12.5, "volatility": 50, "days": 14}),
        ("btc_short_strangle", None, {"spot": -40, "volatility": -25, "days": 0}),
        ("just_under_maintenance", None, {"spot": -5, "volatility": 0, "days": 7}),
        ("two_underlyings_three_collaterals", None, {"spot": 10, "volatility": 25, "days": 2}),
        ("isolated_perpetuals", "isolated", {"spot": -10}),
        ("btc_covered_call_inverse", None, {"spot": 30, "volatility": 100, "days": 5}),
    ],
)
def test_sliders_move_the_figures_to_those_that_the_program_prints(
    browser: Browser,
    tmp_path: Path,
    run: Run,
    sample: str,
    mode: Mode | None,
    moves: dict[str, float],
) -> None:
    opened = Opened(browser, written(tmp_path, of(sample)))
    before = opened.shown("equity")
    opened.move(**moves)
    how = opened.shown("how")
    assert how.startswith("margined in full, as by --")
    options = [*how.partition(" by ")[2].split(), *(["--mode", mode] if mode else [])]
    outcome = run("margin", str(FOLDER / f"{sample}.yaml"), *options, "--format", "json")
    report = json.loads(outcome.out)
    for key in FIGURES:
        assert opened.shown(key) == numbers.amount(report[key], report["currency"])
    assert opened.shown("margin_ratio") == numbers.percent(report["margin_ratio"])
    assert opened.shown("status") == report["status"].upper()
    opened.page.locator("#reset").click()
    assert opened.shown("equity") == before
    assert opened.shown("how") == "now, margined in full"
    assert opened.errors == []
    opened.page.close()


def test_between_markets_it_says_that_it_interpolates(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, written(tmp_path, of("btc_short_strangle")))
    opened.move(spot=1.5)
    assert opened.shown("how").startswith("interpolated")
    report = mc.margin(mc.load(STRANGLE), changes=mc.what_if(spot=["+1.5%"]))
    shown = float(opened.shown("equity").replace(",", ""))
    assert shown == pytest.approx(report.equity, rel=5e-3)
    opened.page.close()


def test_text_of_the_file_is_shown_and_not_run(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, written(tmp_path, hostile()))
    assert opened.errors == []
    assert opened.shown("heading") == ACCOUNT
    assert opened.page.get_by_text(INSTRUMENT, exact=True).count() > 0
    opened.page.close()


def test_it_prints(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, written(tmp_path, of("btc_short_strangle")))
    opened.page.emulate_media(media="print")
    assert not opened.page.locator("#spot").is_visible()
    assert opened.page.locator("#equity").is_visible()
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    opened.page.close()
