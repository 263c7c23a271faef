"""What the library answers about its models: their parameters, their proof, their differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from margincalc.answers.results import Json, to_json
from margincalc.answers.shown import Shown


@dataclass(frozen=True, repr=False)
class ModelReport(Shown):
    """The answer of `models show`."""

    name: str
    title: str
    family: str
    mode: str
    effective: str
    effective_dates: tuple[str, ...]
    proof: str
    parameters_sha256: str
    sources: tuple[Mapping[str, Json], ...]
    notes: tuple[str, ...]
    parameters: Mapping[str, Json]
    text: str  # the file itself, with units in its comments

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `models show`."""
        return {"schema": "margincalc.model/1", **to_json(self)}


@dataclass(frozen=True, repr=False)
class ModelsReport(Shown):
    """The answer of `models list`; a model's parameters and text are for `models show`."""

    models: tuple[ModelReport, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `models list`."""
        heads = [
            {key: item for key, item in to_json(model).items() if key not in _SHOWN_APART}
            for model in self.models
        ]
        return {"schema": "margincalc.models/1", "models": heads}


_SHOWN_APART = {"parameters", "text"}


class VerifyLine(NamedTuple):
    """One figure of one worked example.

    Attributes
    ----------
    strength : how much a match proves: independent, identity, fitted, definitional, none
    error : absolute difference; None where nothing was computed, and `problem` says why
    """

    model: str
    example: str
    strength: str
    path: str
    expected: float
    computed: float | None
    error: float | None
    tolerance: float
    matches: bool
    problem: str | None


@dataclass(frozen=True, repr=False)
class VerifyReport(Shown):
    """The answer of `models verify`; `unproven` models have no examples."""

    lines: tuple[VerifyLine, ...]
    unproven: tuple[str, ...]
    mismatches: int

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `models verify`."""
        return {"schema": "margincalc.verify/1", **to_json(self)}


class DiffLine(NamedTuple):
    """A parameter that two models do not share; None where one does not have it."""

    parameter: str
    first: Json
    second: Json


@dataclass(frozen=True, repr=False)
class DiffReport(Shown):
    """The answer of `models diff`: parameters that differ between two models."""

    first: str
    second: str
    lines: tuple[DiffLine, ...]

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON of `models diff`."""
        return {"schema": "margincalc.diff/1", **to_json(self)}
