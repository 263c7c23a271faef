"""How far a pool is from liquidation."""
