"""Margin models: listed, shown, compared, and verified by their worked examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from margincalc.margin.load import model_names

if TYPE_CHECKING:
    from margincalc.answers.model_results import DiffReport, ModelReport, VerifyReport


def models() -> tuple[ModelReport, ...]:
    """Describe every model that ships with the package, with its latest parameters."""
    return tuple(show_model(name) for name in model_names())


def show_model(
    name: str, *, settings: Sequence[str] = (), effective: str | None = None
) -> ModelReport:
    """Describe a model: parameters with their units, sources, proof."""
    from margincalc.answers.catalogue import described

    return described(name, settings, effective)


def diff_models(first: str, second: str) -> DiffReport:
    """Compare the parameters of two models, each a name, `NAME@DAY`, or the path of a TOML file."""
    from margincalc.answers.catalogue import differences

    return differences(first, second)


def verify_models(name: str | None = None) -> VerifyReport:
    """Rerun the worked examples that ship with a model, or with all of them."""
    from margincalc.answers.verify import verify

    return verify(name)
