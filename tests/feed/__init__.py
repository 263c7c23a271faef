"""Tests of ticks, feeds and accounts that follow them."""
