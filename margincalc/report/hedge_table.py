"""`hedge`: what to trade and deposit, the account before and after, and what else would do."""

from margincalc.answers.hedge_results import HedgePool, HedgeReport, HedgeTrade
from margincalc.answers.results import MarginReport
from margincalc.hedge.aims import OPTIONS
from margincalc.report import numbers, parts
from margincalc.report.layout import Block, Column, Row, name, packed, table, wrapped

_TRADES = (
    Column("Trade", left=True),
    Column("quantity"),
    Column("held", rank=2),
    Column("mark", rank=1),
    Column("premium", rank=3),
    Column("cost"),
)
_STATES = (Column("", left=True), Column("before"), Column("after"), Column("change", rank=1))
_ALONE = (Column("Instead", left=True), Column("size"), Column("cost"))
METHODS = {
    "none needed": "nothing is needed",
    "optimal": "the cheapest there is",
    "branching stopped": "the best of whole lots so far{bound}",
    "local search": "it holds; others may be cheaper{bound}",
    "infeasible": "there is no answer",
}
"""What is said of an answer, by how it was found."""
_FEW = 5  # scenarios that are shown


def hedge_blocks(report: HedgeReport, width: int) -> list[Block]:
    """Return the answer, before and after, then each pool's alternatives and prices."""
    blocks = [
        parts.heading(report, width),
        wrapped(asked(report), width),
    ]
    several = len(report.pools) > 1
    for pool in report.pools:
        if several:
            blocks.append([f"Pool {name(pool.pool)}"])
        blocks += _pool(pool, report.currency, width)
    blocks.append(_states(report, width))
    return blocks


def asked(report: HedgeReport) -> str:
    """Say what was to hold, and over which markets."""
    text = f"Target: maintenance at most {numbers.percent(report.target)} of equity"
    if report.initial_target is not None:
        text += f", initial margin at most {numbers.percent(report.initial_target)} now"
    ranges = {"spot": report.spot_range, "volatility": report.volatility_range}
    over = [
        f"{what} {numbers.move(low)} to {numbers.move(high)}"
        for what, (low, high) in ranges.items()
        if low != high
    ]
    return f"{text}; over {' and '.join(over)}" if over else f"{text}, in the present market"


def _pool(pool: HedgePool, currency: str, width: int) -> list[Block]:
    """Return one pool's blocks."""

    def money(value: float) -> str:
        return numbers.amount(value, currency)

    if not pool.feasible:
        head = [f"NOT FEASIBLE: {verdict(pool, currency)}"]
        why = [line for reason in pool.reasons for line in wrapped(f"- {reason}", width)]
        nearest = _trades(pool.nearest, currency, width)
        best = ["Least is missing with", *nearest] if nearest else []
        return [[*head, *why], best, _alone(pool, currency, width), _rules(pool, width)]
    total = [
        f"Cost {money(pool.total_cost)}",
        f"trades {money(pool.trade_cost)}",
        f"deposit {money(pool.deposit)}",
        f"({verdict(pool, currency)})",
    ]
    return [
        packed(total, width),
        _trades(pool.trades, currency, width),
        _alone(pool, currency, width),
        _prices(pool, currency, width),
        _rules(pool, width),
    ]


def verdict(pool: HedgePool, currency: str) -> str:
    """Say how good an answer is; that none costs less than nothing goes without saying.

    What a search does not find may exist.
    """
    if not pool.feasible and pool.not_convex:
        return "no answer was found"
    least = f"; none costs less than {numbers.amount(pool.bound, currency)}" if pool.bound else ""
    return METHODS[pool.method].format(bound=least)


def _trades(trades: tuple[HedgeTrade, ...], currency: str, width: int) -> Block:
    """Return a line per trade; of many, the dearest."""
    if not trades:
        return []
    shown = parts.largest(trades, lambda trade: trade.cost)
    rows: list[Row] = [
        (
            f"{'buy' if trade.quantity > 0.0 else 'sell'} {name(trade.instrument)}",
            size_of(trade.quantity),
            numbers.quantity(trade.held),
            numbers.price(trade.mark_price),
            numbers.amount(trade.premium, currency, sign=True),
            numbers.amount(trade.cost, currency),
        )
        for trade in shown
    ]
    return table(_TRADES, rows, width) + parts.unshown(len(trades), "trades", width)


def size_of(quantity: float) -> str:
    """Return a quantity with its sign, and no more digits than a trader has use for."""
    text = f"{quantity:+,.6f}" if abs(quantity) < 1e6 else f"{quantity:+,.2f}"
    return text.rstrip("0").rstrip(".")


def _alone(pool: HedgePool, currency: str, width: int) -> Block:
    """Return what a deposit alone, and closing trades alone, would take."""
    deposit, reduction = pool.deposit_alone, pool.reduction_alone
    rows: list[Row] = []
    if deposit is None:
        rows.append(("deposit alone", "does not do", ""))
    else:
        size, cost = (numbers.amount(each, currency) for each in (deposit.deposit, deposit.cost))
        broken = ", ".join(OPTIONS[each] for each in deposit.beyond)
        rows.append(("deposit alone", size, cost))
        if broken:
            rows.append((f"  beyond {broken}", "", ""))
    if reduction is None:
        rows.append(("reduction alone", "does not do", ""))
    else:
        rows.append(("reduction alone", "", numbers.amount(reduction.cost, currency)))
        rows += [
            (f"  {name(trade.instrument)}", size_of(trade.quantity), "")
            for trade in parts.largest(reduction.trades, lambda trade: trade.cost)
        ]
    return table(_ALONE, rows, width)


def _prices(pool: HedgePool, currency: str, width: int) -> Block:
    """Return what one more dollar, and one less of a scenario's loss, would save."""
    if pool.dollar is None:
        return []
    unit = name(currency)
    lines = wrapped(f"One {unit} more of equity would save {numbers.price(pool.dollar)}", width)
    for line in pool.scenarios[:_FEW]:
        where = [
            f"{what} {numbers.move(move)}"
            for what, move in (("spot", line.spot), ("volatility", line.volatility))
            if move
        ]
        at = f", from {' and '.join(where)}" if where else ""
        text = f"one {unit} less of loss in {line.scenario}{at}: {numbers.price(line.worth)}"
        lines += wrapped(f"{name(line.underlying)}, {text}", width, indent="  ")
    return lines


def _rules(pool: HedgePool, width: int) -> Block:
    if not pool.not_convex:
        return []
    return wrapped(f"Rules without a linear form: {'; '.join(pool.not_convex)}", width)


def _states(report: HedgeReport, width: int) -> Block:
    """Return the account's figures before and, where there is an answer, after."""
    before, after = report.before, report.after or report.before
    money = ("equity", "initial_margin", "maintenance_margin", "excess")
    rows: list[Row] = [
        (
            numbers.words(key).capitalize(),
            numbers.amount(getattr(before, key), report.currency),
            numbers.amount(getattr(after, key), report.currency),
            numbers.amount(getattr(after, key) - getattr(before, key), report.currency, sign=True),
        )
        for key in money
    ]
    ratios = [numbers.percent(state.margin_ratio, report.target) for state in (before, after)]
    rows.append(("Margin ratio", *ratios, ""))
    rows.append(("Status", before.status.upper(), after.status.upper(), ""))
    rows += _by_underlying(before, after)
    shown = len(_STATES) if report.after is not None else 2
    return table(_STATES[:shown], [row[:shown] for row in rows], width)


def _crossing(before: MarginReport) -> str:
    """Return what the nearest prices are: of an account that is liquidatable, where that ends."""
    return "edge" if before.status == "liquidatable" else "liquidation"


def _by_underlying(before: MarginReport, after: MarginReport) -> list[Row]:
    """Return liquidation prices, delta and vega of each underlying."""
    rows: list[Row] = []
    for key, line in before.liquidation.items():
        other = after.liquidation.get(key)
        for side in ("below", "above"):
            prices = [
                numbers.level(getattr(each, side), line.spot) if each is not None else numbers.NONE
                for each in (line, other)
            ]
            rows.append((f"{name(key)} {_crossing(before)} {side}", *prices, ""))
    for key in dict.fromkeys((*before.greeks, *after.greeks)):
        states = [state.greeks.get(key) for state in (before, after)]
        for index, title in ((0, "delta"), (2, "vega/pt")):
            cells = [numbers.greeks(each)[index] if each else "0" for each in states]
            rows.append((f"{name(key)} {title}", *cells, ""))
    return rows
