"""The cheapest trades and deposit that restore a pool's margin ratio.

    aims -> catalogue -> costs -> problem -> programme -> optimum -> diagnosis
                                         -> trial      -> search  -> cure

`problem` says what may change and what must hold; `programme` is its linear form, solved by HiGHS
with rows added as they are needed; `trial` margins answers anew, in full; `search` finds an answer
where a model's rules have no linear form; `cure` puts them together for one pool.
"""
