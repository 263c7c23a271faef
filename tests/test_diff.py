"""What changed between two models is told parameter by parameter."""

import pytest

import margincalc as mc
from margincalc.api.models import diff_models
from margincalc.errors import InputError
from margincalc.report import Screen, render


def test_a_model_does_not_differ_from_itself() -> None:
    report = diff_models("generic-portfolio", "generic-portfolio@2026-11-01")
    assert report.lines == ()
    assert "same parameters" in render(report, "table")


def test_dated_sets_differ_where_their_parameters_do() -> None:
    report = diff_models("deribit-pm@2024-06-17", "deribit-pm@2026-02-01")
    found = {line.parameter: (line.first, line.second) for line in report.lines}
    assert found["underlyings.ETH.price_range"] == (None, 0.18)
    assert not any(first == second for first, second in found.values())
    assert render(report, "csv").startswith("parameter,deribit-pm 2024-06-17,deribit-pm 2026-02-01")


def test_a_day_that_is_none_is_a_fault_of_the_name() -> None:
    with pytest.raises(InputError) as error:
        diff_models("deribit-pm@garbage", "deribit-pm")
    (fault,) = error.value.faults
    assert fault.place == "models diff"
    assert "deribit-pm@garbage" in fault.found


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_parameter_is_shortened(width: int) -> None:
    report = diff_models("deribit-pm@2024-06-17", "deribit-pm@2026-02-01")
    text = render(report, "table", Screen(width))
    assert all(line.parameter in text for line in report.lines)
    assert max(map(len, text.splitlines())) <= width


def test_every_model_can_be_shown() -> None:
    for model in mc.models():
        assert model.sources, model.name
        assert model.parameters, model.name
