"""What pools hold: positions with the profit they have made, and deposits with their haircuts."""

from itertools import pairwise

import numpy as np

from margincalc.assembly.draft import Draft, Row, confidence
from margincalc.book import Kind, Pool
from margincalc.book.holdings import inverse_profit, linear_profit
from margincalc.portfolio import LEAST, Collateral, Haircut
from margincalc.portfolio.contracts import Contract, Resolved

_MONEY = "money"  # the row in which linear profits and unpaid amounts are booked
_QUOTE_ACCOUNT = "keep the account in its quote currency: `currency: USD`"


def hold(draft: Draft, pool: Pool, number: int, contract: Contract) -> None:
    """Book a position, the profit it has made and what it is still owed."""
    position = draft.portfolio.positions[number]
    entry = np.nan if position.entry_price is None else position.entry_price
    draft.held.append((pool, contract.name, position.quantity, entry))
    row = draft.rows[contract.name]
    money, coin = position.unsettled, 0.0
    if row.kind in (Kind.FUTURE, Kind.PERPETUAL) and position.entry_price is not None:
        size, forward = position.quantity * row.multiplier, row.fixed + row.variable
        if row.inverse and position.entry_price >= LEAST <= forward:  # else a fault
            coin, money = inverse_profit(size, position.entry_price, forward), 0.0
        elif not row.inverse:
            money += linear_profit(size, position.entry_price, forward)
    if row.inverse:
        coin, money = coin + position.unsettled, 0.0
    if money:
        draft.held.append((pool, _settlement(draft, None, contract), money, np.nan))
    if coin:
        draft.held.append((pool, _settlement(draft, contract.underlying, contract), coin, np.nan))


def _settlement(draft: Draft, coin: str | None, contract: Contract) -> str:
    """Return the name of the row for money or coin owed, adding it the first time."""
    name = _MONEY if coin is None else f"{coin} owed"
    if name not in draft.rows:
        own = draft.underlyings.index(contract.underlying)
        if coin is not None:
            spot = draft.portfolio.market[coin].spot
            draft.rows[name] = Row(name, Kind.SETTLEMENT, own, variable=spot)
        else:
            # In a coin account money itself moves, against the coin.
            moves_with = own if draft.coin else -1
            draft.rows[name] = Row(name, Kind.SETTLEMENT, moves_with, beta=0.0)
    return name


def add_deposit(draft: Draft, number: int, pool: Pool) -> None:
    """Add the row of a deposit, at its price, and the pool that holds it."""
    deposit = draft.portfolio.collateral[number]
    moves_with = deposit.moves_with or deposit.asset
    underlying = -1
    if moves_with in draft.underlyings:
        underlying = draft.underlyings.index(moves_with)
    beta = deposit.beta if underlying >= 0 else 0.0
    if draft.coin and underlying < 0:
        underlying = draft.underlyings.index(draft.portfolio.currency)
    name = deposit_name(deposit.asset, number, len(draft.portfolio.collateral))
    row = Row(
        name,
        Kind.COLLATERAL,
        underlying,
        variable=_asset_price(draft, deposit),
        beta=beta,
        cap=_per_unit(deposit, deposit.cap),
        confidence=confidence(deposit.confidence),
    )
    draft.rows[name] = _with_haircuts(row, deposit)
    draft.held.append((pool, _together(draft, number, name), deposit.quantity, np.nan))


def _together(draft: Draft, number: int, name: str) -> str:
    """Return the row that holds a deposit: that of the first of its asset on the same terms.

    A debt beside a deposit of its asset lessens it, as in an account at a venue, which has one
    balance of each asset. Caps and tiers are of each entry by itself.
    """
    deposit = draft.portfolio.collateral[number]
    if deposit.cap is not None or deposit.tiers:
        return name
    return draft.deposits.setdefault(deposit.model_copy(update={"quantity": 1.0}), name)


def deposit_name(asset: str, number: int, count: int) -> str:
    """Name the instrument of a deposit, one of `count`, numbered from 0."""
    # Names order rows, so the numbers are of one width.
    return f"{asset} deposit {number + 1:0{len(str(count))}d}"


def money_name(contract: Contract) -> str:
    """Name the instrument in which a contract's profits and premiums are owed."""
    return f"{contract.underlying} owed" if contract.inverse else _MONEY


def _with_haircuts(row: Row, deposit: Collateral) -> Row:
    """Add a deposit's haircuts, those of tiers as steps from one to the next."""
    written = [tier.haircut for tier in deposit.tiers] or [deposit.haircut]
    pairs = [
        (one.maintenance, one.initial) if isinstance(one, Haircut) else (one, one)
        for one in written
    ]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(pairs)]
    return row._replace(
        haircut=pairs[0][0],
        initial_haircut=pairs[0][1],
        tier_start=tuple(_per_unit(deposit, tier.up_to) for tier in deposit.tiers[:-1]),
        tier_step=tuple(step for step, _ in steps),
        initial_tier_step=tuple(step for _, step in steps),
    )


def _per_unit(deposit: Collateral, bound: float | None) -> float:
    """Return a bound per unit, so that a share of a deposit has its share of the bound."""
    if bound is None or deposit.quantity <= 0.0:
        return np.inf
    return bound / deposit.quantity


def _asset_price(draft: Draft, deposit: Collateral) -> float:
    """Return an asset's price in quote currency; it is written in the account's."""
    market = draft.portfolio.market
    if deposit.price is not None:
        return deposit.price * (market[draft.portfolio.currency].spot if draft.coin else 1.0)
    if deposit.asset not in market:
        return 1.0
    # A spot is in the unit of account; what the account settles in may trade below it.
    return market[deposit.asset].spot / (1.0 if draft.coin else draft.portfolio.stable_price)


def refuse_foreign_coin(draft: Draft, resolved: Resolved) -> None:
    """Refuse an account in one coin that holds what moves with another."""
    if not draft.coin:
        return
    currency = draft.portfolio.currency
    written = [(f"positions[{n}]", held) for n, held in enumerate(resolved.positions)]
    written += [(f"orders[{n}]", asked) for n, asked in enumerate(resolved.orders)]
    for path, contract in written:
        if contract.underlying != currency:
            draft.fault(
                f"{path}.instrument",
                f"a contract on {contract.underlying} in an account kept in {currency}",
                f"contracts on {currency}",
                _QUOTE_ACCOUNT,
            )
    for number, deposit in enumerate(draft.portfolio.collateral):
        follows = deposit.moves_with or deposit.asset
        if follows in draft.underlyings and follows != currency:
            draft.fault(
                f"collateral[{number}]",
                f"an asset that moves with {follows} in an account kept in {currency}",
                f"money and {currency}",
                _QUOTE_ACCOUNT,
            )
