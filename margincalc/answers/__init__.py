"""From arrays to answers: an account is margined, and reports are drawn from it.

`results` says what every answer about an account holds, `model_results` those about models.
`account` is a margined account, `margining` the one path to it; `lines` and `statement` draw the
report of `margin`, `breakdown` those of `greeks` and `scenarios`, `comparison` that of `compare`;
`verify` reruns worked examples. Each imports only from those named before it.
"""
