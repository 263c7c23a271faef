"""Who computes which case: the adapters of each topic, found when they are first asked for."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Adapter = Callable[[dict[str, Any]], dict[str, Any]]

TOPICS = (
    "derive",
    "deribit",
    "okx",
    "bybit",
    "paradex",
    "small_venues",
    "regt",
    "tims",
    "span",
    "liquidation",
    "regions",
    "mitigation",
    "waterfall",
    "engines",
    "impact",
    "systemic",
    "attribution",
    "passage",
    "outside",
)


def adapter(key: str) -> Adapter | None:
    """Return what computes the cases of a method, an example or a check; None if nothing does."""
    return _adapters().get(key)


def relative_tolerance(key: str, path: str) -> float:
    """Return what a topic tolerates of a figure beyond its printed digits, relative to it.

    A topic's `RELATIVE` names an example, or a figure of it as `example.path`.
    """
    stated = _tolerances()
    return stated.get(f"{key}.{path}", stated.get(key, 0.0))


def left_out(key: str, path: str) -> str | None:
    """Return why a topic does not compute a figure, None where it should.

    A topic's `LEFT_OUT` names an example, or a figure of it as `example.path`.
    """
    stated = _left_out()
    return stated.get(f"{key}.{path}", stated.get(key))


def is_unread(key: str, path: str) -> bool:
    """Return whether a topic says that the figures of an example do not depend on an input.

    A topic's `UNREAD` names an example's input as `example.path`, with the reason.
    """
    return f"{key}.{path}" in _unread()


@cache
def _unread() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for topic in _topics():
        found.update(getattr(topic, "UNREAD", {}))
    return found


@cache
def _left_out() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for topic in _topics():
        found.update(getattr(topic, "LEFT_OUT", {}))
    return found


@cache
def _adapters() -> Mapping[str, Adapter]:
    found: dict[str, Adapter] = {}
    for topic in _topics():
        for key, compute in topic.ADAPTERS.items():
            found[key] = _both(found[key], compute) if key in found else compute
    return found


def _both(one: Adapter, other: Adapter) -> Adapter:
    """Compute by two topics what a case prints of two methods."""
    return lambda case: {**one(case), **other(case)}


@cache
def _tolerances() -> Mapping[str, float]:
    found: dict[str, float] = {}
    for topic in _topics():
        found.update(getattr(topic, "RELATIVE", {}))
    return found


@cache
def _topics() -> tuple[Any, ...]:
    """Import the topics that there are."""
    names = [f"tests.conformance.{topic}" for topic in TOPICS]
    return tuple(import_module(name) for name in names if find_spec(name) is not None)
