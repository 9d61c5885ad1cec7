"""Small replies of signatures: class ids in few bytes."""

import cv2
import numpy as np
import pytest
import tensorflow as tf

from kerasseg.predict import replies


def answers(ids):
    """Signatures that answer every image with the same class ids [H, W]."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="image_bytes")])
    def encoded(image_bytes):
        return {"class_ids": tf.repeat(ids[None], tf.size(image_bytes), axis=0)}

    return {"serving_default": encoded, "encoded": encoded}


# 256 classes are 0..255, the most that a byte holds.
@pytest.mark.parametrize("num, dtype", [(256, "uint8"), (257, "uint16")])
def test_the_smallest_integers_that_hold_all_classes_are_taken(num, dtype):
    ids = np.array([[0, 1, 2], [num - 1, 3, 0]], "int32")
    functions = replies.functions(answers(ids), num)
    files = tf.constant([b"a", b"b"])
    found = functions["ids"](files)["class_ids"].numpy()
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, [ids, ids])
    pngs = functions["encoded_png"](files)["mask_bytes"].numpy()
    masks = [cv2.imdecode(np.frombuffer(x, "uint8"), -1) for x in pngs]
    assert masks[0].dtype == dtype
    np.testing.assert_array_equal(masks, [ids, ids])


def test_models_that_decode_no_files_answer_with_no_files():
    only = {"serving_default": answers(np.zeros([2, 2], "int32"))["encoded"]}
    assert set(replies.functions(only, 2)) == {"ids"}
