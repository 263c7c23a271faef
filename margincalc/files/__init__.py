"""Reading portfolio files: YAML, JSON, and CSV for positions alone.

Order: tree, then source, yaml_text, json_text and csv_text, then explain, then reader and schema.
Nothing from a file is executed or expanded, its size and depth are bounded, and every fault is
reported with its line.
"""

from margincalc.files.reader import load

__all__ = ["load"]
