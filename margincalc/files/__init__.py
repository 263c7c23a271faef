"""Reading portfolio files: YAML, JSON, and CSV for positions alone.

One account: tree and broker, then source, yaml_text, json_text and csv_text, then explain, then
exports (readers of venues' own files), then reader, schema and writer. Many rows: parquet and
columns, then prices and history; holders reads either. `whole` writes.
Nothing from a file is executed or expanded, its size and depth are bounded, and every fault is
reported with its line.
"""

from margincalc.files.reader import Export, load
from margincalc.portfolio import Portfolio


def written(portfolio: Portfolio, to: str = "yaml") -> str:
    """Write a portfolio file, as YAML or JSON."""
    from margincalc.files.writer import json_of, yaml_of  # most who read write nothing

    return json_of(portfolio) if to == "json" else yaml_of(portfolio)


__all__ = ["Export", "load", "written"]
