"""Portfolio files as a person would write them: only what was said, in the order of the schema.

The same portfolio gives the same bytes. Numbers are written in full: what is read back is equal to
the last bit.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from margincalc.errors import printable
from margincalc.files.tree import Tree
from margincalc.files.yaml_text import scalar
from margincalc.portfolio import Order, Portfolio, Position
from margincalc.times import zulu

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+/-]*(:[A-Za-z0-9_.+/-]+)*", re.ASCII)
_WIDTH = 100  # of a line that holds a whole mapping
_COMMENTS = {
    "as_of": "the time of the valuation",
    "stated": "what the venue says of the account: for comparison only",
    "market": "prices per unit; volatilities and rates are decimals per year",
    "quotes": "of one instrument; inverse options are quoted in coin",
    "positions": "negative is short; inverse futures and perpetuals in quote notional",
}


def without_empty(portfolio: Portfolio) -> tuple[Portfolio, tuple[str, ...]]:
    """Leave out positions and orders of quantity 0, which no command margins.

    Returns
    -------
    portfolio : with what is said of them among its remarks
    left_out : what is said of them
    """
    kept: dict[str, tuple[Position | Order, ...]] = {}
    places: list[str] = []
    for section in ("positions", "orders"):
        entries = getattr(portfolio, section)
        kept[section] = tuple(entry for entry in entries if entry.quantity != 0.0)
        places += [
            portfolio.place(f"{section}[{number}]")
            for number, entry in enumerate(entries)
            if entry.quantity == 0.0
        ]
    if not places:
        return portfolio, ()
    left_out = tuple(f"left out: {place}: its quantity is 0" for place in places)
    return portfolio.model_copy(update=kept).remarked(portfolio.remarks + left_out), left_out


def json_of(portfolio: Portfolio) -> str:
    """Return a portfolio as indented JSON."""
    return json.dumps(content(portfolio), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def yaml_of(portfolio: Portfolio) -> str:
    """Return a portfolio as YAML, with what there is to say of its conversion on top."""
    # A remark quotes what an export says: a line break in it would end the comment.
    lines = [f"# {printable(remark, 1000)}" for remark in portfolio.remarks]
    for key, value in content(portfolio).items():
        lines += [*([""] if isinstance(value, dict | list) and lines else []), *_entry(key, value)]
    return "\n".join(lines) + "\n"


def content(portfolio: Portfolio) -> dict[str, Tree]:
    """Return what a portfolio says, as plain values; what it leaves to defaults is left out."""
    said = portfolio.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
    made: dict[str, Tree] = _plain({"account": portfolio.account, **said})
    return {key: value for key, value in made.items() if value not in ({}, [])}


def _plain(value: Any) -> Tree:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return zulu(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _entry(key: str, value: Tree) -> Iterator[str]:
    """Yield a key of the file with all that is under it."""
    comment = f"  # {_COMMENTS[key]}" if key in _COMMENTS else ""
    if not isinstance(value, dict | list) or not value:
        yield f"{key}: {_flow(value)}{comment}"
    else:
        yield f"{key}:{comment}"
        yield from _block(value, "  ")


def _block(value: Tree, indent: str) -> Iterator[str]:
    """Yield the lines of a mapping or list; what fits a line and is flat has one."""
    entries = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for key, item in entries:
        start = f"{indent}- " if key is None else f"{indent}{_flow(key)}: "
        line = start + _flow(item)
        if not isinstance(item, dict) or (len(line) <= _WIDTH and _flat(item)) or not item:
            yield line
        elif key is None:
            first, *rest = _block(item, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}{_flow(key)}:"
            yield from _block(item, f"{indent}  ")


def _flat(item: dict[str, Tree]) -> bool:
    """Whether a mapping holds nothing deeper than the terms of an instrument."""
    return not any(
        isinstance(inner, dict) and any(isinstance(leaf, dict | list) for leaf in inner.values())
        for inner in item.values()
    )


def _flow(value: Tree) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and scalar(value) == value
        return value if plain else json.dumps(value, ensure_ascii=True)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
