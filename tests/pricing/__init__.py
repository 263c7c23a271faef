"""Tests of margincalc.pricing."""
