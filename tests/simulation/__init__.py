"""Tests of what happens after the call."""
