"""Whatever a file holds, the readers give a portfolio or a fault, and nothing else."""

import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from margincalc.errors import InputError
from margincalc.files import load
from margincalc.portfolio.contracts import resolve

NAMES = ["BTC", "BTC-PERPETUAL", "BTC-25DEC26", "BTC-25DEC26-110000-C", "SPY261218P00500000"]
WORDS = [*NAMES, "", "1", "-1e5", ".nan", "12:30", "option", "none", "2026-12-25", "USD", "&a"]
PIECES = [*WORDS, "\n", "\n  ", ": ", "- ", "{", "}", "[", "]", ",", '"', "'", "#", "|", "? ", "\t"]
MARKET = b"{as_of: 2026-11-20, market: {BTC: {spot: 1}}}"

texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)
numbers = st.integers() | st.floats() | st.sampled_from([0.5, 1, 100000])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(WORDS)
days = st.sampled_from(["2026-12-25", "2026-12-25T10:00:00Z", "2026-11-01", "2026-13-01"])


def record(**fields: SearchStrategy[object]) -> SearchStrategy[object]:
    """Return mappings of some of the fields, now and then with something else in one."""
    named = {name.rstrip("_"): field | scalars for name, field in fields.items()}
    strange = st.dictionaries(st.text(max_size=3), scalars, max_size=1)
    return st.builds(lambda a, b: {**b, **a}, st.fixed_dictionaries({}, optional=named), strange)


def listed(entries: SearchStrategy[object]) -> SearchStrategy[object]:
    """Return short lists."""
    return st.lists(entries, max_size=3)


def mapped(keys: list[str], entries: SearchStrategy[object]) -> SearchStrategy[object]:
    """Return mappings of some of the keys, now and then of others."""
    return st.dictionaries(st.sampled_from(keys) | st.text(max_size=3), entries, max_size=3)


terms = record(
    kind=st.sampled_from(["option", "future", "perpetual", "spot"]),
    underlying=st.sampled_from(["BTC", "SPY", "SPXW", "BRK.B"]),
    expiry=days,
    strike=numbers,
    type=st.sampled_from(["call", "put"]),
    settlement=st.sampled_from(["linear", "inverse"]),
    multiplier=numbers,
    listed=st.booleans(),
)
instrument = st.sampled_from(NAMES) | terms
underlying = record(
    spot=numbers,
    volatility=numbers,
    expiries=mapped(["2026-12-25", "2026-12-25T10:00:00Z"], record(forward=numbers | record())),
    roots=listed(st.sampled_from(["SPXW", "SPY"])),
    settlement=st.sampled_from(["linear", "inverse"]),
    listed=st.booleans(),
)
portfolios = record(
    as_of=st.sampled_from(["2026-11-20", "2026-11-20T08:00:00+01:00", "0001-01-01T00:00+14:00"]),
    currency=st.sampled_from(["USD", "BTC"]),
    market=mapped(["BTC", "SPY", "BTC_USDC", "BRK.B"], underlying),
    quotes=mapped(NAMES, record(mark=numbers, volatility=numbers)),
    instruments=mapped([*NAMES, "OTC"], terms),
    collateral=listed(record(asset=st.sampled_from(["USD", "BTC"]), quantity=numbers)),
    positions=listed(record(instrument=instrument, quantity=numbers, mark_price=numbers)),
    orders=listed(record(instrument=instrument, quantity=numbers, price=numbers)),
)
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def only_faults(work: Callable[[], object]) -> None:
    """Do the work; a fault is no failure, if its message can be printed on a terminal."""
    fault = None
    try:
        work()
    except InputError as error:
        fault = error
    if fault is not None:
        message = str(fault)
        assert fault.faults
        assert message.encode()
        assert all(sign.isprintable() or sign == "\n" for sign in message)


def read(data: bytes) -> None:
    """Read and resolve what standard input holds."""
    only_faults(lambda: resolve(load("-", stdin=io.BytesIO(data))))


@patient
@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    read(data)


@patient
@given(texts)
def test_yaml_text(text: str) -> None:
    read(text.encode("utf-8", "surrogatepass"))


@patient
@given(texts)
def test_json_text(text: str) -> None:
    read(("{" + text).encode("utf-8", "surrogatepass"))


@patient
@given(portfolios)
def test_portfolios_as_json(tree: object) -> None:
    read(json.dumps(tree).encode())


@patient
@given(portfolios)
def test_portfolios_as_yaml(tree: object) -> None:
    read(("--- " + json.dumps(tree, ensure_ascii=False)).encode("utf-8", "surrogatepass"))


@patient
@given(portfolios, portfolios)
def test_a_market_beside(tree: object, market: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "market.json"
        path.write_text(json.dumps(market))
        data = io.BytesIO(json.dumps(tree).encode())
        only_faults(lambda: resolve(load("-", market=path, as_of="2026-11-20", stdin=data)))


@patient
@given(texts, st.booleans())
def test_csv(text: str, header: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "positions.csv"
        start = "instrument,quantity\n" if header else ""
        path.write_bytes((start + text).encode("utf-8", "replace"))
        only_faults(lambda: resolve(load(path, market="-", stdin=io.BytesIO(MARKET))))
