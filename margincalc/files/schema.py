"""The JSON Schema of the written form, for editors and for programs that write portfolio files."""

from typing import Any

from margincalc.portfolio import Portfolio

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def portfolio_schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    head = {
        "$schema": _DIALECT,
        "$id": "margincalc.portfolio/1",
        "title": "A margincalc portfolio file",
    }
    schema = Portfolio.model_json_schema(by_alias=True)
    schema["description"] = schema["description"].partition("\n")[0]
    return {**head, **{key: value for key, value in schema.items() if key not in head}}
