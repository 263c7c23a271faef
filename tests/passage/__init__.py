"""Tests of the probability of liquidation."""
