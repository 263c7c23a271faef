"""Results as JSON: numbers at full precision, `schema` first, never NaN."""

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
    return json.dumps(content, allow_nan=False, indent=2) + "\n"
