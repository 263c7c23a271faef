"""What must agree between the parts of a portfolio, beyond the terms of its instruments."""

from collections.abc import Sequence

from margincalc.errors import did_you_mean, printable, shown
from margincalc.portfolio.contracts.contract import Contract, Faults
from margincalc.portfolio.contracts.terms import canonical
from margincalc.portfolio.portfolio import Portfolio
from margincalc.portfolio.written import Collateral, Order, Position

DOLLARS = ("USD", "USDC", "USDT", "USDE", "USDS", "DAI", "FDUSD", "PYUSD", "USD1", "USDG", "BUSD")
MONEY = (
    *DOLLARS,
    *("EUR", "EURC", "GBP", "CHF", "JPY", "CNH", "CNY", "HKD", "SGD", "KRW", "INR", "AUD"),
    *("NZD", "CAD", "MXN", "BRL", "SEK", "NOK", "DKK", "PLN", "CZK", "TRY", "ZAR", "ILS", "AED"),
)


def check_account(portfolio: Portfolio, faults: Faults) -> None:
    """Check the time, the currency, the market and the collateral."""
    if portfolio.as_of is None:
        remedy = "add `as_of: 2026-11-20T08:00:00Z`, or pass --as-of; the clock is never read"
        faults.add("as_of", "no time", "the time of the valuation", remedy)
    _check_currency(portfolio, faults)
    cash_only = portfolio.collateral and not (portfolio.positions or portfolio.orders)
    if not portfolio.market and not cash_only:
        remedy = "add `market: {BTC: {spot: 100000}}`, or pass --market FILE"
        faults.add("market", "no market", "the underlyings and their spot prices", remedy)
    for number in range(len(portfolio.collateral)):
        _check_collateral(portfolio, number, faults)


def _check_currency(portfolio: Portfolio, faults: Faults) -> None:
    currency = portfolio.currency
    if currency not in MONEY and currency not in portfolio.market:
        near = did_you_mean(currency, [*MONEY, *portfolio.market])
        wanted = "money such as USD, USDC or EUR, or an underlying in `market`"
        faults.add("currency", f"the unknown currency {shown(currency)}", wanted, near)


def _check_collateral(portfolio: Portfolio, number: int, faults: Faults) -> None:
    deposit, market = portfolio.collateral[number], portfolio.market
    if deposit.price is None and not _priced(deposit.asset, portfolio):
        faults.add(
            f"collateral[{number}]",
            f"{shown(deposit.asset)} without a price",
            f"its price in {portfolio.currency}, as it is no underlying in `market`",
            did_you_mean(deposit.asset, market) or f"add `price`: the {portfolio.currency} for one",
        )
    follows = deposit.moves_with
    if follows is not None and follows != "none" and follows not in market:
        remedy = did_you_mean(follows, market) or "write `none` if it does not move"
        wanted = "an underlying in `market`, or `none`"
        found = f"the unknown underlying {shown(follows)}"
        faults.add(f"collateral[{number}].moves_with", found, wanted, remedy)
    _check_tiers(deposit, f"collateral[{number}]", faults)


def _check_tiers(deposit: Collateral, place: str, faults: Faults) -> None:
    """Check that tiers follow each other, the last of them open."""
    if not deposit.tiers:
        return
    if deposit.haircut != 0.0:
        remedy = "leave out `haircut`, or make it the tiers' first"
        faults.add(f"{place}.haircut", "a haircut beside tiers", "one of the two", remedy)
    before = 0.0
    for number, tier in enumerate(deposit.tiers[:-1]):
        at = f"{place}.tiers[{number}]"
        if tier.up_to is None:
            faults.add(at, "no `up_to`", "the value to which it applies", "only the last has none")
        elif tier.up_to <= before:
            wanted = f"more than the {before:.15g} of the tier before"
            faults.add(f"{at}.up_to", f"{tier.up_to:.15g}", wanted, "list tiers by ascending value")
        before = tier.up_to or before
    if deposit.tiers[-1].up_to is not None:
        at = f"{place}.tiers[{len(deposit.tiers) - 1}].up_to"
        remedy = "add `- {haircut: 1.0}` for value that does not count"
        faults.add(at, f"{deposit.tiers[-1].up_to:.15g}", "a last tier without bound", remedy)


def _priced(asset: str, portfolio: Portfolio) -> bool:
    """Whether an asset's price is known: an underlying, the account's own money, or its like."""
    if asset in portfolio.market or asset == portfolio.currency:
        return True
    dollars = portfolio.currency in DOLLARS or portfolio.currency in portfolio.market
    return dollars and asset in DOLLARS


def check_quantities(portfolio: Portfolio, faults: Faults) -> None:
    """Refuse quantities of zero, which are slips of the pen."""
    sections: dict[str, Sequence[Position | Order]] = {
        "positions": portfolio.positions,
        "orders": portfolio.orders,
    }
    for section, entries in sections.items():
        for number, entry in enumerate(entries):
            if entry.quantity == 0:
                path = f"{section}[{number}].quantity"
                faults.add(path, "0", "a quantity other than 0", "leave an empty entry out")


def check_marks(portfolio: Portfolio, contracts: Sequence[Contract | None], faults: Faults) -> None:
    """Refuse two different marks or volatilities of one instrument."""
    seen: dict[tuple[str, str], tuple[float, str]] = {}

    def note(name: str, what: str, value: float | None, path: str) -> None:
        if value is None:
            return
        first, where = seen.setdefault((name, what), (value, path))
        if first != value:
            found = f"the {what} {value:g} of {printable(name)}"
            wanted = f"the {first:g} that it has at {portfolio.place(where)}"
            faults.add(path, found, wanted, f"state its {what} once")

    for key, quote in portfolio.quotes.items():
        name = canonical(key)
        note(name, "mark", quote.mark, f"quotes.{key}.mark")
        note(name, "volatility", quote.volatility, f"quotes.{key}.volatility")
    for number, (contract, position) in enumerate(zip(contracts, portfolio.positions, strict=True)):
        if contract is not None:
            path = f"positions[{number}]"
            note(contract.name, "mark", position.mark_price, f"{path}.mark_price")
            note(contract.name, "volatility", position.volatility, f"{path}.volatility")


def owed(portfolio: Portfolio) -> tuple[str, ...]:
    """Return a note for each debt of which something is said that is of deposits only."""
    return tuple(
        f"collateral[{number}] is owed; its {' and '.join(said)} would be of a deposit"
        for number, deposit in enumerate(portfolio.collateral)
        if deposit.quantity < 0.0
        and (said := [n for n in ("haircut", "tiers", "cap") if getattr(deposit, n)])
    )


def netted(portfolio: Portfolio, contracts: Sequence[Contract]) -> tuple[str, ...]:
    """Return a note for each instrument that several positions of one group and venue hold."""
    held: dict[tuple[str, str | None, str | None], list[str]] = {}
    for number, (contract, position) in enumerate(zip(contracts, portfolio.positions, strict=True)):
        key = (contract.name, position.group, position.venue)
        held.setdefault(key, []).append(f"positions[{number}]")
    return tuple(
        f"{', '.join(paths[:-1])} and {paths[-1]} are all {printable(name)} and are netted"
        if len(paths) > 2
        else f"{paths[0]} and {paths[1]} are both {printable(name)} and are netted"
        for (name, _, _), paths in held.items()
        if len(paths) > 1
    )
