"""From what is written of an instrument to its complete terms.

Each layer holds over the one before: the underlying's defaults, what the name says,
`instruments`, and what the position spells out. A layer completes a name and never contradicts it.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from margincalc.errors import did_you_mean, printable, shown
from margincalc.portfolio.contracts.contract import Contract, Faults
from margincalc.portfolio.names import EXAMPLE, Kind, Terms, name_of, parse
from margincalc.portfolio.written import Forward, Instrument, Portfolio, Underlying
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


@dataclass(frozen=True)
class _Written:
    """What is written of one instrument, its layers lowest first, each with its path."""

    path: str
    name: str | None  # None when spelled out
    layers: tuple[tuple[str, Instrument], ...]

    def merged(self) -> Instrument:
        """Return the layers as one; where one is silent, the one below shows."""
        if len(self.layers) == 1:
            return self.layers[0][1]
        said = {
            field: value
            for _, layer in self.layers
            for field in layer.model_fields_set
            if (value := getattr(layer, field)) is not None
        }
        return Instrument.model_construct(**said)

    def path_of(self, field: str) -> str:
        """Return where the topmost layer that says something of a field says it."""
        layers = reversed(self.layers)
        path = next(path for path, layer in layers if getattr(layer, field) is not None)
        return path if self.name and path == self.path else f"{path}.{field}"


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
        name = name_of(terms) if terms is not None else name
        written = _Written(path, name, self._layers(path, terms, name))
        if not written.layers:
            self._unknown(name, path)
            return None
        return self._complete(written)

    def _spelled(self, instrument: Instrument, path: str) -> Contract | None:
        own = (path, instrument)
        contract = self._complete(_Written(path, None, (own,)))
        if contract is None:
            return None
        terms = _terms(contract, instrument.underlying or contract.underlying)
        name = name_of(terms)
        layers = self._layers(path, terms, name)
        named = self._complete(_Written(path, name, layers))
        contract = self._complete(_Written(path, None, (*layers[1:], own)))
        return None if named is None or contract is None else _distinguished(contract, named)

    def _layers(
        self, path: str, terms: Terms | None, name: str
    ) -> tuple[tuple[str, Instrument], ...]:
        """Return what a name says, and what `instruments` adds."""
        layers = []
        if terms is not None:
            layers.append((path, self._said_by(terms)))
        if (key := self._entries.get(name)) is not None:
            layers.append((f"instruments.{key}", self._portfolio.instruments[key]))
        return tuple(layers)

    def _said_by(self, terms: Terms) -> Instrument:
        said: dict[str, object] = {"kind": terms.kind, "underlying": terms.base}
        if f"{terms.base}_{terms.quote}" in self._market:
            said["underlying"] = f"{terms.base}_{terms.quote}"
        if terms.expiry is not None:
            said["expiry"] = terms.expiry.isoformat()
        if terms.kind == "option":
            said["strike"], said["type"] = terms.strike, "call" if terms.call else "put"
        if terms.listed:
            said["listed"] = True
        if terms.listed or terms.quote is not None:
            said["settlement"] = "linear"
        return Instrument.model_construct(**said)  # type: ignore[arg-type]  # checked by `parse`

    def _complete(self, written: _Written) -> Contract | None:
        """Check the terms of all layers together, then add the underlying's defaults."""
        before = len(self._faults)
        self._check_agreement(written)
        if len(self._faults) > before:
            return None
        merged = written.merged()
        kind = merged.kind or _kind(merged)
        if kind is None:
            path, wanted = written.path, "one of option, future, perpetual, spot"
            self._faults.add(path, "an instrument without kind", wanted, "add `kind: perpetual`")
            return None
        self._check_terms(written, merged, kind)
        underlying = self._underlying(written, merged.underlying)
        if underlying is None or len(self._faults) > before:
            return None
        if self._listed_inverse(written, merged, self._market[underlying]):
            return None
        merged = merged.model_copy(update={"kind": kind, "underlying": underlying})
        return _contract(written.name or "", merged, self._market[underlying])

    def _check_agreement(self, written: _Written) -> None:
        """Refuse what contradicts the name."""
        if written.name is None or written.layers[0][0] != written.path:
            return
        said = written.layers[0][1]
        for path, layer in written.layers[1:]:
            for field in ("kind", "expiry", "strike", "type", "settlement"):
                named, stated = getattr(said, field), getattr(layer, field)
                if named is None or stated is None or named == stated:
                    continue
                if field == "expiry" and stated[:10] == named:
                    continue  # the same day, with its time
                found = f"{shown(stated)}, which contradicts the name {printable(written.name)}"
                self._faults.add(f"{path}.{field}", found, shown(named), f"leave `{field}` out")

    def _check_terms(self, written: _Written, merged: Instrument, kind: Kind) -> None:
        """Refuse terms that are missing, and terms that this kind of instrument has not."""
        missing = [field for field in _NEEDED[kind] if getattr(merged, field) is None]
        if missing:
            self._incomplete(written, _a(kind), missing)
        for field in _MEANINGLESS[kind]:
            if getattr(merged, field) is not None:
                remedy = f"leave `{field}` out, or correct `kind`"
                found = f"{field} {shown(getattr(merged, field))} of {_a(kind)}"
                self._faults.add(written.path_of(field), found, f"{_a(kind)} without it", remedy)

    def _listed_inverse(self, written: _Written, merged: Instrument, own: Underlying) -> bool:
        listed = own.listed if merged.listed is None else merged.listed
        if merged.settlement != "inverse" or not listed:
            return False
        path = written.path_of("settlement")
        self._faults.add(path, "inverse settlement of a listed option", "linear settlement")
        return True

    def _incomplete(self, written: _Written, what: str, missing: list[str]) -> None:
        found = f"{what} without {' and '.join(missing)}"
        examples = " and ".join(f"`{field}: {_EXAMPLES[field]}`" for field in missing)
        self._faults.add(written.path, found, "all of its terms", f"add its own, as {examples}")

    def _underlying(self, written: _Written, name: str | None) -> str | None:
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
        known = {*self._market, *self._entries, *map(canonical, self._portfolio.quotes)}
        known |= {f"{own}-PERPETUAL" for own in self._market}
        upper = canonical(name.upper())
        near = f"did you mean `{upper}`?" if _is_name(upper) else did_you_mean(name, known)
        spelled = ", ".join(f"{field}: {example}" for field, example in _EXAMPLES.items())
        remedy = near or f"or spell it out: {{{spelled}}}"
        self._faults.add(path, f"the unknown instrument {shown(name)}", EXAMPLE, remedy)

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


def _kind(merged: Instrument) -> Kind | None:
    """Infer the kind that spelled-out terms leave unsaid."""
    if merged.strike is not None or merged.type is not None:
        return "option"
    return None if merged.expiry is None else "future"


def _contract(name: str, merged: Instrument, own: Underlying) -> Contract:
    """Complete checked terms with the defaults of their underlying."""
    assert merged.kind is not None
    assert merged.underlying is not None
    if merged.kind == "spot":  # a holding, to which defaults of contracts do not apply
        listed = bool(own.listed)
        return Contract(
            name, "spot", merged.underlying, listed=listed, lot=merged.lot, fee=merged.fee
        )
    option = merged.kind == "option"
    listed = option and bool(own.listed if merged.listed is None else merged.listed)
    settlement = merged.settlement or ("linear" if listed else own.settlement)
    exercise = merged.exercise or own.exercise or ("american" if listed else "european")
    return Contract(
        name,
        merged.kind,
        merged.underlying,
        _expiry(merged.expiry, own, listed=listed),
        merged.strike or 0.0,
        merged.type == "call",
        settlement == "inverse",
        merged.multiplier or own.multiplier or (100.0 if listed else 1.0),
        option and exercise == "american",
        listed,
        merged.lot or own.lot,
        own.fee if merged.fee is None else merged.fee,
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
