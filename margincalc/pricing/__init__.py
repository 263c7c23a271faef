"""Prices, Greeks and implied volatilities of European options, as arrays.

Imports inside the package go in this order: `_mills` and `_checks`; `_kernel`; `black`;
`black_scholes`, `inverse`, `implied`, `svi`. Modules are used by name, as in ``black.price``, and
imported one by one: `from margincalc.pricing import black`.
"""
