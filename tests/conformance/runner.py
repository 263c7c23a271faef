"""Run case files of the reference's schemas, and compare with what they expect.

Four schemas: Derive's cases (`method`), examples of venues (`verification`) and of traditional
methods (`methodology`), and checks of liquidation (none of these; named by their file). What an
adapter computes is compared number by number:

* Derive: within 1 unit where `expected.exactness` is `truncated_integer`, else within
  1e-9 * max(1, |value|);
* examples: within half the last printed digit, or the relative tolerance that its topic states,
  with the reason;
* checks: within the file's own `tolerance`, else half the last printed digit (of one printed to
  its last bit, the rounding of another order of sums), else three standard errors where the adapter
  gives a `Sampled`.

An input or parameter that nothing reads fails its case: `reading` says of which this is not so.

An example that the reference did not reproduce, or whose strength is neither `independent` nor
`identity`, is listed as unproven or fitted and need not match.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tests.conformance.reading import Reading, unread
from tests.conformance.registry import adapter, is_unread, left_out, relative_tolerance

Standing = Literal["must", "fitted", "unproven"]
EXACT = 1e-9
ROUNDING = 1e-12  # relative: what another order of sums may do to a check printed to the last bit
MAXIMUM_DEPTH = 50


class Printed(float):
    """A number that remembers how it was printed."""

    text: str

    def __new__(cls, text: str) -> "Printed":
        """Read a number of a JSON file."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    @property
    def half_digit(self) -> float:
        """Half a unit of the last digit printed."""
        exponent = Decimal(self.text).as_tuple().exponent
        return 0.5 * 10.0 ** int(exponent)


class Sampled(NamedTuple):
    """A figure estimated from samples."""

    value: float
    standard_error: float


class Figure(NamedTuple):
    """One number compared.

    Attributes
    ----------
    computed : None where there is none
    tolerance : the largest error that matches
    hidden : the error that the print of the expected number may hide
    """

    path: str
    expected: float
    computed: float | None
    tolerance: float
    hidden: float = 0.0

    @property
    def error(self) -> float:
        """Absolute error."""
        return float("inf") if self.computed is None else abs(self.computed - self.expected)

    @property
    def relative(self) -> float:
        """Error that the print does not hide, relative to the value, or to 1 where it is less."""
        return max(self.error - self.hidden, 0.0) / max(1.0, abs(self.expected))

    @property
    def matches(self) -> bool:
        """Whether the error is tolerated; a NaN never is."""
        return self.error <= self.tolerance

    def __str__(self) -> str:
        """Say what was expected and what was found."""
        if self.computed is None:
            return f"{self.path}: expected {self.expected!r}, nothing computed"
        return f"{self.path}: expected {self.expected!r}, computed {self.computed!r}"


class Outcome(NamedTuple):
    """One case.

    Attributes
    ----------
    problem : why it was not computed
    skipped : figures that no adapter computes, each with the reason
    unasserted : figures that are printed, and that their own source does not hold to be right
    """

    family: str
    name: str
    standing: Standing
    figures: tuple[Figure, ...] = ()
    problem: str | None = None
    skipped: tuple[str, ...] = ()
    unasserted: tuple[Figure, ...] = ()

    @property
    def matches(self) -> bool:
        """Whether it was computed and every figure of it matches."""
        return self.problem is None and all(figure.matches for figure in self.figures)

    @property
    def failed(self) -> bool:
        """Whether it does not match and must."""
        return self.standing == "must" and not self.matches


def files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the JSON files at or below folders, each once."""
    seen = set()
    for folder in folders:
        found = [folder] if folder.is_file() else sorted(folder.rglob("*.json"))
        for path in found:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def run(path: Path) -> Outcome:
    """Run the case of one file."""
    try:
        return run_text(path.read_text("utf-8"), path.stem)
    except (OSError, ValueError, RecursionError) as error:
        return Outcome("malformed", str(path), "must", problem=f"malformed: {error}")


def run_text(text: str, stem: str) -> Outcome:
    """Run a case that is written in JSON; `stem` names one without a name.

    Raises
    ------
    ValueError
        If the text is no JSON, or the case not of its schema.
    """
    case = json.loads(text, parse_float=Printed, parse_int=Printed)
    if not isinstance(case, dict):
        raise ValueError("not a JSON object")
    family, key = identify(case, stem)
    name = str(case.get("case_id", case.get("id", stem)))
    standing = standing_of(case)
    compute = adapter(key)
    if compute is None:
        reason = left_out(key, "")
        problem = "no adapter" if reason is None else f"no adapter: {reason}"
        return Outcome(family, name, standing, problem=problem)
    try:
        reading = Reading(json.loads(text))
        computed = compute(reading)
        beyond = [path for path in unread(reading) if not is_unread(key, path)]
        if beyond:
            raise ValueError(f"nothing reads {', '.join(beyond)}")
        figures = tuple(_figures(case, family, key, computed))
        skipped = tuple(_skipped(case, key, computed))
        unasserted = tuple(_vectors(case, computed, asserted=False))
    except Exception as error:  # whatever it is, it is this case's failure and no other's
        return Outcome(family, name, standing, problem=f"{type(error).__name__}: {error}")
    if not figures and not skipped:
        return Outcome(family, name, standing, problem="nothing to compare")
    if not figures:
        return Outcome(family, name, "unproven", (), "nothing compared", skipped)
    return Outcome(family, name, standing, figures, None, skipped, unasserted)


def identify(case: Mapping[str, Any], stem: str) -> tuple[str, str]:
    """Return the family of a case, and the key of its adapter."""
    if "method" in case or "case_id" in case:
        method = str(_known(case, "method"))
        _known(case, "expected")
        return method.removeprefix("derive_"), method
    if "verification" in case or "venue" in case:
        return "venues", str(_known(case, "id"))
    if "methodology" in case:
        return "traditional", str(_known(case, "id"))
    return "checks", stem


def _known(case: Mapping[str, Any], key: str) -> Any:
    if key not in case:
        raise ValueError(f"no `{key}`")
    return case[key]


def standing_of(case: Mapping[str, Any]) -> Standing:
    """Say whether a case must match, by what the reference made of it."""
    if "unproven" in case:
        return "unproven"
    if "methodology" in case:
        return _traditional_standing(case.get("reproduction"))
    if "verification" not in case:
        return "unproven" if "venue" in case else "must"
    status = str(case["verification"].get("status", ""))
    strength = str(case["verification"].get("strength", ""))
    if not status.startswith("reproduced"):
        return "fitted" if "fitted" in strength else "unproven"
    if strength in ("independent", "identity"):
        return "must"
    return "fitted" if "fitted" in strength else "unproven"


def _traditional_standing(reproduction: Any) -> Standing:
    if reproduction is None or str(reproduction).startswith("not "):
        return "unproven"
    return "must"


def _figures(
    case: Mapping[str, Any], family: str, key: str, computed: Mapping[str, Any]
) -> Iterator[Figure]:
    """Pair what was computed with what was expected."""
    if family == "checks":
        yield from _checked(case, computed)
        return
    if "vectors" in case:
        yield from _vectors(case, computed, asserted=True)
        return
    expected = _expected(case)
    truncated = expected.get("exactness") == "truncated_integer"
    for name, value in expected.items():
        if name == "worst_scenario":
            yield from _same_scenario(value, computed.get(name))
            continue
        for path, number in leaves(value, name):
            found = _at(computed, path)
            if found is None and left_out(key, path) is not None:
                continue
            if "method" in case:
                hidden = 1.0 if truncated else 0.0
                tolerance = hidden or EXACT * max(1.0, abs(number))
                yield Figure(path, float(number), found, tolerance, hidden)
            else:
                yield _printed(key, path, number, found)


def _expected(case: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a case expects; of a table, the figures of each row by the row's `case`."""
    if "rows" not in case:
        found: Mapping[str, Any] = _known(case, "expected")
        return found
    named = ("case", "qty")
    return {
        str(row["case"]): {name: value for name, value in row.items() if name not in named}
        for row in case["rows"]
    }


def _skipped(case: Mapping[str, Any], key: str, computed: Mapping[str, Any]) -> Iterator[str]:
    """Name the figures that are left out, each with the reason that its topic gives."""
    expected = _expected(case) if "rows" in case or "expected" in case else {}
    paths = [path for name, value in expected.items() for path, _ in leaves(value, name)]
    missing = [path for path in paths if _at(computed, path) is None]
    if "rows" in case and missing:  # of a long table, how many are not compared says enough
        yield f"{len(missing)} figures: not compared, {left_out(key, '') or 'no adapter'}"
        return
    for path in missing:
        reason = left_out(key, path)
        if reason is not None:
            yield f"{path}: not compared, {reason}"


def _vectors(
    case: Mapping[str, Any], computed: Mapping[str, Any], *, asserted: bool
) -> Iterator[Figure]:
    """Pair vectors of another program's tests: those whose number they assert, or the others."""
    for vector in case.get("vectors", ()):
        if bool(vector["numeric_assert"]) == asserted:
            number, found = vector["margin"], computed.get(vector["test"])
            hidden = number.half_digit
            yield Figure(f"{vector['test']}.margin", float(number), found, hidden, hidden)


def _same_scenario(expected: Any, computed: Any) -> Iterator[Figure]:
    """Compare which scenario binds; -1 is the basis contingency, and a tie is anyone's."""
    if expected == "tie":
        return
    one, other = (
        -1.0 if value == "basis_contingency" else float(value) for value in (expected, computed)
    )
    yield Figure("worst_scenario", one, other, 0.0)


def leaves(value: Any, path: str, depth: int = 0) -> Iterator[tuple[str, Printed]]:
    """Yield the numbers below a value with their dotted paths; a text may hold a number.

    Raises
    ------
    ValueError
        If the value is nested too deeply.
    """
    if depth > MAXIMUM_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from leaves(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, Printed):
        yield path, value
    elif isinstance(value, str):
        try:
            yield path, Printed(value)
        except ValueError:
            return  # a remark


def _at(computed: Mapping[str, Any], path: str) -> float | None:
    """Return the number at a dotted path, or at a key that is the whole path."""
    value: Any = computed
    try:
        if path in computed:
            return float(computed[path])
        rest = path
        while rest:
            # A key may have dots of its own: the longest that is there is meant.
            whole = rest if isinstance(value, Mapping) and rest in value else None
            key, _, rest = (whole, "", "") if whole is not None else rest.partition(".")
            value = value[int(key)] if isinstance(value, list | tuple) else value[key]
        return float(value)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _printed(key: str, path: str, number: Printed, found: float | None) -> Figure:
    """Compare within half the last printed digit, or what the topic tolerates."""
    hidden = number.half_digit
    tolerance = max(hidden, relative_tolerance(key, path) * abs(number)) * (1.0 + 1e-12)
    return Figure(path, float(number), found, tolerance, hidden)


def _checked(case: Mapping[str, Any], computed: Mapping[str, Any]) -> Iterator[Figure]:
    """Compare a check's figures, each computed under the path at which the file expects it."""
    numbers = dict(leaves(case, "case"))
    for path, value in computed.items():
        number, own = numbers.get(f"case.{path}"), _stated(case, path)
        if number is None:
            raise ValueError(f"the file expects no number at {path}")
        expected = float(number)
        found = value.value if isinstance(value, Sampled) else value
        printed = max(number.half_digit, ROUNDING * abs(expected))
        tolerance = printed if own is None else max(own, number.half_digit)
        if isinstance(value, Sampled) and own is None:
            tolerance = max(tolerance, 3.0 * value.standard_error)
        yield Figure(path, expected, float(found), tolerance, number.half_digit)


def _stated(case: Mapping[str, Any], path: str) -> float | None:
    """Return the tolerance that the part of a file nearest to a figure states, or the file."""
    keys = path.split(".")
    for length in range(len(keys), -1, -1):
        tolerance = _at(case, ".".join([*keys[:length], "tolerance"]))
        if tolerance is not None:
            return tolerance
    return None
