"""Samples kept in memory: the same numbers, within bounds."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from kerasseg import data
from kerasseg.data import cache as caches
from tests.data import data_cases as cases

KEEP = data.Reading(cache=True)


def test_the_cache_goes_with_the_pipeline():
    dataset = data.pipeline(cases.make_samples(2), batch_size=2, reading=KEEP)
    kept = weakref.ref(dataset.sample_cache)
    iterator = iter(dataset.take(5))
    del dataset
    next(iterator)
    assert len(kept()) == 2  # still in use
    del iterator
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_cache_changes_nothing_but_the_number_of_reads(dtype):
    reads = []

    def read(index):
        reads.append(index)
        label = np.full((4, 6), 300 * index - 1, np.int32)  # as uint8 these would wrap
        return {"image": np.full((4, 6, 3), index, dtype), "label": label}

    def invert(sample, seed):  # may compute in the memory of its input
        return {**sample, "image": tf.nn.relu(sample["image"] * 2)}

    results = {}
    for cache in (False, True, "auto"):
        reads.clear()
        reading = data.Reading(cache)
        samples = cases.make_samples(4, read).with_range((0, 255))
        dataset = data.pipeline(samples, augment=invert, reading=reading)
        results[cache] = [np.concatenate([x[..., 0], y]) for x, y in dataset.take(4)]
        assert (len(reads) == 4) == bool(cache)
    np.testing.assert_array_equal(results[False], results[True])
    np.testing.assert_array_equal(results[False], results["auto"])


def test_the_cache_is_bounded_and_says_when_it_is_full(monkeypatch):
    monkeypatch.setattr(caches, "max_bytes", lambda mode: 250)  # 96 per sample
    with pytest.warns(UserWarning, match="full: 2 samples stay in memory") as caught:
        dataset = data.pipeline(cases.make_samples(5), batch_size=5, reading=KEEP)
        assert sorted(cases.numbers(dataset, 1)) == [0, 1, 2, 3, 4]
        assert sorted(cases.numbers(dataset, 2)[5:]) == [0, 1, 2, 3, 4]
    assert len(caught) == 1
    quiet = data.pipeline(cases.make_samples(5), batch_size=5)
    assert sorted(cases.numbers(quiet, 1)) == [0, 1, 2, 3, 4]
