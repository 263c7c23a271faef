"""JSON Schemas of the written forms, for editors and for programs that write portfolio files."""

from typing import Any

from pydantic import BaseModel

from margincalc.portfolio import MarketSnapshot, Portfolio

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def portfolio_schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio file."""
    return _schema(Portfolio, "margincalc.portfolio/1", "A margincalc portfolio file")


def market_schema() -> dict[str, Any]:
    """Return the JSON Schema of a market file, as `--market` reads it."""
    return _schema(MarketSnapshot, "margincalc.market/1", "A margincalc market file")


def _schema(model: type[BaseModel], identity: str, title: str) -> dict[str, Any]:
    head = {"$schema": _DIALECT, "$id": identity, "title": title}
    schema = model.model_json_schema(by_alias=True)
    return {**head, **{key: value for key, value in schema.items() if key not in head}}
