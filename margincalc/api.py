"""One function per command: the library twin of the command line.

    import margincalc as mc
    portfolio = mc.load("book.yaml")
    mc.margin(portfolio, mode="portfolio").maintenance_margin

Each function has its command's options, with the same defaults. `mode` says who shares collateral
and `model` by which rules (a name, or the path of a TOML file); each implies the other. `settings`
are changes of parameters, `key=value`; `effective` is a day whose parameters are used instead of
those of the valuation day; `changes` is what is tried out first, `mc.what_if(spot=["+5%"])`.
All raise InputError where portfolio, model or setting is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from margincalc.answers.margining import Rules, margined
from margincalc.errors import input_error
from margincalc.hedge.aims import Aim, Costs, Limits
from margincalc.kernels import pricer_named
from margincalc.margin.load import model_names
from margincalc.pools import MODES, Mode
from margincalc.portfolio import Portfolio
from margincalc.pricer import PricerName
from margincalc.what_if import UNCHANGED, Changes

if TYPE_CHECKING:
    from margincalc.answers.batch_results import BatchReport
    from margincalc.answers.chain_results import ChainReport
    from margincalc.answers.engine_results import EngineReport
    from margincalc.answers.engines import Market as Conditions
    from margincalc.answers.explain_results import ChangeReport, ExplainReport
    from margincalc.answers.hedge_results import HedgeReport
    from margincalc.answers.liquidation_results import LiquidationReport
    from margincalc.answers.model_results import DiffReport, ModelReport, VerifyReport
    from margincalc.answers.passage_results import PassageReport
    from margincalc.answers.passing import Odds
    from margincalc.answers.results import (
        CheckReport,
        CompareReport,
        GreeksReport,
        MarginReport,
        ScenariosReport,
    )
    from margincalc.answers.waterfall_results import WaterfallReport
    from margincalc.batch.run import Inputs
    from margincalc.feed.session import Session


def load(  # noqa: PLR0913 - an argument for each option of the command
    source: str | Path,
    *,
    market: str | Path | None = None,
    as_of: str | None = None,
    format: str | None = None,
    columns: str | None = None,
    join: Sequence[str | Path] = (),
) -> Portfolio:
    """Read a portfolio file, YAML, JSON or CSV, or a venue's export; `-` is standard input.

    Parameters
    ----------
    format : of an export: deribit, okx, bybit, derive, ccxt, ibkr or csv; default: recognised
    columns : of foreign CSV, `Symbol=instrument,Qty=quantity`
    join : further exports of the same account, such as its balances and its market

    Raises
    ------
    InputError
        With every fault of the files.
    """
    from margincalc import files

    export = files.Export(format, columns, tuple(join))
    return files.load(source, market=market, as_of=as_of, export=export)


def convert(  # noqa: PLR0913 - an argument for each option of the command
    source: str | Path,
    *join: str | Path,
    market: str | Path | None = None,
    as_of: str | None = None,
    format: str | None = None,
    columns: str | None = None,
    to: str = "yaml",
) -> str:
    """Read an export, in one file or several, and return the portfolio file that says the same.

    Parameters
    ----------
    source, join : the files of one account: positions, balances, market
    to : `yaml` or `json`
    """
    from margincalc import files

    portfolio = load(source, market=market, as_of=as_of, format=format, columns=columns, join=join)
    return files.written(portfolio, to)


def chain(portfolio: Portfolio) -> ChainReport:
    """Fit an arbitrage-free smile to each quoted expiry, and fill in missing volatilities.

    The report's `portfolio` has the smiles (`svi` of an expiry) and the volatilities.
    """
    from margincalc.answers.chain import chain_report

    return chain_report(portfolio)


def margin(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    pricer: PricerName | None = None,
    changes: Changes = UNCHANGED,
) -> MarginReport:
    """Margin an account: equity, requirement, liquidation prices, worst scenario, Greeks.

    Parameters
    ----------
    pricer : `numpy`, or `compiled` for the kernels with which `batch` computes
    """
    from margincalc.answers.statement import margin_report

    rules = Rules(mode, model, tuple(settings), effective, pricer, changes)
    return margin_report(margined(portfolio, rules, liquidation=True))


def compare(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    modes: Sequence[Mode] = MODES,
    models: Sequence[str] = (),
    every: bool = False,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> CompareReport:
    """Margin one book under several modes, or under several models.

    Parameters
    ----------
    modes : shown side by side, where no model is named
    models : shown side by side, each in its own mode; of several dated sets, the one in force
    every : show every model that ships with the package and can express the book
    settings : each applies to the models that have such a parameter
    effective : day whose parameters are used instead of those of the valuation day
    """
    from margincalc.answers.comparison import compare_models, compare_modes

    common = Rules(settings=tuple(settings), effective=effective, changes=changes)
    if models or every:
        return compare_models(portfolio, model_names() if every else models, common)
    return compare_modes(portfolio, modes, common)


def greeks(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> GreeksReport:
    """Greeks by underlying, expiry and position."""
    from margincalc.answers.breakdown import greeks_report

    return greeks_report(
        margined(portfolio, Rules(mode, model, tuple(settings), effective, changes=changes))
    )


def scenarios(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> ScenariosReport:
    """Profit and loss of every underlying in every scenario of the model."""
    from margincalc.answers.breakdown import scenarios_report

    return scenarios_report(
        margined(portfolio, Rules(mode, model, tuple(settings), effective, changes=changes))
    )


def liquidation(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
    together: bool = False,
    frontier: bool | None = None,
    horizon: float | None = None,
    daily: tuple[float, float, float] = (0.04, 0.06, -0.4),
    multiples: Sequence[float] = (),
    curves: bool = False,
) -> LiquidationReport:
    """Find every market in which an account is liquidated: in spot, in volatility, in time.

    Parameters
    ----------
    together : also move all underlyings together, each by the `beta` of its market, else 1
    frontier : work out spot and volatility together; default: where there are at most six
    horizon : days to follow time in an unchanged market; default: to the last expiry
    daily : deviations of a day's move of spot and of volatility, and their correlation
    multiples : of volatility at which the frontier is worked out, in rising order; default: eleven
        from 0.4 to 3
    curves : keep equity and maintenance along spot, from which the picture is drawn
    """
    from margincalc.answers.liquidation import FRONTIER, Daily, Wanted, liquidation_report

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    steps = tuple(multiples) or FRONTIER
    wanted = Wanted(together, frontier, steps, horizon, Daily(*daily), curves)
    return liquidation_report(margined(portfolio, rules), wanted)


def check(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    above: float | None = None,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> CheckReport:
    """Say whether an account is under maintenance, or a pool's margin ratio is above `above`."""
    from margincalc.answers.statement import check_report

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    return check_report(margined(portfolio, rules), above)


def simulate_liquidation(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    engine: str = "incremental",
    engine_settings: Sequence[str] = (),
    conditions: Conditions | None = None,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> EngineReport:
    """Run an account below maintenance margin through a liquidation engine, step by step.

    Parameters
    ----------
    engine : a name, or the path of a TOML file; it brings its margin model where none is named
    engine_settings : changes of its parameters, `key=value`
    conditions : slippage, what acting costs a liquidator, and the insurance fund
    """
    from margincalc.answers.engines import Market, engine_report

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    chosen = (engine, tuple(engine_settings))
    return engine_report(portfolio, rules, chosen, conditions or Market())


def waterfall(  # noqa: PLR0913 - an argument for each option of the command
    source: str | Path,
    *,
    policy: str = "pro-rata",
    unit: str | None = None,
    fund: float | None = None,
    cap: float | None = None,
    surplus_to_fund: bool = False,
    slippage: float = 0.0,
    mark: float | None = None,
) -> WaterfallReport:
    """Let losses of bankrupt accounts fall on traders, fund, winners and venue.

    Parameters
    ----------
    source : a file of accounts, YAML, JSON, CSV or Parquet; `-` is standard input
    policy : bitmex, binance or hyperliquid (queues), pro-rata, risk-aware, or socialised
    unit : what is taken, positions or profit; default: positions in queues, else profit
    fund, cap : insurance fund, and the most that it pays in one period; default: the file's
    surplus_to_fund : the fund keeps what is left of accounts that are closed
    slippage : share of notional that closing an account costs
    mark : price now, where the file or row has none of its own
    """
    from margincalc.answers.waterfall import Terms, fund_of, waterfall_report
    from margincalc.files.holders import load_holders

    written = load_holders(source, mark=mark)
    held = fund_of(written, fund, cap, keeps_surplus=surplus_to_fund)
    return waterfall_report(written, Terms(policy, unit, held, slippage))


def watch(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio | str | Path,
    *,
    market: str | Path | Portfolio | None = None,
    balances: str | Path | None = None,
    instruments: str | Path | None = None,
    as_of: str | None = None,
    every: int = 0,
    above: float | None = None,
    latency: bool = True,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    pricer: PricerName = "numpy",
    changes: Changes = UNCHANGED,
) -> Session:
    """Open a session that follows the market: ``session.events(lines)`` yields what happens.

    Parameters
    ----------
    portfolio : one account, or a Parquet file or folder of many, as `batch` takes them
    market, balances, instruments, as_of : of many accounts, as `batch` takes them
    every : also yield the state after so many ticks; 0 for changes of status alone
    above : a margin ratio above which `session.failed` is true, beside liquidation
    latency : whether events say how long they took to work out
    pricer : `compiled` follows large books about twice as fast
    """
    from margincalc.feed.session import Wishes

    rules = Rules(mode, model, tuple(settings), effective, pricer, changes)
    wishes = Wishes(every, above, latency)
    if isinstance(portfolio, Portfolio):
        from margincalc.feed.desk import Desk
        from margincalc.feed.session import Session

        account = margined(portfolio, rules)
        desk = Desk(account.book, account.model, account.assembly.as_of, pricer_named(pricer))
        return Session(desk, portfolio.account, wishes)
    from margincalc.batch.watched import watched

    if changes != UNCHANGED:
        wanted = "one account, or the market as it is"
        raise input_error("what-if", "changes of many accounts", wanted, "change the market file")
    return watched(_inputs(portfolio, market, balances, instruments, as_of), rules, wishes)


def hedge(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    aim: Aim = Aim(),  # noqa: B008 - it never changes
    costs: Costs = Costs(),  # noqa: B008
    limits: Limits = Limits(),  # noqa: B008
    candidates: Sequence[str] = (),
    strikes: Sequence[float] = (),
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> HedgeReport:
    """Find the cheapest trades and deposit that restore a target ratio of margin to equity.

    Parameters
    ----------
    aim : the ratio, and the ranges of spot and volatility over which it must hold
    costs : of trades that the file does not quote, and of deposits
    limits : that the answer keeps to; `hedge.aims` has the units of all three
    candidates : instruments that may be traded, in place of what the file's market lists
    strikes : strikes to add to those that it lists
    """
    from margincalc.answers.hedging import hedge_report
    from margincalc.hedge.aims import Request

    request = Request(aim, costs, limits, tuple(candidates), tuple(strikes))
    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    return hedge_report(portfolio, rules, request)


def report(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> str:
    """Return a self-contained HTML page with every answer about an account.

    What the book cannot have, such as a hedge under rules that refuse it, is left out with its
    reason.
    """
    from margincalc.answers.page import page_report
    from margincalc.report.html import page_text

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    return page_text(page_report(portfolio, rules))


def explain(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    seed: int = 1,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> ExplainReport:
    """Divide the maintenance margin among positions, and the worst scenario among Greeks.

    Parameters
    ----------
    seed : of the orders in which Shapley's values are sampled, beyond 12 positions of a pool
    """
    from margincalc.answers.explanation import explain_report

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    return explain_report(margined(portfolio, rules), seed)


def explain_change(  # noqa: PLR0913 - an argument for each option of the command
    old: Portfolio,
    new: Portfolio,
    *,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
) -> ChangeReport:
    """Divide the change between two portfolios among the market, time, trades and rules."""
    from margincalc.answers.changes import change_report

    rules = Rules(mode, model, tuple(settings), effective)
    return change_report(margined(old, rules), margined(new, rules))


def passage(  # noqa: PLR0913 - an argument for each option of the command
    portfolio: Portfolio,
    *,
    odds: Odds | None = None,
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    changes: Changes = UNCHANGED,
) -> PassageReport:
    """Return how probably an account is liquidated before a horizon.

    Parameters
    ----------
    odds : horizon, dynamics, paths and seed; `mc.Odds(horizon="7d", law="merton")`
    """
    from margincalc.answers.passing import Odds as Default
    from margincalc.answers.passing import passage_report

    rules = Rules(mode, model, tuple(settings), effective, changes=changes)
    return passage_report(margined(portfolio, rules), odds or Default())


def models() -> tuple[ModelReport, ...]:
    """Describe every model that ships with the package, with its latest parameters."""
    return tuple(show_model(name) for name in model_names())


def show_model(
    name: str, *, settings: Sequence[str] = (), effective: str | None = None
) -> ModelReport:
    """Describe a model: parameters with their units, sources, proof."""
    from margincalc.answers.catalogue import described

    return described(name, settings, effective)


def diff_models(first: str, second: str) -> DiffReport:
    """Compare the parameters of two models, each a name, `NAME@DAY`, or the path of a TOML file."""
    from margincalc.answers.catalogue import differences

    return differences(first, second)


def verify_models(name: str | None = None) -> VerifyReport:
    """Rerun the worked examples that ship with a model, or with all of them."""
    from margincalc.answers.verify import verify

    return verify(name)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    from margincalc.files.schema import portfolio_schema

    return portfolio_schema()


def batch(  # noqa: PLR0913 - an argument for each option of the command
    positions: str | Path,
    *,
    output: str | Path,
    market: str | Path | Portfolio | None = None,
    balances: str | Path | None = None,
    instruments: str | Path | None = None,
    liquidation: Sequence[str] = (),
    mode: Mode | None = None,
    model: str | None = None,
    settings: Sequence[str] = (),
    effective: str | None = None,
    as_of: str | None = None,
    pricer: PricerName | None = None,
    strict: bool = False,
    resume: bool = False,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int, int], None] | None = None,
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
    rules = Rules(mode, model, tuple(settings), effective, pricer or fastest())
    wishes = Wishes(
        str(output),
        rules,
        tuple(liquidation),
        strict,
        resume,
        Workers(engine, workers, scheduler),
    )
    return run(inputs, wishes, progress or (lambda accounts, rows, whole: None))


def _inputs(
    positions: str | Path,
    market: str | Path | Portfolio | None,
    balances: str | Path | None,
    instruments: str | Path | None,
    as_of: str | None,
) -> Inputs:
    """Return what is read of a venue: what is named, else what stands beside its positions."""
    from margincalc.batch.run import Inputs
    from margincalc.batch.tables import found_in

    own = found_in(str(positions))
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


def partition(
    positions: str | Path, *, output: str | Path, balances: str | Path | None = None
) -> int:
    """Group Parquet files by account, out of core, into a folder of two; return how many rows.

    Raises
    ------
    InputError, OutputError
    """
    from margincalc.batch.partition import partitioned
    from margincalc.batch.tables import found_in

    own = found_in(str(positions))
    return partitioned(own.positions, str(balances) if balances else own.balances, str(output))
