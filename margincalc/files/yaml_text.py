"""YAML, read from parser events: the 1.2 core schema, and nothing that expands or executes.

`1e5` is a number, and `12:30`, `yes` and `2026-11-20` are texts, which PyYAML's own loader reads
otherwise. Anchors, aliases, merge keys and tags are refused where they stand, so no document
grows when it is read.
"""

import re
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from margincalc.errors import Fault, InputError, input_error, printable, shown
from margincalc.files.tree import STRIDE, Grower, Lines, Tree

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST = 400  # digits of a whole number; more is beyond any float, and slow to read


def read_yaml(text: str, name: str) -> tuple[Tree, Lines]:
    """Read the one document of a YAML text, and where its values stand.

    Raises
    ------
    InputError
        If it is malformed, or uses what is not supported.
    """
    *_, reader = _read(text, name)
    return reader.result(), reader.tree.lines


def yaml_growth(text: str, name: str) -> Iterator[Grower]:
    """Yield the same piece by piece, of a text that was read before."""
    for reader in _read(text, name):
        yield reader.tree


def _read(text: str, name: str) -> "Iterator[_Reader]":
    reader = _Reader(name)
    try:
        for number, event in enumerate(yaml.parse(text, Loader=_LOADER), 1):
            reader.take(event)
            if not number % STRIDE:
                yield reader
    except yaml.YAMLError as error:
        raise _malformed(error, text, name) from None
    yield reader


def scalar(text: str) -> Tree:
    """Return what a plain scalar means in the core schema."""
    if _FLOAT.fullmatch(text):
        if _INT.fullmatch(text) and len(text) < _LONGEST:
            return int(text)
        return float(text)
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _BASED.fullmatch(text) and len(text) < _LONGEST:
        return int(text, 0)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "").lower())
    return text


class _Reader:
    """Turns parser events into a tree."""

    def __init__(self, name: str) -> None:
        self.tree = Grower(name)
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._start(event, {}, "map")
        elif isinstance(event, yaml.SequenceStartEvent):
            self._start(event, [], "seq")
        elif isinstance(event, yaml.CollectionEndEvent):
            self.tree.end()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"the alias *{event.anchor}", "the value itself", "write it out")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                remedy = "put each account in a file of its own"
                self._refuse(event, "a second document", "one document in a file", remedy)

    def result(self) -> Tree:
        """Return the tree, when the last event was taken."""
        if not self._documents:
            remedy = "write a portfolio into it, or name another"
            raise input_error(self.tree.name, "nothing but comments", "a portfolio", remedy)
        return self.tree.result()

    def _start(self, event: Any, container: dict[str, Tree] | list[Tree], tag: str) -> None:
        self._check(event, tag)
        if self.tree.awaits_key():
            what = "a mapping" if tag == "map" else "a list"
            self._refuse(event, f"{what} as a key", "a text as a key", "write a plain name")
        self.tree.start(container, _line(event))

    def _scalar(self, event: Any) -> None:
        if not self.tree.awaits_key():
            self.tree.put(self._value(event), _line(event))
            return
        self._check(event, "str")
        if event.value == "<<" and not event.style:  # plain; a quoted one is a text
            self._refuse(event, "the merge key `<<`", "the keys themselves", "write them out")
        self.tree.key(event.value, _line(event))

    def _value(self, event: Any) -> Tree:
        if event.tag is None and event.implicit[0] and event.anchor is None:
            return scalar(event.value)
        meant = scalar(event.value)
        if event.tag in (None, "!", _CORE + "str") or event.tag not in _tags(meant):
            self._check(event, "str")
            return event.value
        self._check(event, event.tag.removeprefix(_CORE))
        return float(meant) if event.tag == _CORE + "float" else meant

    def _check(self, event: Any, tag: str) -> None:
        """Refuse an anchor, and a tag that says anything but the obvious."""
        if event.anchor is not None:
            remedy = "write the value out where it is needed"
            self._refuse(event, f"the anchor &{event.anchor}", "a value without a name", remedy)
        if event.tag not in (None, "!", _CORE + tag):
            found = f"the tag {event.tag.replace(_CORE, '!!')}"
            self._refuse(event, found, "a value without a tag", "leave the tag out")

    def _refuse(self, event: Any, found: str, wanted: str, remedy: str) -> NoReturn:
        fault = Fault(f"{self.tree.name}:{_line(event)}", printable(found), wanted, remedy)
        raise InputError([*self.tree.faults, fault])


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _tags(value: Tree) -> tuple[str, ...]:
    """Return the tags that a plain scalar may be given."""
    names = {bool: ("bool",), int: ("int", "float"), float: ("float",), type(None): ("null",)}
    return tuple(_CORE + name for name in names.get(type(value), ("str",)))


def _malformed(error: yaml.YAMLError, text: str, name: str) -> InputError:
    mark = getattr(error, "problem_mark", None)
    if mark is None:  # the reader met a character that YAML does not allow
        code = getattr(error, "character", 0)
        sign = chr(code) if isinstance(code, int) else str(code)
        place = f"{name}:{text[: max(text.find(sign), 0)].count(chr(10)) + 1}"
        found = f"the character {shown(sign)}"
        return input_error(place, found, "printable text", "remove control characters")
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    problem = getattr(error, "problem", None) or "it ends too early"
    remedy = "check the indentation, quotes and brackets around this line"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        remedy = "indent with spaces, not tabs"
    found = shown(line.strip()) if line.strip() else "the end of the file"
    return input_error(f"{name}:{mark.line + 1}", found, f"valid YAML ({problem})", remedy)
