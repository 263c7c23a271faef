"""What is wrong with a model's file or with a setting: where, and how to mend it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from margincalc.errors import Fault, InputError, did_you_mean, printable, shown

_Key = tuple[str | int, ...]
_DAY = "a day such as 2026-11-01"
_WANTED = {
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "less_than": "a number less than {lt:g}",
    "int_type": "a whole number",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
}


class Written(NamedTuple):
    """What was validated, and who wrote it.

    Attributes
    ----------
    place : where the tables are, which opens the place of a fault
    tables : as they were read, with the settings in their places
    settings : changes of them, each `key.key=value`
    complete : a model whose parameters show what a complete set is, "" for none
    option : how a setting is given
    """

    place: str
    tables: Mapping[str, Any]
    settings: Sequence[str]
    complete: str
    option: str = "--set"


def faults_of(written: Written, error: ValidationError) -> InputError:
    """Turn a validator's errors into faults, one to each place; a setting is named as `--set`."""
    found: dict[_Key, Any] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_key(detail, written.tables), detail)
    # A value of several types fails as each of them; what is said of its inside says more.
    outer = {key[:length] for key in found for length in range(len(key))}
    faults: dict[str, Fault] = {}
    for key, detail in found.items():
        if key not in outer:
            place = _place(key, written)
            faults.setdefault(place, Fault(place, *_said(key, detail, written)))
    return InputError(list(faults.values()))


def _key(detail: Any, tables: Mapping[str, Any]) -> _Key:
    """Return where in the tables an error is, among those of an underlying if it came from there.

    An underlying's own tables are validated laid over the common ones, so that the validator does
    not know whose they are; what it found there tells.
    """
    common = _traced(detail, tables)
    inner = common[:-1] if detail["type"] == "missing" else common
    own = tables.get("underlyings")
    if not inner or not isinstance(own, Mapping) or _same(_at(tables, inner), detail["input"]):
        return common
    for name, table in own.items():
        traced = _traced(detail, table)
        inner = traced[:-1] if detail["type"] == "missing" else traced
        if inner and _at(table, inner) is not None:
            return ("underlyings", name, *traced)
    return common


def _traced(detail: Any, tree: Any) -> _Key:
    """Follow a location into a tree, past the names that the validator gives unions."""
    key: list[str | int] = []
    for part in detail["loc"]:
        inside = isinstance(tree, Mapping) and part in tree
        if inside or (isinstance(tree, list | tuple) and isinstance(part, int)):
            tree = tree[part] if inside or part < len(tree) else None
            key.append(part)
    if detail["type"] == "missing":
        key.append(detail["loc"][-1])
    return tuple(key)


def _at(tree: Any, key: _Key) -> Any:
    """Return what stands at a key; None where there is nothing."""
    for part in key:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def _same(one: object, other: object) -> bool:
    """Whether two values are written alike: a list and a tuple are."""
    return json.dumps(one, default=str) == json.dumps(other, default=str)


def _place(key: _Key, written: Written) -> str:
    path = ""
    for part in key:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    for setting in written.settings:
        changed = setting.partition("=")[0].strip()
        if path == changed or path.startswith((f"{changed}.", f"{changed}[")):
            return f"{written.option} {path}"
        if path and changed.startswith(f"{path}."):
            return f"{written.option} {changed}"
    return f"{written.place}{path}".removesuffix(".")


def _said(key: _Key, detail: Any, written: Written) -> tuple[str, str, str]:
    """Say what was found, what was wanted, and how to mend it."""
    remedy = f"`margincalc models show {written.complete}` prints a complete set"
    remedy = remedy if written.complete else ""
    if detail["type"] == "missing":
        return "nothing", "this parameter", remedy
    if detail["type"] == "extra_forbidden":
        known = _at(written.tables, key[:-1])
        names = [str(name) for name in known if name != key[-1]] if known else []
        near = did_you_mean(str(key[-1]), names) if key else ""
        return "an unknown parameter", "one that its family has", near or remedy
    return shown(detail["input"]), printable(_wanted(detail), 1000), ""


def _wanted(detail: Any) -> str:
    from margincalc.files.explain import wanted

    if detail["type"] in _WANTED:
        return _WANTED[detail["type"]].format(**detail.get("ctx", {}))
    return wanted(detail)
