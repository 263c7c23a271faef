"""What to do: the cheapest trades and deposit, now and over a range of spot."""

from margincalc.answers.hedge_results import HedgePool, HedgeReport, HedgeTrade
from margincalc.answers.page_results import Page
from margincalc.report import numbers, parts
from margincalc.report.hedge_table import asked, size_of, verdict
from margincalc.report.html import first
from margincalc.report.html.elements import Markup, joined, note, panel, section, table, tag
from margincalc.report.html.refusal import refused
from margincalc.report.layout import name

_MONEY = ("equity", "initial_margin", "maintenance_margin", "excess")


def what_to_do(page: Page) -> Markup:
    """Return the section."""
    return section(
        "cure",
        "What to do",
        "The cheapest trades and deposit that hold the target; each answer was margined anew.",
        *(panel(asked(hedge), _hedge(hedge)) for hedge in page.hedges),
        refused(page, "hedge_0", "Hedge in the present market"),
        refused(page, "hedge_1", "Hedge over a range of spot"),
    )


def _hedge(report: HedgeReport) -> Markup:
    several = len(report.pools) > 1
    shown = parts.largest(report.pools, lambda pool: pool.total_cost)
    pools = (_pool(pool, report.currency, several=several) for pool in shown)
    more = first.more(len(report.pools), "pools")
    return joined([*pools, more, _states(report) if report.trades or report.deposit else Markup()])


def _pool(pool: HedgePool, currency: str, *, several: bool) -> Markup:
    def money(value: float) -> str:
        return numbers.amount(value, currency)

    said = verdict(pool, currency)
    own = f"{name(pool.pool)}: " if several else ""
    if not pool.feasible:
        reasons = [tag("li", reason) for reason in pool.reasons]
        head = tag("p", tag("b", f"{own}not feasible: "), said)
        return joined([head, tag("ul", *reasons) if reasons else "", _alone(pool, currency)])
    if not pool.trades and not pool.deposit:
        return tag("p", f"{own}{said}".capitalize() if not own else f"{own}{said}", ".")
    amounts = f" for trades {money(pool.trade_cost)}, deposit {money(pool.deposit)}; {said}."
    cost = tag("p", tag("b", f"{own}cost {money(pool.total_cost)}"), amounts)
    return joined([cost, _trades(pool.trades, currency), _alone(pool, currency)])


def _trades(trades: tuple[HedgeTrade, ...], currency: str) -> Markup:
    shown = parts.largest(trades, lambda trade: trade.cost)
    rows = [
        (
            f"{'Buy' if trade.quantity > 0.0 else 'Sell'} {name(trade.instrument)}",
            size_of(trade.quantity),
            numbers.price(trade.mark_price),
            numbers.amount(trade.premium, currency, sign=True),
            numbers.amount(trade.cost, currency),
        )
        for trade in shown
    ]
    heads = ("Trade", "quantity", "mark", "premium", "cost")
    return joined([table(heads, rows), first.more(len(trades), "trades")])


def _alone(pool: HedgePool, currency: str) -> Markup:
    """Say what a deposit alone, and closing trades alone, would take."""
    if pool.deposit_alone is None:
        deposit = "A deposit alone does not do"
    else:
        deposit = f"A deposit alone: {numbers.amount(pool.deposit_alone.deposit, currency)}"
        deposit += " (beyond a limit)" if pool.deposit_alone.beyond else ""
    if pool.reduction_alone is None:
        return note(f"{deposit}; closing trades alone do not do.")
    cost = numbers.amount(pool.reduction_alone.cost, currency)
    return note(f"{deposit}; closing trades alone cost {cost}.")


def _states(report: HedgeReport) -> Markup:
    """Return the account's figures before and after."""
    before, after = report.before, report.after
    if after is None:
        return Markup()
    rows = [
        (
            numbers.words(key).capitalize(),
            *(numbers.amount(getattr(state, key), report.currency) for state in (before, after)),
        )
        for key in _MONEY
    ]
    ratios = (numbers.percent(state.margin_ratio, report.target) for state in (before, after))
    rows.append(("Margin ratio", *ratios))
    rows.append(("Status", before.status.upper(), after.status.upper()))
    return table(("Account", "before", "after"), rows)
