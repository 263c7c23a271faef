"""What happens after the call: liquidation engines, the loss waterfall, cascades, oracles, margin.

Order: shares, impact and rankings, which know nothing of accounts; the desk that an engine sees,
what trading costs, what engines have in common, the engines, and how they are found by name. An
engine is data: `margincalc/engines/*.toml`, read like a margin model.
"""
