"""Warm-up requests that TF Serving replays when it loads a model.

The file is a TFRecord of `tensorflow.serving.PredictionLog` messages. Their package,
tensorflow-serving-api, would be a heavy dependency for four nested fields, so these
are written by hand; the numbers are those of the .proto files in
https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis
"""

import tensorflow as tf

PLACE = "assets.extra/tf_serving_warmup_requests"


def write(folder, requests, *, name):
    """Write the warm-up file of a SavedModel.

    Args:
        folder: version folder of the SavedModel (pathlib.Path).
        requests: (signature, input name, tensor) triples, one record each.
        name: name of the model in the requests.
    """
    path = folder / PLACE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, input_name, tensor in requests:
            writer.write(prediction_log(name, signature, input_name, tensor))


def prediction_log(name, signature, input_name, tensor):
    """One PredictionLog message as bytes.

    Args:
        name: name of the model.
        signature: name of the signature.
        input_name: name of its input.
        tensor: tf.TensorProto for it.
    """
    spec = _field(1, name.encode()) + _field(3, signature.encode())
    entry = _field(1, input_name.encode()) + _field(2, tensor.SerializeToString())
    request = _field(1, spec) + _field(2, entry)  # model_spec, one of the map `inputs`
    return _field(6, _field(1, request))  # predict_log: request


def _field(number, content):
    """A length-delimited field (wire type 2) of a protocol buffer message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value):
    """Base 128, low groups first, the top bit says that more follow."""
    groups = []
    while True:
        value, low = value >> 7, value & 127
        groups.append(low | (128 if value else 0))
        if not value:
            return bytes(groups)
