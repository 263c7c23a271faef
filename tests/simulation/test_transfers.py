"""What can move between venues, of an account of which one venue is short already."""

import margincalc as mc
from tests.cli import ROOT


def test_a_venue_under_maintenance_must_act_now() -> None:
    portfolio = mc.load(ROOT / "sample_portfolios" / "two_venues.yaml")
    by_name = {pool.pool: pool for pool in mc.margin(portfolio).pools}
    assert by_name["derive"].status == "liquidatable"
    said = {row["venue"]: row for row in mc.transfer(portfolio).to_dict()["venues"]}
    assert (said["derive"]["act"], said["derive"]["distance"]) == (True, 0.0)
    assert said["okx"]["act"] is False
    assert said["okx"]["distance"] < 0.0
