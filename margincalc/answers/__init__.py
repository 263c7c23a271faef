"""From arrays to answers: an account is margined, and reports are drawn from it.

`shown` is how every result shows itself; `results` and the modules called `*_results` say what
answers hold, `study` what those of simulations do. `account` is a margined account, `margining` the
one path to it; `lines` and `statement` draw the report of `margin`, the others that of the command
whose name they are like. `tests/test_architecture.py` has the order.
"""
