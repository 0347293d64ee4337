"""The benchmark of a program with many TrainingJobs."""

import gc

import pytest

from benchmarks.training_jobs import MODES, cpu_seconds, growth_exponent


@pytest.mark.parametrize(("exponent", "seconds"), [(1, {200: 2.0, 500: 9.0, 2000: 20.0}), (2, {10: 1.0, 20: 4.0})])
def test_the_growth_exponent_is_that_from_the_first_size_to_the_last(
    exponent: float, seconds: dict[int, float]
) -> None:
    assert growth_exponent(seconds) == pytest.approx(exponent)


@pytest.mark.parametrize("mode", MODES)
def test_a_program_is_measured_in_both_modes(mode: str) -> None:
    try:
        assert cpu_seconds(2, mode) > 0
    finally:
        gc.enable()
