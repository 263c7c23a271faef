"""`watch`: an account that follows the market, tick by tick."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from margincalc.cli.inputs import read, rules
from margincalc.cli.options import EVERY, SAMPLES, Options, examples, shared
from margincalc.cli.output import write
from margincalc.cli.stopping import until_told
from margincalc.cli.units import Share, above, seconds

if TYPE_CHECKING:
    from margincalc.feed.session import Session
    from margincalc.feed.sources import Line
    from margincalc.feed.states import Event

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
    "--ahead",
    default="60s",
    show_default=True,
    metavar="TIME",
    help="A tick this far ahead waits until the next line is as late; twice as far behind is "
    "stale.",
)
@click.option(
    "--jump",
    type=Share(),
    default="50%",
    show_default=True,
    metavar="SHARE",
    help="A price that falls by more at once, or rises as far, is refused unless the one before, "
    "refused for it too, was near.",
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
    `batch` takes it. The exit status is that of `check` in the last state, also
    where SIGINT (Ctrl-C) or SIGTERM ends it.
    """
    from margincalc.api import venue

    _refuse_feed(options, chosen)
    wanted = {name: chosen[name] for name in ("every", "above", "latency", "jump")}
    wanted["ahead"] = seconds(chosen["ahead"], "--ahead")
    session = venue.watch(**_followed(options, chosen), **wanted, **rules(options))
    for event in session.events(until_told(_feed(session, chosen))):
        _print(event)
    return 1 if session.failed else 0


def _refuse_feed(options: Options, chosen: dict[str, Any]) -> None:
    """Refuse a feed that cannot be read, before anything is computed."""
    from margincalc.feed import sources, websocket

    ticks, connect = chosen["ticks"], chosen["connect"]
    if options.file == "-" and ticks == "-" and not connect:
        raise click.UsageError("FILE and --ticks are both standard input; name one of them")
    if connect and (chosen["follow"] or ticks != "-"):
        raise click.UsageError("--connect goes neither with --ticks nor with --follow")
    if chosen["follow"] and ticks == "-":
        raise click.UsageError("--follow goes with --ticks FILE; standard input is followed anyway")
    if chosen["subscribe"] and not connect:
        raise click.UsageError("--subscribe goes with --connect URL")
    if connect:
        websocket.refuse_address(connect)
    elif ticks != "-":
        sources.refuse_unreadable(ticks)


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
    from margincalc.feed import sources, websocket

    silence, ticks = chosen["heartbeat"], chosen["ticks"]
    if chosen["connect"]:
        greeting = (session.subscription(),) if chosen["subscribe"] else ()
        return websocket.socket(
            websocket.Socket(chosen["connect"], greeting, chosen["attempts"]), silence
        )
    if chosen["follow"]:
        return sources.growing(ticks, silence)
    if ticks == "-":
        return sources.stream(_standard_input(), silence)
    return sources.lines_of(ticks, silence)


def _standard_input() -> IO[bytes]:
    """Return standard input as a file of its own, on which a thread may wait until the end.

    Python's own is closed at the end, for which it would have to wait for the thread.
    """
    if sys.stdin is None:
        return io.BytesIO()
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except io.UnsupportedOperation:  # it is no file, but a text
        return sys.stdin.buffer


def _print(event: "Event") -> None:
    """Write an event as it happens; nobody reads on where the pipe is closed."""
    import json

    from margincalc.report.as_json import plain

    if not write(json.dumps(plain(event), allow_nan=False) + "\n", Options()):
        raise BrokenPipeError
