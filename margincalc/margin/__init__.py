"""Margin models: by which rules a pool's positions become its requirement.

`base` says what a model is; `lots`, `charges`, `scope` and `grids` are the blocks that families
share; `scan`, `standard` and the modules of venues are families; `load` reads a model's parameters
from its TOML file into its family. Each imports only from those named before it.
"""
