"""Margin models: by which rules a pool's positions become its requirement.

`base` says what a model is, and `forms` what a linear programme can make of one; `lots`, `payoff`,
`scope`, `fees`, `linear`, `charges`, `deposits`, `liquidity` and `grids` are the blocks that
families share; `scan`, `standard` and the modules of venues are families, with what they are made
of beside them under their name (`okx_terms`, `span_xml`). `strategy` is paired by `pairing`, over
`strategies`, whose `programmes` are solved by `simplex`; `single_options` is what two venues'
families share; `composite` puts venues side by side. `load` reads a model's parameters from its
TOML file into its family. `tests/test_architecture.py` has the order.
"""
