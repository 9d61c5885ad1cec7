"""Objects that are found, by their size."""

import numpy as np
import pytest

from kerasseg.tasks import label_maps


def test_thirds_of_the_objects_count_what_is_found_of_them():
    true, found = np.zeros([40, 60], int), np.zeros([40, 60], int)
    for number, side in enumerate((2, 3, 4, 5, 6, 7), 1):
        place = np.s_[:side, 9 * number - 8 : 9 * number - 8 + side]
        true[place] = number
        if number not in (1, 4):  # a small one and a middle one are missed
            found[place] = 10 - number
    found[20:25, 20:25] = 99  # is of no true one
    sizes = label_maps.BySize()
    sizes.add(true, found)
    assert sizes.result() == [
        {"size": "small", "from_px": 4, "to_px": 9, "objects": 2, "detected": 1},
        {"size": "middle", "from_px": 16, "to_px": 25, "objects": 2, "detected": 1},
        {"size": "large", "from_px": 36, "to_px": 49, "objects": 2, "detected": 2},
    ]
    sizes.add(np.zeros_like(true), found)
    sizes.add(true, true)
    assert [one["detected"] for one in sizes.result()] == [3, 3, 4]
    (line,) = label_maps.table({"by_size": sizes.result()})
    assert "small 75.0 % (4 to 9 px)" in line


@pytest.mark.parametrize("num", [0, 2])
def test_few_objects_have_no_thirds(num):
    sizes = label_maps.BySize()
    sizes.add(np.arange(num + 1)[None], np.arange(num + 1)[None])
    assert sizes.result() == []
    assert label_maps.table({"by_size": []}) == label_maps.table({}) == []
