"""Cases that no model of this package can compute, each with the reason; the listing shows it."""

from collections.abc import Mapping

from tests.conformance.registry import Adapter

ADAPTERS: Mapping[str, Adapter] = {}
_NO_MODEL = "there is no model of {}"
LEFT_OUT = {
    "gate_option_basics": _NO_MODEL.format("Gate's options"),
    "hyperliquid_carry_threshold": _NO_MODEL.format("Hyperliquid's loans on collateral"),
    "hyperliquid_pm_borrow": _NO_MODEL.format("Hyperliquid's loans on collateral"),
    "kraken_haircut": _NO_MODEL.format("Kraken; its page contradicts itself, 3 % and 4 %"),
    "schwab_epr_pnr_switch": _NO_MODEL.format("a broker's own concentration rule"),
    "nse_marginism_readme": "it takes the arrays of a day's .spn file, which it does not carry",
    "bybit_bear_put_spread_pm": "there is no model of Bybit's portfolio margin, whose shock ranges "
    "and valuation date the example does not state",
}
