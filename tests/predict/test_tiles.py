"""Tiles: where they lie, how they blend, what they cost."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseg.predict import tiles


@pytest.mark.parametrize("overlap", [0, 1, 7, 16, 40, 63])
@pytest.mark.parametrize("length", [1, 64, 65, 200, 333])
def test_weights_add_up_to_one(length, overlap):
    total = np.zeros(length)
    for start, stop, weights in tiles.plan(length, 64, overlap):
        assert 0 < stop - start <= 64
        total[start:stop] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), size=st.tuples(st.integers(1, 150), st.integers(1, 150)))
def test_any_size_tile_and_overlap_put_every_pixel_where_it_was(data, size):
    tile_px = data.draw(st.tuples(st.integers(1, 100), st.integers(1, 100)))
    overlap_px = data.draw(st.integers(0, min(tile_px) - 1))
    image = np.arange(size[0] * size[1] * 2, dtype="float32").reshape(*size, 2)

    def infer(top, bottom, left, right):
        return image[top:bottom, left:right]

    parts = tiles.stripes(infer, size, tile_px=tile_px, overlap_px=overlap_px)
    tops, stripes = zip(*parts)
    assert tops == tuple(np.cumsum([0, *map(len, stripes)])[:-1])
    np.testing.assert_allclose(np.concatenate(stripes), image, rtol=1e-5)


@pytest.mark.parametrize("tile_px, overlap_px, step", [(512, 64, 448), (100, 30, 64)])
def test_tiles_start_on_the_grid_of_strided_models(tile_px, overlap_px, step):
    starts = [start for start, _, _ in tiles.plan(2000, tile_px, overlap_px)]
    assert np.unique(np.diff(starts)).tolist() == [step]


def test_borders_of_tiles_have_no_weight_and_borders_of_the_image_do():
    (_, _, first), (start, _, second) = tiles.plan(96, 64, 32)
    assert start == 32 and first[0] == second[-1] == 1
    # Of the overlap 32 the outer 8 count nothing, the inner 8 everything.
    assert (first[-8:] == 0).all() and (first[:40] == 1).all()
    assert (np.diff(first[40:56]) < 0).all()


def test_memory_does_not_grow_with_the_height():
    def infer(top, bottom, left, right):
        return np.ones([bottom - top, right - left, 4], "float32")

    peaks = []
    for height in (1000, 10000):
        tracemalloc.start()
        for _ in tiles.stripes(infer, (height, 256), tile_px=(128, 128), overlap_px=32):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] and peaks[1] < 3e6  # the whole: 41 MB
