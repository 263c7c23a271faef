"""Prices, Greeks and implied volatilities of options, as arrays.

Imports inside the package go in this order: `_mills` and `_checks`; `_kernel`; `_boundary`,
`black`, `implied`, `svi`; `_lattice`, `black_scholes`, `inverse`; `american`. Options are European
but for the last. Modules are used by name, as in ``black.price``, and imported one by one:
`from margincalc.pricing import black`.
"""
