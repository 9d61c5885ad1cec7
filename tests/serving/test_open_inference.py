"""The Open Inference Protocol: tensors in, tensors out, as JSON and as bytes."""

import base64
import json
import os
import pathlib
import struct
import subprocess

import cv2
import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("prometheus_client")
pytest.importorskip("uvicorn")
from kerasseg.serving import open_inference
from tests.serving.test_segmenter import segmenter
from tests.serving.test_server import Bright, ask, png, serving_at

ROOT = pathlib.Path(__file__).parents[2]
INFER = "/v2/models/bright/infer"
DTYPES = {"UINT8": "u1", "UINT16": "<u2", "INT32": "<i4", "FP32": "<f4"}


class Objects(Bright):
    """Bright pixels as one object without a score."""

    name = "bright"

    def about(self):
        return {"model": "bright", "channels": 3}

    def tensors(self, found=None):
        if found is None:
            found = np.zeros([0, 0], bool)
        scores = np.full([int(found.any())], np.nan, "float32")
        return {"mask": found[None].astype("uint16"), "object_scores": scores}


@pytest.fixture(scope="module")
def port():
    with serving_at(Objects()) as found:
        yield found


def tensor(values, kind="UINT8", **more):
    values = np.asarray(values)
    shape = list(values.shape)
    data = values.ravel().tolist()
    return {"name": "image", "shape": shape, "datatype": kind, "data": data, **more}


def infer(port, document, rest=b"", **headers):
    """(status, content, arrays by name) of a request; `rest` follows the JSON."""
    head = json.dumps(document).encode()
    if rest:
        headers["Inference_Header_Content_Length"] = str(len(head))
    status, found, answered = ask(port, head + rest, path=INFER, raw=True, **headers)
    length = int(answered.get("inference-header-content-length", len(found)))
    content, rest, arrays = json.loads(found[:length]), found[length:], {}
    for one in content.get("outputs", ()):
        dtype = DTYPES[one["datatype"]]
        if "data" in one:
            array = np.array([np.nan if x is None else x for x in one["data"]], dtype)
        else:
            size = one["parameters"]["binary_data_size"]
            array, rest = np.frombuffer(rest[:size], dtype), rest[size:]
        arrays[one["name"]] = array.reshape(one["shape"])
    assert not rest
    return status, content, arrays


def image():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (1, 6, 9, 3), "uint8")


@pytest.mark.parametrize("kind", ["UINT8", "UINT16", "FP32"])
@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize("binary", [False, True])
def test_a_picture_is_answered_alike_in_every_form(port, kind, rank, binary):
    values = image()[0] if rank == 3 else image()
    one, rest = tensor(values, kind), b""
    if binary:
        rest = values.astype(DTYPES[kind]).tobytes()
        one["parameters"] = {"binary_data_size": len(rest)}
        del one["data"]
    asked = {"id": "a7", "inputs": [one], "parameters": {"binary_data_output": binary}}
    status, content, found = infer(port, asked, rest)
    assert (status, content["model_name"], content["id"]) == (200, "bright", "a7")
    expected = image()[..., 0] > 127
    np.testing.assert_array_equal(found["mask"], expected)
    assert found["mask"].dtype == np.uint16
    assert np.isnan(found["object_scores"]).tolist() == [True]
    assert ("data" in content["outputs"][0]) != binary


def test_nested_data_and_a_choice_of_outputs(port):
    one = {**tensor(image()), "data": image().tolist()}
    outputs = [{"name": "mask", "parameters": {"binary_data": True}}]
    _, content, found = infer(port, {"inputs": [one], "outputs": outputs})
    assert [*found] == ["mask"] and "data" not in content["outputs"][0]
    np.testing.assert_array_equal(found["mask"], image()[..., 0] > 127)


def test_a_file_is_a_tensor_of_bytes(port):
    one = {"name": "file", "shape": [1], "datatype": "BYTES"}
    text = base64.b64encode(png()).decode()
    _, _, found = infer(port, {"inputs": [{**one, "data": [text]}]})
    assert found["mask"].shape == (1, 8, 10) and found["mask"].all()
    rest = struct.pack("<I", len(png())) + png()
    one["parameters"] = {"binary_data_size": len(rest)}
    _, _, found = infer(port, {"inputs": [one]}, rest)
    assert found["mask"].shape == (1, 8, 10) and found["mask"].all()


BLACK = np.full((1, 2, 2, 3), 9)
SIDEWAYS = np.moveaxis(BLACK, 3, 2)


@pytest.mark.parametrize(
    "words, document",
    [
        ("list of one tensor", []),
        ("list of one tensor", {}),
        ("list of one tensor", {"inputs": [tensor(BLACK)] * 2}),
        ("list of one tensor", {"inputs": [7]}),
        ("'image' of UINT8", {"inputs": [tensor(BLACK, "INT64")]}),
        ("'image' of UINT8", {"inputs": [tensor(BLACK, name="x")]}),
        ("[1, height, width", {"inputs": [tensor(BLACK, shape=[2, 1, 2, 3])]}),
        ("[1, height, width", {"inputs": [tensor(BLACK, shape=[1, -2, -2, 3])]}),
        ("[1, height, width", {"inputs": [tensor(BLACK, shape="1,2,2,3")]}),
        ("(12,) for", {"inputs": [tensor(BLACK, shape=[1, 2, 3, 3])]}),
        ("2, 3, 2) for", {"inputs": [tensor(BLACK, data=SIDEWAYS.tolist())]}),
        ("not UINT8", {"inputs": [tensor(BLACK + 250)]}),
        ("not UINT8", {"inputs": [tensor(BLACK - 10.0)]}),
        ("not UINT8", {"inputs": [tensor(BLACK + 0.5)]}),
        ("UINT8 of the stated", {"inputs": [tensor(BLACK, data=["a", "b"])]}),
        ("UINT8 of the stated", {"inputs": [tensor(BLACK, data=[[1, 2], [3]])]}),
        ("UINT8 of the stated", {"inputs": [tensor(BLACK, data=[10**400])]}),
        ("UINT8 of the stated", {"inputs": [tensor(BLACK, data=None)]}),
        ("NaN", {"inputs": [tensor(BLACK, "FP32", data=[float("nan")] * 12)]}),
        ("inf", {"inputs": [tensor(BLACK, "FP32", data=[1e40] * 12)]}),
        ("2 channels", {"inputs": [tensor(BLACK[..., :2])]}),
        ("at most 10000 pix", {"inputs": [tensor(np.zeros((1, 1, 10001, 1), int))]}),
        (
            "bytes must follow",
            {"inputs": [tensor(BLACK, parameters={"binary_data_size": 12})]},
        ),
        ("must be an object", {"inputs": [tensor(BLACK, parameters=[1])]}),
        (
            "one file in base64",
            {"inputs": [tensor(0, "BYTES", name="file", data=["?"])]},
        ),
        ("image file", {"inputs": [tensor(0, "BYTES", name="file", data=["aGk="])]}),
        (
            "mask, object_scores",
            {"inputs": [tensor(BLACK)], "outputs": [{"name": "x"}]},
        ),
        ("mask, object_scores", {"inputs": [tensor(BLACK)], "outputs": [7]}),
        ("mask, object_scores", {"inputs": [tensor(BLACK)], "outputs": 7}),
    ],
)
def test_bad_requests_are_answered_with_words(port, words, document):
    status, content, _ = infer(port, document)
    assert status == 400 and words in content["error"], content


def test_bodies_that_are_no_requests_are_answered_with_words(port):
    bodies = (b"", b"\xff", b"{", b"[" * 20_000, b"NaN", b'"a"')
    for body in bodies:
        status, content = ask(port, body, path=INFER)
        assert status == 400 and content["error"], body
    for length in ("-1", "x", "2", "99999999", "9" * 5000):
        status, content = ask(
            port, b'{"inputs": []}', path=INFER, Inference_Header_Content_Length=length
        )
        assert status == 400 and content["error"], length
    one = {"name": "file", "datatype": "BYTES", "parameters": {"binary_data_size": 3}}
    assert infer(port, {"inputs": [one]}, b"abc")[0] == 400


def test_the_server_and_the_model_describe_themselves(port):
    def get(path):
        return ask(port, method="GET", path=path)

    assert get("/v2")[1]["extensions"] == ["binary_tensor_data"]
    assert get("/v2/health/live") == (200, {"live": True})
    assert get("/v2/health/ready") == (200, {"ready": True})
    assert get("/v2/models/bright/ready") == (200, {"name": "bright", "ready": True})
    about = get("/v2/models/bright")[1]
    assert about["inputs"][0] == {
        "name": "image",
        "datatype": "UINT8",
        "shape": [1, -1, -1, 3],
    }
    assert [(x["name"], x["datatype"], x["shape"]) for x in about["outputs"]] == [
        ("mask", "UINT16", [1, -1, -1]),
        ("object_scores", "FP32", [-1]),
    ]
    for path in ("", "/ready"):
        status, content = get("/v2/models/other" + path)
        assert status == 404 and "'bright'" in content["error"]
    assert ask(port, b"{}", path="/v2/models/other/infer")[0] == 404
    status, content = get(INFER)
    assert status == 405 and "POST JSON to /v2/models/NAME/infer" in content["error"]


def test_tensors_are_what_the_file_of_an_answer_holds():
    photo = np.zeros((40, 50, 3), "uint8")
    photo[10:30, 15:35] = 200
    for name in ("shapes", "nuclei"):
        model = segmenter(name)
        (found,) = model.segment([photo])
        arrays, answer = (
            model.tensors(found),
            json.loads(model.answer(photo, found, "json")),
        )
        data = np.frombuffer(base64.b64decode(answer["mask_png"]), "uint8")
        mask = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(arrays["mask"], mask[None])
        about = open_inference.describe(model)["outputs"]
        assert [x["name"] for x in about] == [*arrays]
        if name == "nuclei":
            assert len(arrays["object_ids"]) == len(answer["objects"])
            boxes = [
                [x[k] for k in ("x1", "y1", "x2", "y2")] for x in answer["objects"]
            ]
            np.testing.assert_allclose(
                arrays["object_boxes"], np.reshape(boxes, (-1, 4))
            )


def test_the_client_of_kserve_gets_the_mask(tmp_path):
    """Set KERASSEG_KSERVE_PYTHON to a Python with kserve, whose packages are older."""
    python = os.environ.get("KERASSEG_KSERVE_PYTHON")
    if not python:
        pytest.skip("needs an environment with kserve")
    cv2.imwrite(str(tmp_path / "photo.png"), image()[0, ..., ::-1])
    with serving_at(Objects()) as port:
        script = ROOT / "scripts/clients/ask_kserve.py"
        address = f"http://127.0.0.1:{port}"
        command = [python, script, address, "bright", "photo.png", "mask.png"]
        subprocess.run(command, cwd=tmp_path, check=True)
    mask = cv2.imread(str(tmp_path / "mask.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, image()[0, ..., 0] > 127)
