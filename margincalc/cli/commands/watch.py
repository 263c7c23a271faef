"""`watch`: an account that follows the market, tick by tick."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import write
from margincalc.cli.units import above

if TYPE_CHECKING:
    from margincalc.feed.session import Session
    from margincalc.feed.sources import Line

TICKS = f"{SAMPLES}/ticks.ndjson"


@click.command(
    epilog=examples(
        f"margincalc watch {SAMPLES}/btc_short_strangle.yaml --ticks {TICKS}",
        f"margincalc watch {SAMPLES}/btc_short_strangle.yaml --ticks {TICKS} --every 2",
    )
)
@click.option(
    "--ticks",
    metavar="FILE",
    default="-",
    show_default=True,
    help="Ticks as NDJSON; `-` is standard input.",
)
@click.option("--follow", is_flag=True, help="Go on when --ticks ends, as the file grows.")
@click.option("--connect", metavar="URL", help="Listen to a websocket instead, ws:// or wss://.")
@click.option(
    "--subscribe",
    type=click.Choice(["deribit"]),
    help="Ask the websocket for the tickers of what is held, as this venue wants to be asked.",
)
@click.option("--attempts", type=click.IntRange(0), default=0, help="At connecting; 0 is no limit.")
@click.option(
    "--every", type=click.IntRange(0), default=0, help="Also print the state after N ticks; 0: no."
)
@click.option("--balances", metavar="PATH", help="Of many accounts, Parquet: see `batch`.")
@click.option("--instruments", metavar="PATH", help="Of many accounts, Parquet: see `batch`.")
@above
@click.option(
    "--heartbeat",
    type=click.FloatRange(0.05, 86400.0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="Say so when the feed has been silent for this long.",
)
@click.option(
    "--latency/--no-latency", default=True, help="Whether to print how long a change took."
)
@shared(*(name for name in EVERY if name not in ("format", "output")), "pricer")
def watch(options: Options, **chosen: Any) -> int:
    """Follow the market tick by tick; changes of status as NDJSON.

    A tick is {"time": ..., "underlying": "BTC", "spot": 100250}, or with "expiry" and "forward", or
    {"instrument": ..., "mark": ..., "volatility": ...}; Deribit's notifications are understood too.
    Stale and impossible ticks are refused with the reason and move nothing. Time passes with the
    ticks; funding is left to the venue. FILE may be Parquet of many accounts, as
    `batch` takes it. The exit status is that of `check` in the last state.
    """
    from margincalc.api import venue

    ticks, connect = chosen["ticks"], chosen["connect"]
    if options.file == "-" and ticks == "-" and not connect:
        raise click.UsageError("FILE and --ticks are both standard input; name one of them")
    if connect and (chosen["follow"] or ticks != "-"):
        raise click.UsageError("--connect goes neither with --ticks nor with --follow")
    wanted = {name: chosen[name] for name in ("every", "above", "latency")}
    session = venue.watch(**_followed(options, chosen), **wanted, **rules(options))
    _print(session, _feed(session, chosen))
    return 1 if session.failed else 0


def _followed(options: Options, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return what is followed: one account, or those of a Parquet file or folder."""
    from margincalc.kernels import fastest

    beside = {name: chosen[name] for name in ("balances", "instruments")}
    if _many(options.file):
        many = {"portfolio": options.file, "market": options.market, "as_of": options.as_of}
        return {**many, **beside, "pricer": options.pricer or fastest()}
    for name, path in beside.items():
        if path is not None:
            raise click.UsageError(f"--{name} goes with a Parquet file or folder of many accounts")
    return {"portfolio": read(options), "pricer": options.pricer or "numpy"}


def _many(path: str) -> bool:
    """Whether a path is of many accounts: a folder of Parquet, or one file with their names."""
    place = Path(path)
    if place.is_dir():
        return any(place.rglob("*.parquet"))
    if place.suffix != ".parquet" or not place.is_file():
        return False
    from margincalc.files.parquet import opened

    with opened(path) as file:
        return "account" in file.schema_arrow.names


def _feed(session: "Session", chosen: dict[str, Any]) -> "Iterator[Line]":
    """Open the source of ticks."""
    from margincalc.feed import sources

    silence = chosen["heartbeat"]
    if chosen["connect"]:
        greeting = (session.subscription(),) if chosen["subscribe"] else ()
        socket = sources.Socket(chosen["connect"], greeting, chosen["attempts"])
        return sources.socket(socket, silence)
    if chosen["follow"]:
        return sources.growing(chosen["ticks"], silence)
    if chosen["ticks"] == "-":
        return sources.stream(sys.stdin.buffer, silence)
    return sources.lines_of(chosen["ticks"], silence)


def _print(session: "Session", feed: "Iterator[Line]") -> None:
    """Write each event as it happens; an interruption ends with the last state."""
    import json

    from margincalc.report.as_json import plain

    def put(event: dict[str, Any]) -> None:
        write(json.dumps(plain(event), allow_nan=False) + "\n", Options())

    try:
        for event in session.events(feed):
            put(event)
    except KeyboardInterrupt:
        put(session.end())
