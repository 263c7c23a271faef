"""From the written form to the computed one, who shares collateral, and what is tried out first.

Order: assemble (a portfolio becomes a book), then pools (labels and their funding) and what_if (a
moved market), then trades (what is added and closed).
"""
