"""From the validator's errors to faults that a person can act on: one to each place."""

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from margincalc.errors import MOST_FAULTS, Fault, did_you_mean, printable, shown
from margincalc.files.tree import Locator, Tree
from margincalc.portfolio import LEAST

_Key = tuple[str | int, ...]
MOST_TRACED = 10 * MOST_FAULTS  # of the validator's errors; those beyond are not read

_WANTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "a text",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a text of at most {max_length} characters",
    "string_unicode": "a text of whole characters",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than": "a number greater than {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}
_EITHER = {
    "instrument": "an instrument's name, or a mapping of its terms",
    "forward": "a number, or a mapping of its `fixed` and `variable` parts",
    "haircut": "a number, or a mapping of `maintenance` and `initial`",
}
_TYPES = ("float_type", "string_type", "model_type")


def explain(
    error: ValidationError, tree: Tree, model: type[BaseModel], place: Locator
) -> list[Fault]:
    """Return the faults of a tree that did not validate as `model`, in the order of its file."""
    found: dict[_Key, tuple[Any, str]] = {}
    for detail in _details(error, tree, model)[:MOST_TRACED]:
        key, path = _trace(detail, tree)
        found.setdefault(key, (detail, path))
    # A union reports its plain member beside the faults inside its mapping; the latter say more.
    inner = {key[:length] for key in found for length in range(len(key))}
    kept = [(key, *rest) for key, rest in found.items() if key not in inner]
    kept.sort(key=lambda entry: place.line(entry[2]))
    faults = [
        _fault(key, detail, model, place(path)) for key, detail, path in kept[: MOST_FAULTS - 1]
    ]
    if len(kept) > len(faults):
        least = "at least " if error.error_count() > MOST_TRACED else ""
        more = f"{least}{len(kept) - len(faults):,} more faults"
        faults.append(Fault(place(""), more, "none", "mend those above first"))
    return faults


def _details(error: ValidationError, tree: Tree, model: type[BaseModel]) -> list[Any]:
    """Return the validator's errors; of very many, those in the first entries of each list.

    To write them all out takes longer than to validate as many entries as are read once more.
    """
    if error.error_count() > MOST_TRACED and isinstance(tree, dict):
        head = {
            key: part[:MOST_TRACED] if isinstance(part, list) else part
            for key, part in tree.items()
        }
        try:
            model.model_validate(head)
        except ValidationError as first:
            if first.error_count() >= MOST_TRACED:
                return first.errors(include_url=False)
    return error.errors(include_url=False)


def _trace(detail: Any, tree: Tree) -> tuple[_Key, str]:
    """Follow an error's location into the tree, past the names that the validator gives unions.

    Returns
    -------
    the keys and indices that are in the tree, then the key that is missing or marked as wrong;
    and the path of the deepest part that is there
    """
    key: list[str | int] = []
    path, node = "", tree
    for part in detail["loc"]:
        if isinstance(node, dict) and part in node:
            path = f"{path}.{part}" if path else str(part)
        elif isinstance(node, list) and isinstance(part, int):
            path = f"{path}[{part}]"
        else:
            if detail["type"] == "missing" or part == "[key]":
                key.append(part)
            continue
        node = node[part]
        key.append(part)
    return tuple(key), path


def _fault(key: _Key, detail: Any, model: type[BaseModel], place: str) -> Fault:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        needed = [f"`{name}`" for name, field in _fields(key, model) if field.is_required()]
        remedy = f"add `{key[-1]}:` and its value"
        return Fault(place, f"no `{key[-1]}`", " and ".join(needed), remedy)
    if kind == "extra_forbidden":
        known = [name for name, _ in _fields(key, model)]
        found = f"the unknown key `{printable(str(key[-1]))}`"
        remedy = did_you_mean(str(key[-1]), known) or f"known are {', '.join(known)}"
        return Fault(place, found, "a known key", remedy)
    name = next((part for part in reversed(key) if isinstance(part, str)), "")
    asked = wanted(detail, name)
    if not key:
        asked = "a mapping with keys such as `as_of` and `market`"
        remedy = "if this is CSV, give the file a name that ends in .csv"
        return Fault(place, shown(value), asked, remedy if isinstance(value, str) else "")
    return Fault(place, shown(value), asked, _remedy(detail, name))


def wanted(detail: Any, name: str = "") -> str:
    """Say what an error of the validator asks for; `name` is the key of the value."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        return f"one of {', '.join(_choices(detail))}"
    if kind == "value_error":
        return str(context["error"])
    if kind in _TYPES and name in _EITHER:
        return _EITHER[name]
    if kind == "greater_than_equal" and context["ge"] == LEAST:
        return f"a number greater than 0, at least {LEAST:g}"
    if kind in _WANTED:
        return _WANTED[kind].format(**context)
    return str(detail["msg"]).removeprefix("Input should be ").lower()


def _remedy(detail: Any, name: str) -> str:
    kind, value = detail["type"], detail["input"]
    if value is None:
        return "write a value, or leave the key out"
    if kind == "finite_number":
        return "leave out what does not exist"
    if kind == "float_type" and isinstance(value, str):
        return _plain_number(value)
    if kind == "string_type" and isinstance(value, int | float) and isfinite(value):
        return "" if name in _EITHER else f'put it in quotes: "{shown(value)}"'
    if kind == "literal_error" and isinstance(value, str):
        return did_you_mean(value, _choices(detail))
    if kind == "less_than_equal":
        return _decimal(value, detail["ctx"]["le"], name)
    return ""


def _choices(detail: Any) -> list[str]:
    """Return the choices of a literal, which come as `'call' or 'put'`."""
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"])


def _plain_number(text: str) -> str:
    """Say how to write what was meant as a number."""
    bare = re.sub(r"[,_'$€£\s]", "", text[:60])
    percent = bare.endswith("%")
    try:
        number = float(bare.rstrip("%"))
    except ValueError:
        return "write a plain number, such as 100000, 0.6 or 1e5"
    if percent:
        return f"write it as a decimal: {number / 100:g}"
    return "leave out the quotes" if bare == text else f"write it plainly: {bare}"


def _decimal(value: float, most: float, name: str) -> str:
    """Say how to write a percentage, where that is what was meant."""
    if name == "rho" or most > 10 or value / 100 > most:
        return ""
    return f"{name} is a decimal: write {value / 100:g} for {value:g} %"


def _fields(key: _Key, model: type[BaseModel]) -> list[tuple[str, Any]]:
    """Return the fields, by the names that files use, of the mapping that holds the last key."""
    parts = iter(key[:-1])
    for part in parts:
        by_name = dict(_named(model))
        if part not in by_name:  # an index
            continue
        annotation = by_name[part].annotation
        if any(get_origin(option) is dict for option in (annotation, *get_args(annotation))):
            next(parts, None)  # a key of the file's own choice
        model = next(_models(annotation), model)
    return list(_named(model))


def _named(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models inside an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for option in get_args(annotation):
        yield from _models(option)
