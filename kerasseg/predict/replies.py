"""Signatures whose replies are small: class ids in few bytes, or a PNG of them."""

import tensorflow as tf


def functions(answers, num_classes):
    """Signatures that reply with class ids alone.

    A class id int32 and its confidence are 8 bytes per pixel, 8.4 MB at 1024 x 1024,
    and gRPC takes messages of 4 MB by default.

    Args:
        answers: dict of TensorFlow functions that return `class_ids`, see
            `in_graph.functions`.
        num_classes: of the model.

    Returns:
        dict of TensorFlow functions: "ids" takes what "serving_default" takes, and
        returns `class_ids` uint8 [N, H, W], uint16 above 256 classes. Where there is
        "encoded", "encoded_ids" returns the same for it, and "encoded_png"
        `mask_bytes` string [N], grey PNG files of these ids.
    """
    dtype = tf.uint8 if num_classes <= 256 else tf.uint16
    found = {"ids": _of_ids(answers["serving_default"], dtype)}
    if "encoded" in answers:
        found["encoded_ids"] = _of_ids(answers["encoded"], dtype)
        found["encoded_png"] = _of_png(answers["encoded"], dtype)
    return found


def _of_ids(answer, dtype):
    @tf.function(input_signature=answer.input_signature)
    def find_ids(images):
        return {"class_ids": tf.cast(answer(images)["class_ids"], dtype)}

    return find_ids


def _of_png(answer, dtype):
    @tf.function(input_signature=answer.input_signature)
    def draw_ids(images):
        ids = tf.cast(answer(images)["class_ids"], dtype)
        # The name ends so that TF Serving's REST interface writes it as base64.
        return {"mask_bytes": tf.io.encode_png(ids[..., None])}

    return draw_ids
