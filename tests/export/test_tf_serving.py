"""TF Serving's own messages, by a stand-in for its server: gRPC on loopback, REST."""

import base64
import concurrent.futures
import json
import pathlib

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import export, predict
from kerasseg.export import warm_up

pytest.importorskip("grpc")
pytest.importorskip("tensorflow_serving")
import grpc
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

NAME, SIDE = "model", 1024
SMALL = ("ids", "encoded_ids", "encoded_png")


class StandIn(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Runs signatures of a SavedModel, as TF Serving does."""

    def __init__(self, folder):
        self._signatures = tf.saved_model.load(str(folder)).signatures

    def Predict(self, request, context):
        """A PredictResponse, or the error that TF Serving answers with."""
        run = self._signatures[request.model_spec.signature_name or "serving_default"]
        given = {key: tf.make_ndarray(x) for key, x in request.inputs.items()}
        try:
            found = run(**{key: tf.constant(x) for key, x in given.items()})
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse()
        for key, value in found.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(model, version folder)."""
    keras.utils.set_random_seed(0)
    image = keras.Input([None, None, 3])
    logits = keras.layers.Conv2D(3, 3, padding="same")(image / 255)
    model = keras.Model(image, logits)
    sizes = {"warm_up_sizes": ((16, 24),)}
    return model, export.saved_model(
        model, tmp_path_factory.mktemp("s") / NAME, **sizes
    )


@pytest.fixture(scope="module")
def stub(exported):
    """A client with gRPC's default limits."""
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    add = prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server
    add(StandIn(exported[1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
    server.stop(None)


@pytest.fixture(scope="module")
def photo():
    rng = np.random.default_rng(0)
    return cv2.GaussianBlur(rng.integers(0, 256, [SIDE, SIDE, 3], "uint8"), (0, 0), 20)


def request(signature, image):
    """A PredictRequest for one image."""
    found = predict_pb2.PredictRequest()
    found.model_spec.name, found.model_spec.signature_name = NAME, signature
    if signature.startswith("encoded"):
        file = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
        found.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([file]))
    else:
        found.inputs["images"].CopyFrom(tf.make_tensor_proto(image[None]))
    return found


def ids_of(response):
    """Class ids [H, W] of the only image of a PredictResponse."""
    found = {key: tf.make_ndarray(x)[0] for key, x in response.outputs.items()}
    if "mask_bytes" in found:
        return cv2.imdecode(np.frombuffer(found["mask_bytes"], "uint8"), -1)
    return found["class_ids"]


@pytest.mark.parametrize("signature", SMALL)
def test_small_replies_pass_where_whole_ones_are_too_large(
    exported, stub, photo, signature
):
    with pytest.raises(grpc.RpcError) as refused:
        stub.Predict(request("encoded", photo))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # above 4 MB
    response = stub.Predict(request(signature, photo))
    expected = predict.class_ids(exported[0], photo)
    np.testing.assert_array_equal(ids_of(response), expected)
    assert response.ByteSize() < 1.01 * SIDE * SIDE


def test_a_file_that_is_no_image_is_an_invalid_argument(stub):
    bad = request("encoded_png", np.zeros([4, 4, 3], "uint8"))
    bad.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([b"hello"]))
    with pytest.raises(grpc.RpcError, match="JPEG or PNG") as refused:
        stub.Predict(bad)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_warm_up_requests_are_messages_that_it_reads(exported, stub):
    path = exported[1] / warm_up.PLACE
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    logs = [prediction_log_pb2.PredictionLog.FromString(x) for x in records]
    requests = [log.predict_log.request for log in logs]
    names = {one.model_spec.signature_name for one in requests}
    assert names == {"serving_default", "float", "encoded", *SMALL}
    for one in requests:
        assert one.model_spec.name == NAME
        assert stub.Predict(one).outputs


def test_the_page_reads_what_rest_replies(exported, photo):
    """REST writes an only output without its name, and `_bytes` as base64."""
    page = pathlib.Path(__file__).parents[2] / "docs/how_to/tf_serving.md"
    start = page.read_text().index("def masks_of")
    names = {"base64": base64}
    exec(page.read_text()[start:].partition("```")[0], names)
    run = tf.saved_model.load(str(exported[1])).signatures["encoded_png"]
    file = cv2.imencode(".png", photo[:40, :60, ::-1])[1].tobytes()
    (found,) = run(image_bytes=tf.constant([file])).values()
    coded = [{"b64": base64.b64encode(x).decode()} for x in found.numpy()]
    (mask,) = names["masks_of"](json.loads(json.dumps({"predictions": coded})))
    expected = predict.class_ids(exported[0], photo[:40, :60])
    np.testing.assert_array_equal(mask, expected)
