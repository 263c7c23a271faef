"""From a file of accounts, or a seed, to a population with the rules that margin it.

A file lists prices and sizes (`price`, `size`, perhaps `side`, `bankrupt`, `account`), or positions
and deposits in a market (`account`, `instrument` or `asset`, `quantity`, perhaps `entry_price` and
`venue`). An account is one on each of its venues, each by the model that the market file names. A
folder is a venue's, as `batch` reads it: positions, balances, and the market beside them.
"""

import datetime as dt
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from margincalc.answers.margining import IMPLIED, day_of, known_mode
from margincalc.arrays import FloatArray
from margincalc.errors import did_you_mean, input_error, printable, refusing_as, shown
from margincalc.files.columns import CELLS, Columns, read_columns
from margincalc.files.folders import files_of, found_in
from margincalc.files.parquet import BALANCES, POSITIONS
from margincalc.files.reader import load, load_market
from margincalc.margin.base import Venue
from margincalc.margin.load import load_model, load_venues
from margincalc.simulation.drawn import Draw, drawn
from margincalc.simulation.linear_accounts import Line, is_linear, line_of
from margincalc.simulation.population import Held, Population, Rows, populate

PRICED = "account,price,size,side,bankrupt"
HOLDING = "account,venue,instrument,asset,quantity,entry_price"
MOST = 10_000_000  # accounts that are drawn at random
LOWEST, HIGHEST = 10_000.0, 1e9  # spots at which strikes of whole hundreds are apart
SPOTS = {"BTC": 100_000.0, "ETH": 4_000.0}
DRAWS: tuple[Draw, ...] = ("perpetuals", "options", "two-assets")


class Source(NamedTuple):
    """Where accounts come from.

    Attributes
    ----------
    file : of accounts; None to draw them
    market : file in whose market positions are valued
    accounts, seed, kind : what is drawn
    spot : of a list of prices, which has none itself
    """

    file: str | Path | None = None
    market: str | Path | None = None
    accounts: int = 10_000
    seed: int = 1
    kind: Draw = "perpetuals"
    spot: float | None = None


class Accounts(NamedTuple):
    """Accounts, as a book with its rules or as a list of prices.

    Attributes
    ----------
    title : what they are
    spot : now
    """

    title: str
    currency: str
    spot: float
    line: Line | None
    population: Population | None
    venue: Venue | None

    def margining(self) -> AbstractContextManager[None]:
        """Name the model that margins the accounts in its refusals."""
        return refusing_as("" if self.venue is None else self.venue.name)


class Margins(NamedTuple):
    """By which rules accounts are margined."""

    mode: str | None = None
    model: str | None = None
    settings: tuple[str, ...] = ()
    effective: str | None = None


def accounts_of(source: Source, margins: Margins) -> Accounts:
    """Read or draw accounts.

    Raises
    ------
    InputError
        If the file, the market or the model is wrong.
    """
    if source.file is None:
        return _drawn(source, margins)
    if Path(source.file).is_dir():
        return _holding(*_folder(source), margins)
    table = read_columns(source.file)
    if "price" in table.cells:
        return _priced(table, source)
    return _holding(table, source, margins)


def _drawn(source: Source, margins: Margins) -> Accounts:
    if not 1 <= source.accounts <= MOST:
        raise input_error("--accounts", shown(source.accounts), f"a number from 1 to {MOST:,}")
    if source.seed < 0:
        raise input_error("--seed", shown(source.seed), "a whole number from 0")
    if source.kind not in DRAWS:
        raise input_error("--kind", shown(source.kind), f"one of {', '.join(DRAWS)}")
    if source.spot is not None and not LOWEST <= source.spot <= HIGHEST:
        wanted = f"a price from {LOWEST:g} to {HIGHEST:g}"
        raise input_error("--spot", shown(source.spot), wanted)
    spots = SPOTS if source.spot is None else {**SPOTS, "BTC": source.spot}
    population = drawn(source.accounts, source.seed, source.kind, spots)
    title = f"{source.accounts:,} drawn accounts, {source.kind}, seed {source.seed}"
    default = "portfolio" if source.kind == "options" else "cross"
    venue = _venue(margins, default, dt.date(2026, 11, 20))
    return Accounts(title, "USD", spots["BTC"], None, population, venue)


def _venue(margins: Margins, default: str, day: dt.date) -> Venue:
    mode = known_mode(margins.mode or default)
    name = margins.model or IMPLIED[mode]
    if margins.effective is not None:
        day = day_of(margins.effective)
    return load_model(name, day, margins.settings)


def _priced(table: Columns, source: Source) -> Accounts:
    """Read a list of liquidation prices and sizes."""
    table.refuse_unknown(PRICED.split(","))
    table.need("price", "size", example=PRICED)
    if source.spot is None or not 0.0 < source.spot < np.inf:
        raise input_error(
            "--spot",
            "nothing" if source.spot is None else shown(source.spot),
            "the present price, which a list of liquidation prices does not say",
        )
    price, size = table.numbers("price"), table.numbers("size", least=0.0)
    falls = _sides(table, price, source.spot)
    bankrupt = np.full(len(price), np.nan)
    if "bankrupt" in table.cells:
        bankrupt = table.numbers("bankrupt", absent=True)
    names = tuple(table.texts("account")) if "account" in table.cells else ()
    below, above = np.where(falls, price, np.nan), np.where(falls, np.nan, price)
    line = Line(below, above, size, bankrupt, names)
    return Accounts(f"{table.rows:,} accounts", "USD", source.spot, line, None, None)


def _sides(table: Columns, price: FloatArray, spot: float) -> FloatArray:
    """Return which accounts a fall liquidates: those that say long, or have a price below."""
    if "side" not in table.cells:
        return np.asarray(price <= spot)
    sides = table.texts("side")
    for row, side in enumerate(sides):
        if side not in ("long", "short"):
            raise input_error(table.place(row, "side"), shown(side), "long or short")
    return np.array([side == "long" for side in sides])


def _holding(table: Columns, source: Source, margins: Margins) -> Accounts:
    """Read positions and deposits."""
    table.refuse_unknown(HOLDING.split(","))
    table.need("account", "quantity", "instrument", example=HOLDING)
    if source.market is None:
        remedy = "pass --market FILE, a YAML or JSON file with `as_of` and `market`"
        raise input_error(table.name, "positions without a market", "a market file", remedy)
    market = load_market(source.market)
    if market.as_of is None:
        raise input_error(str(source.market), "no `as_of`", "the time of the valuation")
    rows, held = _rows(table)
    population = populate(market, held, rows)
    if not len(population.book.spot):
        raise input_error(str(source.market), "no `market`", "an underlying with its spot")
    spot = float(population.book.spot[0])
    venue = _rules(margins, source.market, rows, market.as_of.date())
    title = f"{len(set(table.texts('account'))):,} accounts of {table.name}"
    return Accounts(title, market.currency or "USD", spot, None, population, venue)


def _folder(source: Source) -> tuple[Columns, Source]:
    """Read a venue's positions and balances as one table, and name the market beside them."""
    own = found_in(str(source.file))
    if own.positions == str(source.file):
        wanted = "positions.parquet, perhaps balances.parquet and market.yaml beside it"
        raise input_error(printable(own.positions), "a folder without positions", wanted)
    if own.instruments is not None:
        found = f"{own.instruments}, which `batch` alone reads"
        raise input_error(str(source.file), found, "instruments that their names describe")
    parts = [(own.positions, POSITIONS)]
    if own.balances is not None:
        parts.append((own.balances, BALANCES))
    cells: dict[str, list[Any]] = {name: [] for name in HOLDING.split(",")}
    for path, columns in parts:
        needed = [key for key, column in columns.items() if not column.optional]
        for name in files_of(path, "FILE"):
            table = read_columns(name)
            table.refuse_unknown(key for key in columns if key != "pool")
            table.need(*needed, example=",".join(columns))
            given = {"quantity": table.cells.get("amount", ()), **table.cells}
            if (len(cells["account"]) + table.rows) * len(cells) > CELLS:
                found, wanted = f"more than {CELLS:,} cells", "fewer accounts"
                raise input_error(str(source.file), found, wanted, "name a folder of some of them")
            for key, cell in cells.items():
                cell.extend(given.get(key, [None] * table.rows))
    placed = source if source.market is not None else source._replace(market=own.market)
    return Columns(printable(str(source.file)), cells), placed


def _rules(margins: Margins, market: str | Path, rows: Rows, day: dt.date) -> Venue:
    """Return the rules of each venue by the model that the market file names, or one for all."""
    if not any(rows.venues) or margins.model is not None:
        return _venue(margins, "portfolio", day)
    known = load(market).venues
    for venue in dict.fromkeys(rows.venues):
        if venue and venue not in known:
            remedy = (
                did_you_mean(venue, known) or f"add it to `venues` of {market}, or pass --model"
            )
            raise input_error("column venue", shown(venue), "a venue with a model", remedy)
    if margins.effective is not None:
        day = day_of(margins.effective)
    default = IMPLIED[known_mode(margins.mode or "portfolio")]
    used = {venue: known[venue].model if venue else default for venue in rows.venues}
    return load_venues(used, day, margins.settings)


def _rows(table: Columns) -> tuple[Rows, Held]:
    instruments, assets = table.texts("instrument"), _optional(table, "asset")
    for row, pair in enumerate(zip(instruments, assets, strict=True)):
        if bool(pair[0]) == bool(pair[1]):
            found = "both an instrument and an asset" if pair[0] else "neither of the two"
            wanted = "an instrument held, or an asset deposited"
            raise input_error(table.place(row), found, wanted)
    held = Held(
        tuple(sorted({name for name in instruments if name})),
        tuple(sorted({name for name in assets if name})),
    )
    number = {name: place for place, name in enumerate(held.instruments)}
    # An asset may be called like an instrument: deposits are numbered after these.
    own = {name: place + len(held.instruments) for place, name in enumerate(held.assets)}
    names = table.texts("account")
    if "" in names:
        place = table.place(names.index(""), "account")
        raise input_error(place, "nothing", "an account's name", "say whose it is, or leave it out")
    owners = list(zip(names, _optional(table, "venue"), strict=True))
    account = {owner: place for place, owner in enumerate(dict.fromkeys(owners))}
    entry = np.full(table.rows, np.nan)
    if "entry_price" in table.cells:
        entry = table.numbers("entry_price", least=0.0, absent=True)
    pairs = zip(instruments, assets, strict=True)
    return (
        Rows(
            np.array([account[owner] for owner in owners], np.int64),
            np.array([number[one] if one else own[other] for one, other in pairs], np.int64),
            table.numbers("quantity"),
            entry,
            tuple(f"{name} at {venue}" if venue else name for name, venue in account),
            tuple(venue for _, venue in account),
        ),
        held,
    )


def _optional(table: Columns, column: str) -> list[str]:
    return table.texts(column) if column in table.cells else [""] * table.rows


def line_from(accounts: Accounts) -> Line:
    """Return accounts as liquidation prices and sizes.

    Raises
    ------
    InputError
        If some hold options, coin accounts or several underlyings.
    """
    if accounts.line is not None:
        return accounts.line
    population, venue = accounts.population, accounts.venue
    assert population is not None
    assert venue is not None
    if not is_linear(population.book):
        found = "accounts that no two prices describe"
        raise input_error(accounts.title, found, "linear positions in one underlying")
    return line_of(population.book, venue.model)
