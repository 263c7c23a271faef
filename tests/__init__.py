"""Tests, in the order of the package; `oracle` is its slow scalar twin."""
