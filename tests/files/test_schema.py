"""The JSON Schemas."""

import json

from margincalc.files.schema import portfolio_schema
from margincalc.portfolio import Portfolio


def test_schema_names_itself_and_its_dialect() -> None:
    schema = portfolio_schema()
    assert list(schema)[:3] == ["$schema", "$id", "title"]
    assert schema["$id"] == "margincalc.portfolio/1"
    assert json.loads(json.dumps(schema)) == schema


def test_schema_has_every_field_by_its_written_name() -> None:
    schema = portfolio_schema()
    assert set(schema["properties"]) == set(Portfolio.model_fields)
    assert "yield" in schema["$defs"]["Underlying"]["properties"]
    assert all(part.get("additionalProperties") is False for part in schema["$defs"].values())


def test_units_are_told() -> None:
    position = portfolio_schema()["$defs"]["Position"]["properties"]
    assert "0.6 is 60 %" in json.dumps(position["volatility"])
    assert position["quantity"]["description"] == "negative is short"
