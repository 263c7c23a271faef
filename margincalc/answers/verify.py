"""Rerun the worked examples that ship beside a model, and compare with what was published.

An example is a portfolio with expected figures, each a dotted path into the JSON of `margin`, or,
after `scenarios.`, into that of `scenarios`. How much a match proves is the example's `strength`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from margincalc.answers.breakdown import scenarios_report
from margincalc.answers.margining import Rules, margined
from margincalc.answers.model_results import VerifyLine, VerifyReport
from margincalc.answers.statement import margin_report
from margincalc.errors import MargincalcError, did_you_mean, input_error, shown
from margincalc.margin.load import FOLDER, model_names
from margincalc.portfolio import Portfolio


def verify(name: str | None = None) -> VerifyReport:
    """Rerun the examples of one model, or of all.

    Raises
    ------
    InputError
        If there is no such model.
    """
    names = model_names()
    if name is not None and name not in names:
        remedy = did_you_mean(name, names)
        raise input_error("models verify", shown(name), f"one of {', '.join(names)}", remedy)
    chosen = [name] if name is not None else names
    unproven = tuple(each for each in chosen if not _path(each).exists())
    lines = tuple(line for each in chosen for line in _lines(each))
    return VerifyReport(lines, unproven, sum(not line.matches for line in lines))


def examples(name: str) -> list[dict[str, Any]]:
    """Return the worked examples of a model; none where it has no file of them."""
    path = _path(name)
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    return found


def _path(name: str) -> Path:
    return FOLDER / f"{name}.examples.json"


def _lines(name: str) -> Iterator[VerifyLine]:
    for example in examples(name):
        answers = _Answers(name, example)
        for figure in example["expected"]:
            computed, problem = answers.at(figure["path"])
            error = None if computed is None else abs(computed - figure["value"])
            yield VerifyLine(
                model=name,
                example=example["id"],
                strength=example["strength"],
                path=figure["path"],
                expected=figure["value"],
                computed=computed,
                error=error,
                tolerance=figure["tolerance"],
                matches=error is not None and error <= figure["tolerance"],
                problem=problem,
            )


class _Answers:
    """What the library answers on one example; each command is run once, when first asked for."""

    def __init__(self, name: str, example: Mapping[str, Any]) -> None:
        self._name = name
        self._example = example
        self._found: dict[str, Any] = {}

    def at(self, path: str) -> tuple[float | None, str | None]:
        """Return the number at a path, or why there is none."""
        command, _, rest = path.partition(".") if path.startswith("scenarios.") else ("", "", path)
        try:
            value = self._answer(command or "margin")
            for key in rest.split("."):
                value = value[int(key)] if isinstance(value, list) else value[key]
            return float(value), None
        except MargincalcError as error:
            return None, str(error)
        except (KeyError, IndexError, TypeError, ValueError):
            return None, f"the answer has no number at {path}"

    def _answer(self, command: str) -> Any:
        if command not in self._found:
            rules = Rules(
                mode=self._example.get("mode"),
                model=self._name,
                settings=tuple(self._example.get("settings", ())),
                effective=self._example.get("effective"),
            )
            portfolio = Portfolio.model_validate(self._example["portfolio"])
            figures = [figure["path"] for figure in self._example["expected"]]
            asked = any("liquidation." in path for path in figures)
            account = margined(portfolio, rules, liquidation=asked)
            report = scenarios_report(account) if command == "scenarios" else margin_report(account)
            self._found[command] = report.to_dict()
        return self._found[command]
