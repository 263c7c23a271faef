"""Changes of parameters: `key.key=value`, laid over a model's tables, or divided among models."""

import tomllib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from margincalc.errors import did_you_mean, input_error, shown


def with_settings(
    tables: Mapping[str, Any], settings: Sequence[str], option: str = "--set"
) -> dict[str, Any]:
    """Return the tables with the values of settings, each given by `option`, in their places."""
    changed = deepcopy(dict(tables))
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise input_error(option, _quoted(setting), "key=value", "such as factors.initial=1.3")
        *parents, last = key.strip().split(".")
        table = changed
        for parent in parents:
            inner = table.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise input_error(option, shown(key), f"a parameter; {parent} is a value")
            table = inner
        table[last] = _setting_value(setting, text, option)
    return changed


def _setting_value(setting: str, text: str, option: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        raise input_error(
            option,
            _quoted(setting),
            "key=value with a TOML value",
            'put texts in quotes: key="text"',
        ) from None


def _quoted(setting: str) -> str:
    return shown(setting, 200)  # a table in it may be long, and its fault near the end


def divided(
    settings: Sequence[str], tables: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Divide settings among models: `NAME:key=value` is of one, others of all that have the key.

    A parameter that no model states may still have a default: its table then decides.

    Parameters
    ----------
    tables : parameters of each model, by its name

    Raises
    ------
    InputError
        If a setting is of none of them.
    """
    shares: dict[str, list[str]] = {name: [] for name in tables}
    for setting in settings:
        name, colon, _ = (part.strip() for part in setting.partition("=")[0].partition(":"))
        if not colon:
            for taker in _takers(setting, tables):
                shares[taker].append(setting)
        elif name in shares:
            shares[name].append(setting.partition(":")[2])
        else:
            remedy = did_you_mean(name, tables) or "leave it out to change all that have the key"
            raise input_error(
                "--set", _quoted(setting), f"one of {', '.join(tables)} before `:`", remedy
            )
    return {name: tuple(own) for name, own in shares.items()}


def _takers(setting: str, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name the models that have a setting's parameter, or else its table."""
    path = tuple(part.strip() for part in setting.partition("=")[0].split("."))
    stated = [name for name, table in tables.items() if _at(table, path) is not None]
    around = [name for name, table in tables.items() if isinstance(_at(table, path[:-1]), Mapping)]
    takers = stated or (around if len(path) > 1 else [])
    if not takers:
        raise input_error("--set", _quoted(setting), "a parameter of one of the models")
    return takers


def _at(table: Mapping[str, Any], path: Sequence[str]) -> object:
    """Return what stands at a path; None where it ends early."""
    found: Any = table
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
