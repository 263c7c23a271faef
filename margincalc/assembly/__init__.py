"""From the written form to the computed one, who shares collateral, and what is tried out first.

Order: draft (rows and holdings), contract_rows and holding (which fill it), columns (which it
becomes), assemble; then pools (their labels), keys (those of millions), funding (of isolated pools)
and what_if (a moved market), then trades (what is added and closed).
"""
