"""Where a requirement comes from: which position, which Greek, and what changed it.

Order: weighted, then shares, shapley and taylor, each of one pool; change compares two books.
"""
