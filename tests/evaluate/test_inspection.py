import pytest

from kerasseg import evaluate


def rows(bad, good):
    """Images by the area of the largest region that is found in each."""
    found = [{"present": ["crack"], "largest_px": px} for px in bad]
    return found + [{"present": [], "largest_px": px} for px in good]


@pytest.mark.parametrize(
    "good, least",
    [
        ([0] * 20, 1),
        ([0] * 19 + [70], 1),  # one of 20 may be wrong
        ([0] * 18 + [30, 70], 31),
        ([30] * 20, 31),
        ([0] * 18 + [30], 31),  # none of 19 may be
    ],
)
def test_the_least_area_lets_so_many_false_alarms_pass(good, least):
    found = evaluate.inspection(rows([0, 25, 31, 900], good))
    assert found["bad"] == 4 and found["good"] == len(good)
    assert found["found"] == 3 and found["false_alarms"] == sum(x > 0 for x in good)
    chosen = found["chosen"]
    assert chosen["min_area_px"] == least
    assert chosen["found"] == (3 if least == 1 else 2)
    assert chosen["false_alarms"] == sum(x >= least for x in good) <= 0.05 * len(good)


def test_without_good_or_bad_images_there_is_nothing_to_say():
    assert evaluate.inspection(rows([5], [])) is None
    assert evaluate.inspection(rows([], [5])) is None
    assert evaluate.inspection([{"ap": 0.5}]) is None  # of objects
