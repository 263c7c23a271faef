"""JSON, without what the standard reader lets pass: duplicate keys, and nesting without end.

NaN and Infinity are read as numbers, so that they are refused like any other wrong value, with
the place where they stand.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from margincalc.errors import InputError, input_error, shown
from margincalc.files.tree import DEEPEST, MOST_VALUES, STRIDE, Grower, Lines, Tree, too_many

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]\n]|[^\s{}\[\],:"]+')
_LONGEST = 400  # digits of a whole number; more is beyond any float, and slow to read


def read_json(text: str, name: str) -> Tree:
    """Read a JSON text.

    Raises
    ------
    InputError
        If it is malformed, nests too deeply, or has a key twice in one mapping.
    """
    if sum(map(text.count, ",[{")) > MOST_VALUES:  # every value but the first follows one of them
        raise too_many(name)
    repeated: list[str] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated.append(name)
        return made

    try:
        tree = json.loads(text, object_pairs_hook=mapping, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise _malformed(error, name) from None
    except RecursionError:
        tree = None
    if repeated or tree is None or _deep(tree):
        json_lines(text, name)  # finds the same again, with its lines, and raises it
    return tree


def json_lines(text: str, name: str) -> tuple[Tree, Lines]:
    """Return the mappings and lists of a well-formed JSON text, and where all values stand."""
    *_, tree = json_growth(text, name)
    return tree.result(), tree.lines


def json_growth(text: str, name: str) -> Iterator[Grower]:
    """Yield the same piece by piece."""
    tree, line = Grower(name), 1
    for number, match in enumerate(_TOKEN.finditer(text), 1):
        token = match[0]
        if token == "\n":
            line += 1
        elif token in "{[":
            tree.start({} if token == "{" else [], line)
        elif token in "}]":
            tree.end()
        elif tree.awaits_key():
            tree.key(json.loads(token) if "\\" in token else token[1:-1], line)
        else:
            tree.put(None, line)
        if not number % STRIDE:
            yield tree
    yield tree


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < _LONGEST else float(digits)


def _deep(tree: Tree) -> bool:
    level: list[Tree] = [tree] if isinstance(tree, dict | list) else []
    for _ in range(DEEPEST):
        inner = [node.values() if isinstance(node, dict) else node for node in level]
        level = [leaf for node in inner for leaf in node if isinstance(leaf, dict | list)]
    return bool(level)


def _malformed(error: json.JSONDecodeError, name: str) -> InputError:
    """Return the fault in words of our own; the standard ones change with Python."""
    start = error.doc.rfind("\n", 0, error.pos) + 1
    rest = error.doc[error.pos : error.pos + 200].partition("\n")[0]
    before = error.doc[: error.pos].rstrip()[-1:]
    found = shown(rest, 40) if rest.strip() else "the end of the line"
    remedy = "check the commas, quotes and brackets around this place"
    if rest[:1] in ("}", "]") and before == ",":
        remedy = "leave out the comma before the bracket"
    elif rest[:1] == "'":
        remedy = "JSON wants double quotes"
    elif rest[:1] in ("/", "#"):
        remedy = "JSON has no comments: leave it out, or name the file .yaml"
    place = f"{name}:{error.lineno}, column {error.pos - start + 1}"
    return input_error(place, found, "valid JSON", remedy)
