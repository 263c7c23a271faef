"""Tests of where a requirement comes from."""
