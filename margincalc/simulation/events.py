"""Documented days on which liquidation fed itself: magnitudes, as ranges, with their sources.

Sources disagree, and so each figure is a range, the ends equal where one source alone gives it.
"""

from collections.abc import Mapping
from typing import NamedTuple

Range = tuple[float, float]


class Event(NamedTuple):
    """One day.

    Attributes
    ----------
    figures : what was reported, each from least to most
    sources : addresses
    """

    name: str
    figures: Mapping[str, Range]
    sources: tuple[str, ...]

    def holds(self, figure: str, value: float) -> bool:
        """Whether a replayed figure lies in the reported range."""
        low, high = self.figures[figure]
        return low <= value <= high


def _one(value: float) -> Range:
    return value, value


MARCH_2020 = Event(
    "2020-03-12",
    {
        "btc_fall_24h": (0.37, 0.52),  # close to close on one venue, high to low on another
        "bitmex_fund_before": _one(35_500.0),
        "bitmex_fund_after": _one(33_880.0),
        "deribit_fund_before": _one(391.0),
        "deribit_fund_after": _one(183.0),
        "deribit_injection": _one(500.0),
        "maker_zero_bid_usd": _one(8.32e6),
        "maker_undercollateralised": _one(6.65e6),
    },
    (
        "https://cointelegraph.com.cach3.com/news/bitmex-insurance-fund-tags-ath-binance-and-deribit-inject-millions/amp.html",
        "https://theweal.com/2026/03/07/makerdao-black-thursday-how-one-bot-claimed-8-32m-eth/",
        "https://www.thebulletintime.com/news/makerdao-takes-new-measures-to-prevent-another-black-swan-collapse/",
    ),
)
MAY_2021 = Event(
    "2021-05-19",
    {
        "long_liquidations_usd": (7.09e9, 8.6e9),
        "lending_liquidations_usd": _one(377e6),
        "aave_usd": _one(170e6),
        "compound_usd": _one(147e6),
        "maker_usd": _one(60e6),
        "btc_before": _one(43_800.0),
        "btc_low": _one(29_000.0),
    },
    (
        "https://medium.com/gauntlet-networks/aave-protocol-liquidation-retrospective-may-2021-67c655fc1b31",
        "https://thehackposts.com/defi-hit-by-a-tsunami-of-liquidations-in-may/",
        "https://prjmp.com/7740.html",
    ),
)
NOVEMBER_2022 = Event(
    "2022-11-22",
    {"borrowed_usd": _one(40e6), "bad_debt_usd": (1.5e6, 2.5e6)},
    ("https://hackernoon.com/fixing-toxic-liquidation-spirals-in-defi",),
)
OCTOBER_2025 = Event(
    "2025-10-10",
    {
        "liquidations_usd": (16e9, 19.3e9),
        "long_usd": _one(16.83e9),
        "short_usd": _one(2.49e9),
        "accounts": _one(1.6e6),
        "peak_minute_usd": _one(3.21e9),
        "btc_peak_trough_pct": (12.0, 15.0),
        "usde_low": _one(0.65),
        "binance_fund_loss_usd": _one(184e6),
        "binance_compensation_usd": _one(283e6),
        "depth_collapse_pct": (90.0, 98.0),
    },
    (
        "https://followin.io/feed/22111099",
        "https://thebitbuzz.com/inside-the-largest-liquidation-event-ever-recorded",
        "https://post.10xresearch.com/p/after-cryptos-october-10-crash-are",
        "https://research.kaiko.com/insights/when-october-surprise-meets-crypto-liquidity-drought",
    ),
)
