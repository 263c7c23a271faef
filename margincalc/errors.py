"""The exception tree.

    MargincalcError            exit status
      InputError                2   a file, a model or an option is wrong; carries every fault found
      ModelRefusal              2   a margin model cannot express a book
      OutputError               3   a result could not be written
      EngineError               3   what works on parts was lost, or cannot
      MissingExtraError         3   an optional dependency is not installed

A fault says where, what was found, what was wanted and how to mend it.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

MOST_FAULTS = 1000  # in one message; who mends these may come again


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input.

    Attributes
    ----------
    place : where: `file:line, path.inside.the.file`, or the option's name
    found : what is there
    wanted : what should be there
    remedy : what to do about it
    """

    place: str
    found: str
    wanted: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the fault as one sentence a line, remedy last."""
        remedy = f"\n    {self.remedy}" if self.remedy else ""
        return f"{self.place}\n    found {self.found}; wanted {self.wanted}{remedy}"


class MargincalcError(Exception):
    """Base of every error that the program reports by message, never by traceback."""

    exit_status = 3


class InputError(MargincalcError):
    """Bad usage or bad input; `faults` holds every one that was found."""

    exit_status = 2

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:MOST_FAULTS]]
        if len(self.faults) > MOST_FAULTS:
            lines.append(f"and {len(self.faults) - MOST_FAULTS:,} more faults")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["InputError"], tuple[tuple[Fault, ...]]]:
        """Return what it is made of again where it arrives, as from a worker."""
        return type(self), (self.faults,)


class ModelRefusal(MargincalcError):
    """A margin model cannot express a book; the message says what it lacks.

    Attributes
    ----------
    reason : what it lacks
    model : its name, "" until whoever knows it says so
    """

    exit_status = 2

    def __init__(self, reason: str, model: str = "") -> None:
        self.reason = reason
        self.model = model
        super().__init__(f"{model}: {reason}" if model else reason)

    def __reduce__(self) -> tuple[type["ModelRefusal"], tuple[str, str]]:
        """Make it of its reason again in another process, not of its message."""
        return type(self), (self.reason, self.model)


@contextmanager
def refusing_as(model: str) -> Iterator[None]:
    """Name the model in a refusal that names none.

    Raises
    ------
    ModelRefusal
        In the place of one that is raised inside.
    """
    try:
        yield
    except ModelRefusal as error:
        raise ModelRefusal(error.reason, error.model or model) from None


class OutputError(MargincalcError):
    """A result could not be written."""


class EngineError(MargincalcError):
    """What works on parts was lost, or cannot; what is done stays."""


class MissingExtraError(MargincalcError):
    """An optional dependency is not installed; the message gives the pip line."""


def input_error(place: str, found: str, wanted: str, remedy: str = "") -> InputError:
    """Return the error of a single fault."""
    return InputError([Fault(place, found, wanted, remedy)])


def shown(value: object, limit: int = 60) -> str:
    """Return a value as a message quotes it: on one line, short, control characters escaped."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, str):
        return repr(value if len(value) <= limit else f"{value[:limit]}...")
    if isinstance(value, int) and value.bit_length() > 200:
        return "a whole number of more than 60 digits"  # Python refuses to write very long ones
    return repr(value).removesuffix(".0")


def few(names: Collection[str], most: int = 6) -> str:
    """Return names as a list, of many the first and how many more."""
    listed = ", ".join(islice(names, most))
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"


def printable(text: str, limit: int = 200) -> str:
    """Return a text from outside fit for a terminal: control characters escaped, cut if long."""
    cut = text if len(text) <= limit else f"{text[:limit]}..."
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in cut)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the question with the nearest known word, or an empty text."""
    import difflib  # only faults need it

    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:60].casefold(), folded, n=1, cutoff=0.6)
    return f"did you mean `{printable(folded[near[0]])}`?" if near else ""
