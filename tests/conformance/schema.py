"""What a case of Derive's schema may hold: a key that is not here is a failure, never ignored.

`None` ends a branch whose content is text, or is expected and compared by its own name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Shape = Mapping[str, Any]
EACH = "*"  # every item of a list, or every entry that is named freely


def _keys(names: str) -> dict[str, None]:
    return dict.fromkeys(names.split())


_PRICE = _keys("price confidence")
_FEEDS = {"spot": _PRICE, "perp": _PRICE}
_PERP = _keys("amount unrealized_pnl unrealized_funding")
_OPTION = _keys("seconds_to_expiry strike type amount mark_vol svi_vol")
_SVI = _keys("a b rho m sigma forward tau_years")
_SCENARIO = _keys("spot_shock vol_shock dampening")
_BASIS = _keys("spot_up spot_down add_factor mult_factor")
_DOUBT = "peg_loss_threshold peg_loss_factor confidence_threshold confidence_margin "
_VOLATILITY = "range_up range_down short_term_power long_term_power dte_floor_days "
_HEAD = _keys("case_id label method source conventions seconds_per_year expected note")


def _portfolio_manager(expiry: str, positions: Shape, parameters: Shape) -> Shape:
    row = {**_keys(expiry), "svi": _SVI}
    return {
        **_HEAD,
        "feeds": {**_FEEDS, "stable": _PRICE, "expiries": {EACH: row}},
        "positions": {"cash": None, "perp": _PERP, "options": {EACH: _OPTION}, **positions},
        "parameters": parameters,
        "scenarios": {EACH: _SCENARIO},
    }


_EXPIRY = "seconds_to_expiry forward_fixed forward_variable forward_confidence "
_EXPIRY += "rate rate_confidence vol_confidence"
PMRM1 = _portfolio_manager(
    _EXPIRY,
    {"base": _keys("amount")},
    {
        "vol_shock": _keys(_VOLATILITY),
        "margin": _keys("im_factor rate_mult rate_add static_discount_long"),
        "basis_contingency": _BASIS,
        "other_contingency": _keys(_DOUBT + "base_pct perp_pct option_pct"),
    },
)
PMRM2 = _portfolio_manager(
    _EXPIRY,
    {
        "collaterals": {
            EACH: _keys(
                "name amount price confidence mm_haircut im_haircut_extra offsets_spot_risk"
            )
        }
    },
    {
        "vol_shock": _keys(_VOLATILITY + "min_vol_in_up_shock"),
        "margin": _keys(
            "im_factor mm_factor short_rate_mult long_rate_mult short_rate_add long_rate_add "
            "static_discount_long static_discount_short"
        ),
        "basis_contingency": _BASIS,
        "other_contingency": _keys(
            _DOUBT + "mm_perp_pct im_perp_pct_extra mm_option_pct im_option_pct_extra"
        ),
        "skew_shock": _keys(
            "linear_base_cap abs_base_cap linear_c_base abs_c_base min_k_star width_scale "
            "vol_param_static vol_param_scale"
        ),
    },
)
SRM: Shape = {
    **_HEAD,
    "feeds": {
        "stable": _PRICE,
        "markets": {
            EACH: {
                **_FEEDS,
                "expiries": {
                    EACH: _keys("seconds_to_expiry forward forward_confidence vol_confidence")
                },
            }
        },
    },
    "positions": {
        "cash": None,
        "markets": {
            EACH: {"perp": _PERP, "base": _keys("amount"), "options": {EACH: _OPTION}},
        },
    },
    "parameters": {
        "depeg": _keys("threshold factor"),
        "markets": {
            EACH: {
                "perp": _keys("mm_req im_req"),
                "base": _keys("margin_factor im_scale"),
                "option": _keys(
                    "max_spot_req min_spot_req mm_call_spot_req mm_put_spot_req mm_put_mtm_req "
                    "unpaired_im_scale unpaired_mm_scale mm_offset_scale"
                ),
                "oracle_contingency": _keys(
                    "perp_threshold option_threshold base_threshold factor"
                ),
            }
        },
    },
}
SHAPES: Mapping[str, Shape] = {"derive_pmrm1": PMRM1, "derive_pmrm2": PMRM2, "derive_srm": SRM}


def refuse_unknown(case: Mapping[str, Any]) -> None:
    """Refuse a case with a key that nothing reads, or that is written for another clock.

    Raises
    ------
    ValueError
    """
    unknown = list(_unknown(case, SHAPES[case["method"]], ""))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}")
    if float(case.get("seconds_per_year", 31_536_000)) != 31_536_000.0:
        raise ValueError(f"a year of {case['seconds_per_year']} seconds")


def _unknown(value: Any, shape: Any, path: str) -> Iterator[str]:
    if shape is None:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown(item, shape.get(EACH), f"{path}.{number}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            inner = f"{path}.{key}" if path else str(key)
            if key in shape or EACH in shape:
                yield from _unknown(item, shape.get(key, shape.get(EACH)), inner)
            else:
                yield inner
