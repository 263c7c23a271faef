"""Customer portfolio margin by TIMS: published rows, groups by hand, a scalar twin, and laws."""

import tomllib
from typing import Any

import numpy as np
import pytest

from margincalc.answers.account import Account
from margincalc.answers.margining import Rules, margined
from margincalc.answers.verify import verify
from margincalc.errors import InputError
from margincalc.liquidation.moved import excess_at
from margincalc.liquidation.nearest import nearest
from margincalc.margin.load import FOLDER
from margincalc.portfolio import Portfolio
from margincalc.risk import now, risk_array
from margincalc.scenarios import ScenarioGrid, VolatilityRule, grid

MODEL = "occ-tims"
SPOTS = {"SPY": 690.0, "IVV": 690.0, "DIA": 460.0, "QQQ": 600.0, "IWM": 240.0, "AAPL": 270.0}
GROUPED = 'portfolio_groups.us={product_groups = ["high_cap", "broad"], offset = 0.5}'
Written = dict[str, Any]


def account(*positions: Written, settings: tuple[str, ...] = (), **more: Any) -> Account:
    """Margin positions on funds and shares."""
    market = {
        name: {"spot": spot, "volatility": 0.2, "rate": 0.04, "listed": True}
        for name, spot in SPOTS.items()
    }
    content = {"as_of": "2026-11-20T21:00:00Z", "market": market, "positions": list(positions)}
    portfolio = Portfolio.model_validate(content | more)
    return margined(portfolio, Rules(model=MODEL, settings=settings))


def shares(name: str, value: float) -> Written:
    """Return shares worth `value`."""
    return {"instrument": name, "quantity": value / SPOTS[name]}


def option(name: str, kind: str, strike: float, quantity: float, **terms: Any) -> Written:
    """Return listed options of four weeks."""
    symbol = f"{name:<6}261218{kind}{round(strike * 1000):08d}"
    return {"instrument": symbol, "quantity": quantity, **terms}


def required(*positions: Written, settings: tuple[str, ...] = ()) -> float:
    """Return the requirement, which is initial and maintenance margin alike."""
    result = account(*positions, settings=settings).result
    assert result.initial[0] == result.maintenance[0]
    return float(result.maintenance[0])


def test_the_published_rows_match() -> None:
    report = verify(MODEL)
    assert len(report.lines) == 30
    assert all(line.matches for line in report.lines)


@pytest.mark.parametrize(
    ("name", "down", "up"), [("AAPL", 0.15, 0.15), ("IWM", 0.10, 0.10), ("SPY", 0.08, 0.06)]
)
def test_shares_need_the_range_of_their_class(name: str, down: float, up: float) -> None:
    assert required(shares(name, 1e5)) == pytest.approx(down * 1e5, rel=1e-12)
    assert required(shares(name, -1e5)) == pytest.approx(up * 1e5, rel=1e-12)


def test_a_class_offsets_in_full() -> None:
    assert required(shares("SPY", 1e5), shares("IVV", -1e5)) == pytest.approx(0.0, abs=1e-6)


def test_a_product_group_offsets_nine_tenths_at_each_point() -> None:
    found = required(shares("SPY", 1e5), shares("DIA", -1e5))
    assert found == pytest.approx(8_000.0 - 0.9 * 8_000.0, rel=1e-9)


def test_product_groups_offset_only_in_a_portfolio_group() -> None:
    book = (shares("SPY", 1e5), shares("QQQ", -1e5))
    assert required(*book) == pytest.approx(8_000.0 + 10_000.0, rel=1e-12)
    # At the last point 6,000 are gained and 10,000 lost; the gain passes both groups' shares.
    wanted = 10_000.0 - 0.5 * 0.9 * 6_000.0
    assert required(*book, settings=(GROUPED,)) == pytest.approx(wanted, rel=1e-12)


def test_shares_of_companies_never_offset() -> None:
    settings = ('classes.QQQ={range = "equity"}', 'classes.NDX={range = "broad_index"}')
    book = (shares("AAPL", 1e5), shares("QQQ", -1e5))
    assert required(*book, settings=settings) == pytest.approx(30_000.0, rel=1e-12)


def test_every_option_contract_needs_the_minimum_long_or_short() -> None:
    box = [
        option("SPY", kind, strike, quantity)
        for kind, strike, quantity in (("C", 650, 4), ("C", 720, -4), ("P", 650, -4), ("P", 720, 4))
    ]
    own = account(*box)
    loss = float(own.result.components["scenario_loss"][0])
    assert own.result.maintenance[0] == pytest.approx(max(loss, 16 * 37.5), rel=1e-12)
    far = account(option("AAPL", "C", 600.0, 3.0))
    assert far.result.components["floor_top_up"][0] == pytest.approx(112.5, abs=1e-6)
    assert far.result.details["contract_minimum"][0] == 112.5


def random_book(rng: np.random.Generator, name: str) -> list[Written]:
    """Draw an account at a venue of its own."""
    book = [shares(each, float(rng.normal(0.0, 1e5))) for each in SPOTS if rng.random() < 0.5]
    for each, spot in SPOTS.items():
        for _ in range(int(rng.integers(0, 3))):
            strike = round(float(spot * rng.uniform(0.85, 1.15)))
            quantity = float(rng.choice([-20, -5, 3, 10]))
            book.append(option(each, str(rng.choice(["C", "P"])), strike, quantity))
    book.append(shares("AAPL", 1e4))
    return [held | {"venue": name} for held in book]


def twin(own: Account, pool: int, grouped: float | None) -> float:
    """Compute a pool's requirement, one class and one point after the other."""
    tables = tomllib.loads((FOLDER / "occ-tims.2007-04-02.toml").read_text("utf-8"))["parameters"]
    class_of = {
        each: name
        for name, table in tables["classes"].items()
        for each in (name, *table["underlyings"])
    }
    group_of = {
        name: group
        for group, table in tables["product_groups"].items()
        for name in table["classes"]
    }
    book = own.book
    tree: dict[str, Any] = {}
    least: dict[str, Any] = {}
    value = now(book)
    for row in np.flatnonzero((book.pool == pool) & (book.underlying >= 0)):
        name = book.names.underlyings[book.underlying[row]]
        class_ = class_of.get(name, name)
        group = group_of.get(class_, class_)
        wide = "us" if grouped is not None and group in tables["product_groups"] else group
        chosen = tables["classes"].get(class_, {"range": "equity"})["range"]
        points = points_of(tables["ranges"][chosen])
        move = book.quantity[row] * risk_array(book, points, value)[book.instrument[row]]
        classes = tree.setdefault(wide, {}).setdefault(group, {})
        classes[class_] = classes.get(class_, np.zeros(10)) + move
        options = book.instruments.kind[book.instrument[row]] == 0
        least[wide] = least.get(wide, 0.0) + 37.5 * abs(book.quantity[row]) * options
    total = 0.0
    for wide, groups in tree.items():
        worst = 0.0
        for point in range(10):
            inner = [
                combined(
                    [pnl[point] for pnl in classes.values()],
                    0.9 if group in tables["product_groups"] else 1.0,
                )
                for group, classes in groups.items()
            ]
            worst = min(
                worst, combined(inner, grouped if wide == "us" and grouped is not None else 1.0)
            )
        total += max(-worst, least[wide])
    return total


def points_of(moves: list[float]) -> ScenarioGrid:
    """Return a range's scenarios."""
    return grid(np.array([[move, 0.0, 1.0, 0.0] for move in moves]), VolatilityRule())


def combined(amounts: list[float], share: float) -> float:
    """Add losses in full and gains by a share."""
    return sum(amount if amount < 0.0 else share * amount for amount in amounts)


@pytest.mark.parametrize("grouped", [None, 0.5])
def test_random_books_equal_a_scalar_twin(grouped: float | None) -> None:
    rng = np.random.default_rng(5)
    books = [random_book(rng, f"pool {number:02d}") for number in range(15)]
    settings = (GROUPED,) if grouped is not None else ()
    whole = account(*(held for book in books for held in book), settings=settings)
    for pool in range(15):
        assert whole.result.maintenance[pool] == pytest.approx(
            twin(whole, pool, grouped), rel=1e-11
        )


def test_an_account_equals_its_row_in_a_book_exactly() -> None:
    rng = np.random.default_rng(6)
    books = [random_book(rng, f"pool {number:03d}") for number in range(120)]
    whole = account(*(held for book in books for held in book), settings=(GROUPED,))
    for pool in range(0, 120, 10):
        single = account(*books[pool], settings=(GROUPED,))
        for name, column in single.result.components.items():
            assert column[0] == whole.result.components[name][pool]
        assert single.result.equity[0] == whole.result.equity[pool]


def test_components_sum_and_positions_make_the_loss() -> None:
    rng = np.random.default_rng(7)
    own = account(*random_book(rng, "one"), settings=(GROUPED,))
    result = own.result
    assert result.worst is not None
    assert result.maintenance[0] == pytest.approx(sum(c[0] for c in result.components.values()))
    made = float(np.sum(np.minimum(result.worst.by_position().sum(), 0.0)))
    assert float(np.sum(result.worst.pnl)) == pytest.approx(
        result.worst.by_position().sum(), rel=1e-9
    )
    assert -made <= result.components["scenario_loss"][0] + 1e-6
    assert result.details["class_losses"][0] >= result.components["scenario_loss"][0] - 1e-6


def test_requirements_grow_with_the_account() -> None:
    book = [option("AAPL", "P", 250.0, -3.0), shares("SPY", 2e4)]
    four = [{**held, "quantity": 4 * held["quantity"]} for held in book]
    assert required(*four) == pytest.approx(4.0 * required(*book), rel=1e-12)


def test_at_a_liquidation_price_the_excess_is_nothing() -> None:
    cash = [{"asset": "USD", "quantity": 60_000.0}]
    own = account(option("AAPL", "P", 250.0, -20.0), shares("SPY", 2e4), collateral=cash)
    prices = nearest(own.book, own.model)
    row = own.book.names.underlyings.index("AAPL")
    price = prices.below[prices.underlying == row]
    factor = np.ones((1, len(own.book.spot)))
    factor[0, row] = price[0] / own.book.spot[row]
    assert excess_at(own.book, own.model, np.zeros(1, np.int64), factor)[0] == pytest.approx(
        0.0, abs=1e-4
    )


@pytest.mark.parametrize(
    "setting",
    [
        'classes.TSLA={range = "unheard"}',
        'classes.TSLA={range = "equity", underlyings = ["SPY"]}',
        'product_groups.more={classes = ["SPX"], offset = 0.5}',
        'portfolio_groups.us={product_groups = ["unheard"], offset = 0.5}',
        "ranges.equity=[-0.15, 0.15]",
        "contract_minimum=-1.0",
    ],
)
def test_parameters_that_contradict_are_refused(setting: str) -> None:
    with pytest.raises(InputError):
        account(shares("AAPL", 1e4), settings=(setting,))
