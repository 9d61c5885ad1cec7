import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment


def test_composed_functions_run_in_order_with_different_seeds():
    seen = []

    def record(sample, seed):
        seen.append((sample["image"].copy(), tuple(np.array(seed))))
        return {**sample, "image": sample["image"] + 1}

    function = augment.compose(record, record, record)
    result = function({"image": np.zeros(1)}, tf.constant([3, 4]))
    assert [image[0] for image, _ in seen] == [0, 1, 2] and result["image"][0] == 3
    assert len({seed for _, seed in seen} | {(3, 4)}) == 4


@pytest.mark.parametrize("preset", [augment.standard, augment.microscopy])
def test_presets_can_be_switched_off(rng, preset):
    sample = {
        "image": rng.integers(0, 256, (16, 20, 3)).astype(np.uint8),
        "label": rng.integers(0, 5, (16, 20)).astype(np.int32),
    }
    off = {"scale": (1, 1), "flip": None, "rotation": 0, "brightness": 0, "contrast": 0}
    off["saturation" if preset is augment.standard else "elastic"] = 0
    result = preset(size=(16, 20), **off)(sample, [0, 1])
    np.testing.assert_array_equal(result["image"], sample["image"])
    np.testing.assert_array_equal(result["label"], sample["label"])
