"""How far a pool is from liquidation.

`nearest` finds the nearest liquidation prices of many pools at once. `region` finds every interval
of a `line` of markets: by proof where a model is taken `apart` into `pieces` (`isolate`), else by
`search`; `volatility` does so at many volatilities, and `sensitivity` says how an end moves.
`decay` lets time pass. First passage is in closed form (`passage`) or simulated (`simulate`, on a
`surface`, with a `bridge` between steps of some `dynamics`). `moved` margins pools elsewhere in the
market.
"""
