"""A file as nested mappings, lists and scalars, and the lines on which they stand.

Lines are wanted only when there is a fault, and a file is read once more for them then, as far as
the last one that is asked for.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from margincalc.errors import MOST_FAULTS, Fault, InputError, input_error, printable

Tree: TypeAlias = Any  # dict[str, Tree] | list[Tree] | str | int | float | bool | None
Lines: TypeAlias = dict[int, dict[Any, int]]
"""By the `id` of a mapping or list, the line of each of its keys or indices."""

Search: TypeAlias = Callable[[str, str], "Iterator[Grower]"]
"""Reads a text by a name, and yields the one tree whenever it has grown by so many pieces."""

DEEPEST = 32  # levels; a portfolio has eight
MOST_VALUES = 1_000_000  # a quarter of a million positions
STRIDE = 1_000  # pieces read at once, when lines are searched
_INDEX = re.compile(r"\[(\d+)\]\.?", re.ASCII)
_KEY = re.compile(r"[^.\[]+")


class Locator(Protocol):
    """Says where the values of a file stand."""

    def __call__(self, path: str) -> str:
        """Return a path with its file and line."""

    def line(self, path: str) -> int:
        """Return the line of a path, or of its nearest container; 0 if that is the file."""


class Knowing(Locator, Protocol):
    """A locator that knows what its file has."""

    def __contains__(self, path: str) -> bool:
        """Whether the file says something at a path."""


@dataclass(frozen=True)
class Places:
    """Says where the values of one YAML or JSON file stand.

    Attributes
    ----------
    name : the file's name in messages
    search : reads the text once more, for its lines, as far as they are asked for
    """

    name: str
    text: str
    search: Search

    def __call__(self, path: str) -> str:
        """Return `file:line, path`; of what is missing, the line of what should contain it."""
        line = self.line(path)
        start = f"{self.name}:{line}" if line else self.name
        return f"{start}, {printable(path)}" if path else start

    def line(self, path: str) -> int:
        """Return the line of a path, or of its nearest container; 0 if that is the file."""
        return self._find(path)[0]

    def __contains__(self, path: str) -> bool:
        return self._find(path)[1]

    def _find(self, path: str) -> tuple[int, bool]:
        return _searched(self.search, self.text, self.name).find(path)


class _Searched:
    """A file, searched once for all of its faults, as far as the last of them."""

    def __init__(self, growth: "Iterator[Grower]") -> None:
        self._growth = growth
        self._tree = next(growth)

    def find(self, path: str) -> tuple[int, bool]:
        """Return the line of a path or of its nearest container, and whether the path is there."""
        line, found = _walked(self._tree, path)
        while not found and next(self._growth, None) is not None:
            line, found = _walked(self._tree, path)
        return line, found


@lru_cache(maxsize=2)
def _searched(search: Search, text: str, name: str) -> _Searched:
    return _Searched(search(text, name))


def _walked(tree: "Grower", path: str) -> tuple[int, bool]:
    """Follow a path as far as the tree has grown."""
    node, line, rest = tree.root, 0, path
    while rest:
        step = _step(node, rest)
        if step is None:
            return line, False
        key, rest = step
        line = tree.lines[id(node)].get(key, line)
        node = node[key]
    return line, True


def _step(node: Tree, path: str) -> tuple[str | int, str] | None:
    """Split a path into the next key of `node` and the rest."""
    if isinstance(node, list):
        match = _INDEX.match(path)
        inside = match is not None and int(match[1]) < len(node)
        return (int(match[1]), path[match.end() :]) if match and inside else None
    if not isinstance(node, dict):
        return None
    match = _KEY.match(path)
    key = match[0] if match and match[0] in node else _longest_key(node, path)
    return None if key is None else (key, path[len(key) :].removeprefix("."))


def _longest_key(node: dict[str, Tree], path: str) -> str | None:
    """Find a key that itself has dots or brackets, such as `BRK.B`."""
    fitting = [
        key
        for key in node
        if key and path.startswith(key) and path[len(key) :][:1] in ("", ".", "[")
    ]
    return max(fitting, key=len, default=None)


def too_many(name: str) -> InputError:
    """Return the error of a file that holds more than any account does."""
    found, wanted = f"more than {MOST_VALUES:,} values", "one account"
    return input_error(name, found, wanted, "split a file of several accounts into one each")


class Grower:
    """Grows a tree piece by piece, without recursion, and notes the line of every piece."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.lines: Lines = {}
        self.root: Tree = None
        self._values = 0
        self._open: list[Tree] = []
        self._keys: list[str | None] = []  # of each open mapping, that of the value that comes next

    def awaits_key(self) -> bool:
        """Whether the next piece is a key."""
        return bool(self._keys) and self._keys[-1] is None and isinstance(self._open[-1], dict)

    def key(self, key: str, line: int) -> None:
        """Take the key of the next value; a second time, it is a fault."""
        lines = self.lines[id(self._open[-1])]
        if key in lines:
            found, wanted = f"the key `{printable(key)}` again", f"it once, as on line {lines[key]}"
            self.faults.append(Fault(f"{self.name}:{line}", found, wanted, "keep one of the two"))
            if len(self.faults) > MOST_FAULTS:
                raise InputError(self.faults)
        else:
            lines[key] = line
        self._keys[-1] = key

    def put(self, value: Tree, line: int) -> None:
        """Put a value where it belongs."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise too_many(self.name)
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        if isinstance(top, list):
            self.lines[id(top)][len(top)] = line
            top.append(value)
        else:
            top[self._keys[-1]] = value
            self._keys[-1] = None

    def start(self, container: dict[str, Tree] | list[Tree], line: int) -> None:
        """Open a mapping or list, into which the next pieces go."""
        if len(self._open) >= DEEPEST:
            place, wanted = f"{self.name}:{line}", f"at most {DEEPEST} levels of nesting"
            fault = Fault(place, "deeper nesting", wanted, "a portfolio has no more than eight")
            raise InputError([*self.faults, fault])
        self.put(container, line)
        self.lines[id(container)] = {}
        self._open.append(container)
        self._keys.append(None)

    def end(self) -> None:
        """Close the mapping or list opened last."""
        self._open.pop()
        self._keys.pop()

    def result(self) -> Tree:
        """Return the tree when it is complete; raise the faults found on the way."""
        if self.faults:
            raise InputError(self.faults)
        return self.root
