"""Margin models: by which rules a pool's positions become its requirement.

`base` says what a model is; `charges` are the blocks that families share; `scan` and `standard` are
families; `load` reads a venue's parameters from its TOML file into its family. Each imports only
from those named before it.
"""
