"""Studies of what comes after a margin call; the twins of `simulate`.

    import margincalc as mc
    from margincalc.answers.accounts import Source
    mc.cascade(Source(accounts=2000), depth_left=0.1)["critical_fall"]

Those of populations, histories and venues return a `Study`: facts and tables by their keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from margincalc.answers.margining import Rules, margined
from margincalc.answers.study import Study
from margincalc.api.rules import Spiralling, Stressed, Tried, Unpack, refuse_unknown, rules_of
from margincalc.errors import input_error, shown
from margincalc.portfolio import Portfolio

if TYPE_CHECKING:
    from margincalc.answers.accounts import Accounts, Margins, Source
    from margincalc.answers.collateral import CollateralTerms
    from margincalc.answers.dynamic import DynamicTerms
    from margincalc.answers.engine_results import EngineReport
    from margincalc.answers.engines import Market as Conditions
    from margincalc.answers.oracle import OracleTerms
    from margincalc.answers.stress import Terms
    from margincalc.answers.venues import TransferTerms
    from margincalc.answers.waterfall_results import WaterfallReport

DEPTH = "0.5%=15.5e6,5%=40e6"  # of bitcoin in early October 2025, CoinDesk Research
MOST_RESPONSE = 1e6
MOST_FUND = 1e15
RULES = Rules()


def simulate_liquidation(
    portfolio: Portfolio,
    *,
    engine: str = "incremental",
    engine_settings: Sequence[str] = (),
    conditions: Conditions | None = None,
    **rules: Unpack[Tried],
) -> EngineReport:
    """Run an account below maintenance margin through a liquidation engine, step by step.

    Parameters
    ----------
    engine : a name, or the path of a TOML file; it brings its margin model where none is named
    engine_settings : changes of its parameters, `key=value`
    conditions : slippage, what acting costs a liquidator, and the insurance fund
    """
    from margincalc.answers.engines import Market, engine_report

    chosen = (engine, tuple(engine_settings))
    return engine_report(portfolio, rules_of(rules), chosen, conditions or Market())


def waterfall(
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
    policy : bitmex, binance or hyperliquid (queues), pro-rata, risk-aware, min-max-haircut, or
        socialised
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


def cascade(
    source: Source,
    *,
    against_isolated: bool = False,
    rules: Margins | None = None,
    **stress: Unpack[Spiralling],
) -> Study:
    """Run forced selling to where it stops, for every shock, over a population of accounts.

    Parameters
    ----------
    source : accounts read or drawn
    against_isolated : also run the same accounts with a pool per position
    rules : by which accounts with positions are margined
    """
    from margincalc.answers.cascade import cascade_study

    terms = _terms(stress, Spiralling, "-0.3:0.3:61")
    accounts = _accounts(source, rules)
    with accounts.margining():
        return cascade_study(accounts, terms, modes=against_isolated)


def monitor(source: Source, *, rules: Margins | None = None, **stress: Unpack[Stressed]) -> Study:
    """Show the systemic risk of a population on one page; arguments as of `cascade`."""
    from margincalc.answers.monitor import monitor_study

    terms = _terms(stress, Stressed, "-0.4:0.4:81")
    accounts = _accounts(source, rules)
    with accounts.margining():
        return monitor_study(accounts, terms)


def report_population(
    source: Source, *, rules: Margins | None = None, **stress: Unpack[Stressed]
) -> str:
    """Return a self-contained HTML page with monitor and cascade; arguments as of `cascade`."""
    from margincalc.answers.page_population import population_page
    from margincalc.report.html import population_text

    terms = _terms(stress, Stressed, "-0.4:0.4:81")
    accounts = _accounts(source, rules)
    depth, left = stress.get("depth", DEPTH), stress.get("depth_left", 1.0)
    with accounts.margining():
        page = population_page(accounts, terms, depth, left)
    return population_text(page)


def _accounts(source: Source, rules: Margins | None) -> Accounts:
    from margincalc.answers.accounts import Margins, accounts_of

    return accounts_of(source, rules or Margins())


def _terms(stress: Spiralling | Stressed, known: type, shocks: str) -> Terms:
    """Read what a population is put through; `shocks` where none are named."""
    from margincalc.answers.stress import Terms, dealers_of, law_of, shocks_of

    refuse_unknown(stress, known, "a population's stress")
    given: Spiralling = {**stress}
    volatility = _response("volatility", given.get("volatility_response", 0.0))
    margin = _response("margin", given.get("margin_response", 0.0))
    return Terms(
        shocks_of(given.get("shocks", shocks)),
        law_of(given.get("depth", DEPTH), given.get("depth_left", 1.0)),
        _fund(given.get("fund", 0.0)),
        volatility,
        given.get("progress"),
        margin,
        dealers_of(given.get("dealers")),
        given.get("deleverage"),
    )


def _fund(amount: float) -> float:
    """Refuse what no fund holds."""
    if not 0.0 <= amount <= MOST_FUND:
        raise input_error("--fund", shown(amount), f"an amount from 0 to {MOST_FUND:g}")
    return amount


def _response(name: str, response: float) -> float:
    """Refuse a rise of margins or volatility that is none."""
    if not 0.0 <= response <= MOST_RESPONSE:
        wanted = f"a share from 0 to {MOST_RESPONSE:g}"
        raise input_error(f"--{name}-response", shown(response), wanted)
    return response


def oracle(
    prices: str | Path,
    source: Source,
    terms: OracleTerms | None = None,
    *,
    symbol: str | None = None,
    rules: Margins | None = None,
) -> Study:
    """Replay price feeds over a history: false, late and missed liquidations, and bad debt.

    Parameters
    ----------
    prices : a CSV or Parquet history; a column `venue_price` is a venue's own price
    source : accounts read or drawn, at the first price of the history
    terms : the feeds
    symbol : of the history, where it has several
    """
    from margincalc.answers.accounts import line_from
    from margincalc.answers.oracle import OracleTerms, oracle_study
    from margincalc.files.prices import one_history

    history = one_history(prices, symbol)
    placed = source._replace(spot=float(history.price[0]))
    accounts = _accounts(placed, rules)
    with accounts.margining():
        line = line_from(accounts)
    return oracle_study(history, line, accounts.title, terms or OracleTerms())


def dynamic(
    prices: str | Path, terms: DynamicTerms | None = None, *, symbol: str | None = None
) -> Study:
    """Put static and dynamic scan ranges side by side on a history of daily prices."""
    from margincalc.answers.dynamic import DynamicTerms, dynamic_study, title_of
    from margincalc.files.prices import read_prices

    histories = read_prices(prices, symbol)
    return dynamic_study(histories, title_of(prices, histories), terms or DynamicTerms())


def dynamic_model(
    prices: str | Path,
    terms: DynamicTerms | None = None,
    *,
    rule: str = "buffer",
    name: str = "dynamic",
    symbol: str | None = None,
) -> str:
    """Return the TOML of a scan model whose ranges are what a rule asks after the last day."""
    from margincalc.answers.dynamic import DynamicTerms, model_text
    from margincalc.files.prices import read_prices

    return model_text(read_prices(prices, symbol), rule, terms or DynamicTerms(), name)


def transfer(
    portfolio: Portfolio, terms: TransferTerms | None = None, *, rules: Rules = RULES
) -> Study:
    """Say what an account over several venues can move, when to, and how long each lasts."""
    from margincalc.answers.venues import TransferTerms, transfer_study

    return transfer_study(margined(portfolio, rules, liquidation=True), terms or TransferTerms())


def collateral(
    portfolio: Portfolio, terms: CollateralTerms | None = None, *, rules: Rules = RULES
) -> Study:
    """Say how far each deposit may fall, alone and together with the spots."""
    from margincalc.answers.collateral import CollateralTerms, collateral_study

    return collateral_study(margined(portfolio, rules), terms or CollateralTerms())
