"""From what is written of an instrument to its complete terms.

Each layer holds over the one before: the underlying's defaults, what the name says,
`instruments`, and what the position spells out. A layer completes a name and never contradicts it.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property, lru_cache

from margincalc.errors import did_you_mean, printable, shown
from margincalc.portfolio.contracts.contract import Contract, Faults
from margincalc.portfolio.contracts.layers import Layers, Said, said_by_entry, said_by_name
from margincalc.portfolio.names import EXAMPLE, NAMES, Kind, Terms, name_of, parse
from margincalc.portfolio.portfolio import Portfolio
from margincalc.portfolio.written import Forward, Instrument, Underlying
from margincalc.times import expiry_instant, years_between

MOST_YEARS = 100  # to an expiry: growth over a longer time need not be a number

_NEEDED: dict[Kind, tuple[str, ...]] = {
    "option": ("underlying", "expiry", "strike", "type"),
    "future": ("underlying", "expiry"),
    "perpetual": ("underlying",),
    "spot": ("underlying",),
}
_MEANINGLESS: dict[Kind, tuple[str, ...]] = {
    "option": (),
    "future": ("strike", "type", "exercise", "listed"),
    "perpetual": ("expiry", "strike", "type", "exercise", "listed"),
    "spot": ("expiry", "strike", "type", "exercise", "listed", "settlement", "multiplier"),
}
_EXAMPLES = {"underlying": "BTC", "expiry": "2026-12-25", "strike": "110000", "type": "call"}


class Resolver:
    """Resolves the instruments of one portfolio, each distinct one once."""

    def __init__(self, portfolio: Portfolio, faults: Faults) -> None:
        self._portfolio = portfolio
        self._market = portfolio.market
        self._faults = faults
        self._roots = {root: name for name, own in self._market.items() for root in own.roots}
        self._entries = {canonical(key): key for key in portfolio.instruments}
        self._known: dict[str | Instrument, Contract] = {}

    def contract(self, instrument: str | Instrument, path: str) -> Contract | None:
        """Return the contract written at `path`; None when it is faulty."""
        known = self._known.get(instrument)
        if known is not None:
            return known
        if isinstance(instrument, str):
            contract = self._named(instrument, path)
        else:
            contract = self._spelled(instrument, path)
        if contract is None or self._expired(contract, path) or self._remote(contract, path):
            return None
        self._known[instrument] = contract
        return contract

    def _named(self, name: str, path: str) -> Contract | None:
        try:
            terms = parse(name)
        except ValueError as error:
            found = f"{shown(name)} ({error})"
            self._faults.add(path, found, "a contract that can exist", "correct the name")
            return None
        if terms is None and name in self._market:
            terms = Terms("spot", name)
        name = canonical(name)
        written = Layers(path, name, self._layers(path, terms, name))
        if not written.layers:
            self._unknown(name, path)
            return None
        return self._complete(written)

    def _spelled(self, instrument: Instrument, path: str) -> Contract | None:
        own = (path, said_by_entry(instrument))
        contract = self._complete(Layers(path, None, (own,)))
        if contract is None:
            return None
        terms = _terms(contract, instrument.underlying or contract.underlying)
        name = name_of(terms)
        layers = self._layers(path, terms, name)
        named = self._complete(Layers(path, name, layers))
        contract = self._complete(Layers(path, None, (*layers[1:], own)))
        return None if named is None or contract is None else _distinguished(contract, named)

    def _layers(self, path: str, terms: Terms | None, name: str) -> tuple[tuple[str, Said], ...]:
        """Return what a name says, and what `instruments` adds."""
        layers = []
        if terms is not None:
            layers.append((path, said_by_name(terms, self._market)))
        if (key := self._entries.get(name)) is not None:
            layers.append((f"instruments.{key}", said_by_entry(self._portfolio.instruments[key])))
        return tuple(layers)

    def _complete(self, written: Layers) -> Contract | None:
        """Check the terms of all layers together, then add the underlying's defaults."""
        before = len(self._faults)
        self._check_agreement(written)
        if len(self._faults) > before:
            return None
        merged = written.merged()
        kind = merged.get("kind") or _kind(merged)
        if kind is None:
            path, wanted = written.path, "one of option, future, perpetual, spot"
            self._faults.add(path, "an instrument without kind", wanted, "add `kind: perpetual`")
            return None
        self._check_terms(written, merged, kind)
        underlying = self._underlying(written, merged.get("underlying"))
        if underlying is None or len(self._faults) > before:
            return None
        if self._listed_inverse(written, merged, self._market[underlying]):
            return None
        merged["kind"], merged["underlying"] = kind, underlying
        return _contract(written.name or "", merged, self._market[underlying])

    def _check_agreement(self, written: Layers) -> None:
        """Refuse what contradicts the name."""
        if written.name is None or written.layers[0][0] != written.path:
            return
        said = written.layers[0][1]
        for path, layer in written.layers[1:]:
            for field in ("kind", "expiry", "strike", "type", "settlement"):
                named, stated = said.get(field), layer.get(field)
                if named is None or stated is None or named == stated:
                    continue
                if field == "expiry" and str(stated)[:10] == named:
                    continue  # the same day, with its time
                found = f"{shown(stated)}, which contradicts the name {printable(written.name)}"
                self._faults.add(f"{path}.{field}", found, shown(named), f"leave `{field}` out")

    def _check_terms(self, written: Layers, merged: Said, kind: Kind) -> None:
        """Refuse terms that are missing, and terms that this kind of instrument has not."""
        missing = [field for field in _NEEDED[kind] if field not in merged]
        if missing:
            self._incomplete(written, _a(kind), missing)
        for field in _MEANINGLESS[kind]:
            if field in merged:
                remedy = f"leave `{field}` out, or correct `kind`"
                found = f"{field} {shown(merged.get(field))} of {_a(kind)}"
                self._faults.add(written.path_of(field), found, f"{_a(kind)} without it", remedy)

    def _listed_inverse(self, written: Layers, merged: Said, own: Underlying) -> bool:
        listed = merged.get("listed", own.listed)
        if merged.get("settlement") != "inverse" or not listed:
            return False
        path = written.path_of("settlement")
        self._faults.add(path, "inverse settlement of a listed option", "linear settlement")
        return True

    def _incomplete(self, written: Layers, what: str, missing: list[str]) -> None:
        found = f"{what} without {' and '.join(missing)}"
        examples = " and ".join(f"`{field}: {_EXAMPLES[field]}`" for field in missing)
        self._faults.add(written.path, found, "all of its terms", f"add its own, as {examples}")

    def _underlying(self, written: Layers, name: str | None) -> str | None:
        """Return the key in `market` of a contract's underlying or option root."""
        if name is None or not self._market:  # a fault already, or the market is missing
            return None
        if name in self._market or name in self._roots:
            return name if name in self._market else self._roots[name]
        remedy = (
            did_you_mean(name, self._market) or f"add {printable(name)} to `market`, with its spot"
        )
        wanted = f"an underlying in `market`, which has {_some(self._market)}"
        self._faults.add(
            written.path_of("underlying"), f"the unknown underlying {shown(name)}", wanted, remedy
        )
        return None

    def _unknown(self, name: str, path: str) -> None:
        upper = canonical(name.upper())
        near = f"did you mean `{upper}`?" if _is_name(upper) else self._faults.near(name, self._all)
        spelled = ", ".join(f"{field}: {example}" for field, example in _EXAMPLES.items())
        remedy = near or f"or spell it out: {{{spelled}}}"
        self._faults.add(path, f"the unknown instrument {shown(name)}", EXAMPLE, remedy)

    @cached_property
    def _all(self) -> set[str]:
        """All names that the market knows."""
        quoted = map(canonical, self._portfolio.quotes)
        perpetuals = (f"{own}-PERPETUAL" for own in self._market)
        return {*self._market, *self._entries, *quoted, *perpetuals}

    def _expired(self, contract: Contract, path: str) -> bool:
        as_of = self._portfolio.as_of
        if as_of is None or contract.expiry is None or contract.expiry > as_of:
            return False
        if self._awaits_payment(contract.underlying, contract.expiry):
            return False
        self._faults.add(
            path,
            f"{printable(contract.name)}, which expired {contract.expiry:%Y-%m-%d %H:%M} UTC",
            f"an expiry after as_of, {as_of:%Y-%m-%d %H:%M} UTC",
            "leave the expired contract out and book its settlement, or correct `as_of`",
        )
        return True

    def _remote(self, contract: Contract, path: str) -> bool:
        as_of = self._portfolio.as_of
        if as_of is None or contract.expiry is None:
            return False
        if years_between(as_of, contract.expiry) <= MOST_YEARS:
            return False
        found = f"{printable(contract.name)}, which expires {contract.expiry:%Y-%m-%d}"
        wanted = f"an expiry at most {MOST_YEARS} years after as_of, {as_of:%Y-%m-%d}"
        self._faults.add(path, found, wanted, "correct the expiry, or `as_of`")
        return True

    def _awaits_payment(self, underlying: str, expiry: dt.datetime) -> bool:
        """Whether an expiry's settlement price is known: its forward is wholly fixed."""
        expiries = self._market[underlying].expiries
        quoted = expiries.get(expiry.isoformat()) or expiries.get(expiry.date().isoformat())
        forward = quoted.forward if quoted is not None else None
        return isinstance(forward, Forward) and forward.variable == 0.0


@lru_cache(NAMES)
def canonical(name: str) -> str:
    """Return a name as contracts carry it: `BTC-6FEB26` for `BTC-06FEB26`."""
    try:
        terms = parse(name)
    except ValueError:
        return name
    return name if terms is None else name_of(terms)


def _is_name(name: str) -> bool:
    try:
        return parse(name) is not None
    except ValueError:
        return False


def _kind(merged: Said) -> Kind | None:
    """Infer the kind that spelled-out terms leave unsaid."""
    if "strike" in merged or "type" in merged:
        return "option"
    return "future" if "expiry" in merged else None


def _contract(name: str, merged: Said, own: Underlying) -> Contract:
    """Complete checked terms with the defaults of their underlying."""
    kind, underlying, lot = merged["kind"], merged["underlying"], merged.get("lot")
    if kind == "spot":  # a holding, to which defaults of contracts do not apply
        fee = merged.get("fee")
        return Contract(name, kind, underlying, listed=bool(own.listed), lot=lot, fee=fee)
    option = kind == "option"
    listed = option and bool(merged.get("listed", own.listed))
    settlement = merged.get("settlement") or ("linear" if listed else own.settlement)
    exercise = merged.get("exercise") or own.exercise or ("american" if listed else "european")
    return Contract(
        name,
        kind,
        underlying,
        _expiry(merged.get("expiry"), own, listed=listed),
        merged.get("strike", 0.0),
        merged.get("type") == "call",
        settlement == "inverse",
        merged.get("multiplier") or own.multiplier or (100.0 if listed else 1.0),
        option and exercise == "american",
        listed,
        lot or own.lot,
        merged.get("fee", own.fee),
    )


def _expiry(key: str | None, own: Underlying, *, listed: bool) -> dt.datetime | None:
    """Return when a contract expires; the market may know the time of its day."""
    if key is None:
        return None
    timed = [known for known in own.expiries if known[:10] == key and known != key]
    if len(timed) == 1 and key not in own.expiries:
        key = timed[0]
    return expiry_instant(key, listed=listed)


def _terms(contract: Contract, base: str) -> Terms:
    day = None if contract.expiry is None else contract.expiry.date()
    return Terms(contract.kind, base, None, day, contract.strike, contract.call, contract.listed)


def _distinguished(contract: Contract, named: Contract) -> Contract:
    """Name a spelled-out contract: like the named one of equal terms, else by what differs."""
    differences = [
        text
        for text, here, there in (
            ("inverse" if contract.inverse else "linear", contract.inverse, named.inverse),
            (f"x{shown(contract.multiplier)}", contract.multiplier, named.multiplier),
            ("american" if contract.american else "european", contract.american, named.american),
            (f"{contract.expiry:%H:%M}" if contract.expiry else "", contract.expiry, named.expiry),
            (f"lot {shown(contract.lot)}", contract.lot, named.lot),
            (f"fee {shown(contract.fee)}", contract.fee, named.fee),
        )
        if here != there
    ]
    return replace(contract, name=" ".join([named.name, *differences]))


def _a(kind: Kind) -> str:
    return {"option": "an option", "spot": "a spot holding"}.get(kind, f"a {kind}")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return printable(", ".join(ordered[:8])) + (", ..." if len(ordered) > 8 else "")
