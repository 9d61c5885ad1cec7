"""The table of superpixel methods: its rows on the page."""

import numpy as np
import pytest

from benchmarks import superpixels


def test_the_page_keeps_its_text_around_the_table(tmp_path):
    page = tmp_path / "README.md"
    first, last = "<!-- superpixels -->", "<!-- /superpixels -->"
    page.write_text(f"before\n{first}\nold\n{last}\nafter\n")
    values = dict(zip(superpixels.COLUMNS, np.arange(7) / 8))
    rows = [{"segments": 200, "method": "slic", **values}]
    superpixels.update(page, rows, 3)
    text = page.read_text()
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert "| slic | 0 | 0.125 | 0.250 | 0.375 | 0.500 | 0.625 | 1 |" in text


@pytest.mark.parametrize("num", [1, 8, 20, 88])
def test_images_held_back_are_odd_and_were_not_used(num):
    positions = superpixels.held_back(num)
    assert len(set(positions)) == num
    assert all(p % 2 == 1 and p < 200 for p in positions)
    assert not set(positions) & set(superpixels.SEEN)


@pytest.mark.parametrize("num", [0, 89])
def test_more_images_than_are_held_back_are_refused(num):
    with pytest.raises(ValueError, match="`num` must be"):
        superpixels.held_back(num)


def test_every_method_gives_about_as_many_segments_as_asked(rng):
    image = rng.integers(0, 255, [60, 80, 3]).astype("uint8")
    for name in ("slic", "slico", "compact_watershed"):
        labels = superpixels.methods(200)[name](image)
        assert abs(int(labels.max()) + 1 - 200) <= 10
