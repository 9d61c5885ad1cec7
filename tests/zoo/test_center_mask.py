"""CenterMask: from raw predictions to objects by hand, and its decoders."""

import numpy as np
import pytest

from kerasseg.zoo.center_mask import CenterDetections
from tests.contracts import objects
from tests.zoo.mask_grid import MASK_SIZE, SIZE, inside


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_peaks_of_the_heatmap_become_boxes_and_shape_times_saliency_masks():
    heatmap = np.full([1, *MASK_SIZE, 2], -9.0, "float32")
    heatmap[0, 3, 5, 1], heatmap[0, 3, 6, 1] = 3, 2  # the second is no peak
    heatmap[0, 3, 14, 0] = 1
    ones = np.ones([1, *MASK_SIZE, 1], "float32")
    # Columns from 5 on are salient.
    saliency = np.where(np.arange(16)[:, None] >= 5, 20 * ones, -20 * ones)
    detect = CenterDetections(SIZE, score_threshold=0.05, num_detections=3)
    found = detect(
        [
            heatmap,
            ones * np.array([4, 2]),  # pixels of the masks
            ones * np.array([0.5, 0.25]),
            ones * np.full([4], 20.0),  # a shape of 2 x 2
            saliency,
        ]
    )
    # Centres at ((5 + 0.5) * 4, (3 + 0.25) * 4) = (22, 13) and (58, 13).
    boxes = [[14, 9, 30, 17], [50, 9, 64, 17], [0, 0, 0, 0]]
    np.testing.assert_allclose(found["boxes"][0], boxes, atol=1e-4)
    assert np.array(found["classes"]).tolist() == [[1, 0, -1]]
    np.testing.assert_allclose(found["scores"][0], [sigmoid(3), sigmoid(1), 0], 1e-5)
    masks = np.array(found["masks"])[0] > 0.5
    salient = np.arange(16) >= 5
    for mask, box in zip(masks, boxes):
        np.testing.assert_array_equal(mask, inside(box) & salient)


@pytest.mark.parametrize("decoder", ["pyramid", "unet"])
def test_center_mask_decodes_by_finer_features_when_asked(decoder):
    model = objects.build("center_mask", decoder=decoder)
    assert set(model.get_layer("decoder").input) == {"c2", "c3", "c4", "c5"}
    assert model(objects.scene()[0])["masks"].shape == (
        2,
        objects.NUM,
        *objects.MASK_SIZE,
    )
    objects.assert_the_loss_reaches_every_weight(model)
    with pytest.raises(ValueError, match=r"Unknown decoder.*pyramid"):
        objects.build("center_mask", decoder="pyramids")
