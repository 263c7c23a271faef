"""Margin models: by which rules a pool's positions become its requirement.

`base` says what a model is; `lots`, `payoff`, `charges`, `scope` and `grids` are the blocks that
families share; `scan`, `standard` and the modules of venues are families, with what they are made
of beside them under their name (`okx_terms`, `span_xml`); `load` reads a model's parameters from
its TOML file into its family. `tests/test_architecture.py` has the order.
"""
