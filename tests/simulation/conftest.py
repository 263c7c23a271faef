"""Studies of real histories are collected where MARGINCALC_DATA names their folder."""

import os

collect_ignore = [] if os.environ.get("MARGINCALC_DATA") else ["test_history.py"]
