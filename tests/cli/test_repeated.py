"""What the command line repeats, because the original imports too much for --help, is the same."""

from typing import get_args

import click
import pytest

import margincalc as mc
from margincalc.answers import accounts, dynamic, slippage
from margincalc.api import studies
from margincalc.assembly import pools
from margincalc.cli import options, sources
from margincalc.cli.commands import liquidation as of_liquidation
from margincalc.cli.commands.simulate import cascade, monitor, waterfall
from margincalc.cli.commands.simulate import dynamic as of_dynamic
from margincalc.cli.commands.simulate import liquidation as of_engines
from margincalc.liquidation import dynamics
from margincalc.margin.load import model_names
from margincalc.pricer import PricerName
from margincalc.simulation import deleveraging, engines


@pytest.mark.parametrize(
    ("repeated", "original"),
    [
        (options.MODES, pools.MODES),
        (get_args(options.Pricer), get_args(PricerName)),
        (sources.DRAWS, accounts.DRAWS),
        (sources.DEPTH, studies.DEPTH),
        (of_engines.LAWS, slippage.LAWS),
        (of_dynamic.RULES, tuple(field.key for field in dynamic.PATH[3:])),
        (get_args(of_liquidation.Law), get_args(dynamics.Kind)),
        (waterfall.POLICIES, deleveraging.POLICIES),
        (waterfall.UNITS, deleveraging.UNITS),
    ],
)
def test_choices_are_those_of_the_original(repeated: object, original: object) -> None:
    assert repeated == original


def test_help_names_every_engine() -> None:
    (engine,) = [own for own in of_engines.liquidation.params if own.name == "engine"]
    assert isinstance(engine, click.Option)
    assert all(name in str(engine.help) for name in model_names(engines.FOLDER))


@pytest.mark.parametrize(
    ("command", "study"), [(cascade.cascade, mc.cascade), (monitor.monitor, mc.monitor)]
)
def test_shocks_are_those_of_the_library(command: click.Command, study: object) -> None:
    (shocks,) = [own for own in command.params if own.name == "shocks"]
    assert callable(study)
    drawn = accounts.Source(accounts=5)
    assert study(drawn) == study(drawn, shocks=shocks.default)
