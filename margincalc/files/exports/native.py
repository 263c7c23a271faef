"""What exports make together: the mapping that a native file would hold."""

from typing import Any

from margincalc.files.exports.draft import MONEY, Draft
from margincalc.times import zulu


def native(draft: Draft) -> dict[str, Any]:
    """Return what a native file would hold."""
    wanted = _wanted(draft)
    _infer_spots(draft, wanted)
    bases = sorted({*draft.spots} & wanted)
    coins = {terms.base for terms, inverse in draft.contracts.values() if inverse}
    if others := len({*draft.spots} - wanted):
        draft.remark(f"the market of {others} other underlyings is left out: nothing is held")
    return {
        key: value
        for key, value in {
            "account": draft.account or "account",
            "currency": draft.currency or "USD",
            "as_of": zulu(draft.moment) if draft.moment is not None else None,
            "stable_price": draft.stable_price,
            "stated": _stated(draft),
            "market": {base: _market(draft, base, inverse=base in coins) for base in bases},
            "instruments": _instruments(draft),
            "quotes": {
                name: said for name, said in draft.quotes.items() if _base(draft, name) in wanted
            },
            "positions": draft.positions,
            "orders": draft.orders,
            "collateral": _collateral(draft),
        }.items()
        if value
    }


def _base(draft: Draft, name: str) -> str:
    return draft.contracts[name][0].base if name in draft.contracts else name


def _wanted(draft: Draft) -> set[str]:
    """Return the underlyings of what is held, ordered or deposited; of a market alone, all."""
    held = {_base(draft, entry["instrument"]) for entry in [*draft.positions, *draft.orders]}
    deposited = {*draft.deposits} & {*draft.spots}
    return held | deposited or {*draft.spots, *(own.base for own, _ in draft.contracts.values())}


def _infer_spots(draft: Draft, wanted: set[str]) -> None:
    """Where no index is given, the perpetual's mark stands for it, else the first forward."""
    priced = _priced(draft)
    for base in sorted(wanted - {*draft.spots}):
        found = draft.perpetuals.get(base, {}).get("mark"), f"the mark of {base}-PERPETUAL"
        if found[0] is None and base in priced:
            found = priced[base][1], priced[base][2]
        if found[0] is None:
            said = draft.forwards.pop(base, {})
            lost = f"; {len(said)} forwards of it are left out" if said else ""
            draft.remark(f"no spot of {base} in these files: give it with --market{lost}")
            continue
        draft.spots[base] = found[0]
        draft.remark(f"no spot of {base} in these files: {found[1]} stands for it")


def _priced(draft: Draft) -> dict[str, tuple[str, float, str]]:
    """Return what is priced like each underlying, the first to expire: day, price and name.

    These are linear perpetuals, futures and forwards.
    """
    found: dict[str, list[tuple[str, float, str]]] = {}
    for name, (terms, _) in draft.contracts.items():
        mark = draft.quotes.get(name, {}).get("mark")
        if mark and terms.kind in ("future", "perpetual"):
            day = terms.expiry.isoformat() if terms.expiry else ""
            found.setdefault(terms.base, []).append((day, mark, f"the mark of {name}"))
    for base, expiries in draft.forwards.items():
        near = [(day, price, f"the forward of {day}") for day, price in expiries.items()]
        found.setdefault(base, []).extend(near)
    return {base: min(entries) for base, entries in found.items()}


def _market(draft: Draft, base: str, *, inverse: bool) -> dict[str, Any]:
    expiries: dict[str, dict[str, float]] = {}
    for kind, said in (("forward", draft.forwards), ("rate", draft.expiry_rates)):
        for day, value in sorted(said.get(base, {}).items()):
            expiries.setdefault(day, {})[kind] = value
    own = {
        "spot": draft.spots[base],
        "rate": draft.rates.get(base),
        "settlement": "inverse" if inverse else None,
        "listed": base in draft.stocks,
        "perpetual": draft.perpetuals.get(base),
        "expiries": dict(sorted(expiries.items())),
    }
    return {key: value for key, value in own.items() if value}


def _instruments(draft: Draft) -> dict[str, Any]:
    """Return the terms of what is held, of inverse contracts too where no market says so."""
    held = {entry["instrument"] for entry in [*draft.positions, *draft.orders]}
    found: dict[str, dict[str, Any]] = {name: {} for name in sorted(held)}
    for name in held & {*draft.contracts}:
        terms, inverse = draft.contracts[name]
        if inverse and terms.base not in draft.spots:
            found[name]["settlement"] = "inverse"
    for name in held:
        lots = draft.lots.get(name, {})
        said = {key: lots[key] for key in ("lot", "fee") if key in lots}
        found[name] |= draft.instruments.get(name, {}) | said
    return {name: said for name, said in found.items() if said}


def _collateral(draft: Draft) -> list[dict[str, Any]]:
    """Return deposits; the price of what the market prices is the market's."""
    for asset, entry in draft.deposits.items():
        if asset in draft.spots or asset in MONEY:
            entry.pop("price", None)
        elif "price" not in entry:
            draft.remark(f"no price of {asset} in these files: give it with --market")
    return [*draft.deposits.values()]


def _stated(draft: Draft) -> dict[str, Any] | None:
    of_account = [part for part in draft.parts if part.of_account]
    whole, source = dict(draft.stated), draft.stated_by
    for part in [] if whole else of_account or draft.parts:
        price = 1.0 if part.currency in MONEY else draft.spots.get(part.currency)
        if price is None:
            draft.remark(f"no spot of {part.currency}: what is stated in it is left out")
            return None
        source = part.source
        for name, amount in part.figures.items():
            whole[name] = whole.get(name, 0.0) + amount * price
    return {"source": source, **whole} if whole else None
