"""Results as JSON: numbers at full precision, `schema` first, never NaN and never minus zero."""

import json
from collections.abc import Mapping

from margincalc.answers.results import Json


def json_text(content: Mapping[str, Json]) -> str:
    """Return a result's dict as indented JSON.

    Raises
    ------
    ValueError
        If a number is NaN or infinite, which no result may hold.
    """
    return json.dumps(plain(content), allow_nan=False, indent=2) + "\n"


def plain(content: Json) -> Json:
    """Return the same content, every zero of it without a sign."""
    if isinstance(content, float):
        return content + 0.0  # minus zero and zero are zero
    if isinstance(content, Mapping):
        return {key: plain(item) for key, item in content.items()}
    if isinstance(content, list | tuple):
        return [plain(item) for item in content]
    return content
