"""Every account of a venue, and accounts that follow the market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from margincalc.answers.margining import margined
from margincalc.api.reading import load
from margincalc.api.rules import Chosen, Tried, Unpack, rules_of
from margincalc.assembly.what_if import UNCHANGED
from margincalc.errors import input_error
from margincalc.kernels import pricer_named
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName

if TYPE_CHECKING:
    from margincalc.answers.batch_results import BatchReport
    from margincalc.batch.run import Inputs
    from margincalc.feed.session import Session


def batch(
    positions: str | Path,
    *,
    output: str | Path,
    market: str | Path | Portfolio | None = None,
    balances: str | Path | None = None,
    instruments: str | Path | None = None,
    liquidation: Sequence[str] = (),
    as_of: str | None = None,
    pricer: PricerName | None = None,
    strict: bool = False,
    resume: bool = False,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int, int], None] | None = None,
    **rules: Unpack[Chosen],
) -> BatchReport:
    """Margin every account of a venue, from Parquet to Parquet.

    Parameters
    ----------
    positions : Parquet file or folder: account, instrument, quantity; venue, pool, entry_price; or
        a folder that has them as `positions`, beside `balances`, `instruments` and `market.yaml`
    output : folder for a row per account
    market : a portfolio file, of which positions are not read, or a portfolio
    balances : Parquet file or folder: account, asset, amount
    instruments : Parquet file of terms and quotes
    liquidation : underlyings along which liquidation prices are found
    pricer : default: the compiled kernels, where numba is installed
    strict : stop at a bad row instead of setting it aside
    resume : go on with a run that was interrupted
    engine, scheduler, workers : threads of this process, or a dask cluster
    progress : told how many accounts and rows are done, and how many rows there are

    Raises
    ------
    InputError
        For files, a market or rules that are wrong, and in a strict run for bad rows.
    OutputError
        If a result could not be written; what is done stays.
    MissingExtraError
        Where pyarrow, numba or distributed are needed and not installed.
    """
    from margincalc.batch.engines import Workers
    from margincalc.batch.run import Wishes, run
    from margincalc.kernels import fastest

    inputs = _inputs(positions, market, balances, instruments, as_of)
    wishes = Wishes(
        str(output),
        rules_of(rules)._replace(pricer=pricer or fastest()),
        tuple(liquidation),
        strict,
        resume,
        Workers(engine, workers, scheduler),
    )
    return run(inputs, wishes, progress or (lambda accounts, rows, whole: None))


def partition(
    positions: str | Path, *, output: str | Path, balances: str | Path | None = None
) -> int:
    """Group Parquet files by account, out of core, into a folder of two; return how many rows.

    Raises
    ------
    InputError, OutputError
    """
    from margincalc.batch.partition import partitioned
    from margincalc.files.folders import found_in

    own = found_in(str(positions))
    return partitioned(own.positions, str(balances) if balances else own.balances, str(output))


def watch(
    portfolio: Portfolio | str | Path,
    *,
    market: str | Path | Portfolio | None = None,
    balances: str | Path | None = None,
    instruments: str | Path | None = None,
    as_of: str | None = None,
    every: int = 0,
    above: float | None = None,
    latency: bool = True,
    ahead: float = 60.0,
    jump: float = 0.5,
    pricer: PricerName = "numpy",
    **rules: Unpack[Tried],
) -> Session:
    """Open a session that follows the market: ``session.events(lines)`` yields what happens.

    Parameters
    ----------
    portfolio : one account, or a Parquet file or folder of many, as `batch` takes them
    market, balances, instruments, as_of : of many accounts, as `batch` takes them
    every : also yield the state after so many ticks; 0 for changes of status alone
    above : a margin ratio above which `session.failed` is true, beside liquidation
    latency : whether events say how long they took to work out
    ahead : seconds; a tick that is further ahead of the feed is used when the next line is as late,
        and one that is twice as far behind is stale
    jump : share by which a price may fall at once, or rise as far; one that moves farther is used
        when the next quote is near it
    pricer : `compiled` is for large books; it needs numba
    """
    from margincalc.feed.session import Wishes

    chosen = rules_of(rules)._replace(pricer=pricer)
    wishes = Wishes(every, above, latency, ahead, jump)
    if isinstance(portfolio, Portfolio):
        from margincalc.feed.desk import Desk
        from margincalc.feed.reach import Reach
        from margincalc.feed.session import Session

        account = margined(portfolio, chosen)
        began, named = account.assembly.as_of, pricer_named(pricer)
        reach, most = Reach(jump), wishes.most_ahead
        desk = Desk(account.book, account.model, began, named, ahead=most, reach=reach)
        return Session(desk, portfolio.account, portfolio.currency, wishes)
    from margincalc.batch.watched import watched

    if chosen.changes != UNCHANGED:
        wanted = "one account, or the market as it is"
        raise input_error("what-if", "changes of many accounts", wanted, "change the market file")
    return watched(_inputs(portfolio, market, balances, instruments, as_of), chosen, wishes)


def _inputs(
    positions: str | Path,
    market: str | Path | Portfolio | None,
    balances: str | Path | None,
    instruments: str | Path | None,
    as_of: str | None,
) -> Inputs:
    """Return what is read of a venue: what is named, else what stands beside its positions."""
    from margincalc.batch.run import Inputs
    from margincalc.files.folders import files_of, found_in

    own = found_in(str(positions))
    files_of(own.positions, "POSITIONS")  # what is not there has no market beside it either
    market = market or own.market
    if market is None:
        wanted = "a file with the time, the spots and the quotes"
        raise input_error("--market", "no market", wanted, "pass --market FILE")
    return Inputs(
        own.positions,
        market if isinstance(market, Portfolio) else load(market, as_of=as_of),
        str(balances) if balances else own.balances,
        str(instruments) if instruments else own.instruments,
    )
