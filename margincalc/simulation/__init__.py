"""What happens after the call: impact, liquidation engines, the loss waterfall.

Order: shares and impact, which know nothing of accounts; then rankings; then the waterfall.
"""
