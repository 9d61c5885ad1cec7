"""Comparison of files with the functions that they hold, on noise."""

import keras
import numpy as np
import pytest

from kerasseg import export, zoo
from kerasseg.export import checks
from kerasseg.predict import runtimes
from tests.export.small import small_model


@pytest.fixture
def written_wrongly(monkeypatch):
    """Files that answer `found` whatever the model says, without any runtime."""

    def pretend(found):
        def write(model, function, path, format, half):
            path.write_bytes(b"wrong")

        monkeypatch.setattr("kerasseg.predict.converters.convert", write)
        program = runtimes.Program(found, "uint8", {}, {})
        row = runtimes.Runtime("A runtime", ".x", "json", (), "x", lambda path: program)
        monkeypatch.setitem(runtimes.RUNTIMES, "litert", row)

    return pretend


def test_a_file_that_answers_otherwise_is_refused_and_not_left_behind(
    written_wrongly, tmp_path
):
    def wrong(images):
        ids = np.zeros(images.shape[:3], "int32")
        return {"class_ids": ids, "confidence": ids.astype("float32")}

    written_wrongly(wrong)
    with pytest.raises(export.ExportError, match=r"numbers differ .* 64x96"):
        export.save(small_model(), tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


def test_a_file_of_other_classes_is_refused(written_wrongly, tmp_path):
    model = small_model()

    def wrong(images):
        sure = keras.ops.softmax(model(images)).numpy().max(-1)
        return {"class_ids": np.full(sure.shape, 9, "int32"), "confidence": sure}

    written_wrongly(wrong)
    with pytest.raises(export.ExportError, match=r"only 0.00 % of its answers"):
        export.save(model, tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


def test_a_file_that_does_not_run_is_refused_with_the_reason(written_wrongly, tmp_path):
    written_wrongly(lambda images: 1 / 0)
    with pytest.raises(export.ExportError, match=r"64x96: division by zero"):
        export.save(small_model(), tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: {"class_ids": x["class_ids"]}, r"outputs .* not \['confidence'\]"),
        (lambda x: x | {"class_ids": x["class_ids"][:, 1:]}, "'class_ids' has shape"),
        (
            lambda x: x | {"class_ids": x["class_ids"].astype("int64")},
            "'class_ids' is int64, not int32",
        ),
        (
            lambda x: x | {"confidence": x["confidence"] * np.nan},
            "differ .*nan",
        ),
    ],
)
def test_what_is_wrong_in_an_answer_is_told(change, message, written_wrongly, tmp_path):
    model = small_model()

    def wrong(images):
        scores = keras.ops.softmax(model(images)).numpy()
        ids = scores.argmax(-1).astype("int32")
        return change({"class_ids": ids, "confidence": scores.max(-1)})

    written_wrongly(wrong)
    with pytest.raises(export.ExportError, match=message):
        export.save(model, tmp_path / "model", format="litert")
    assert not list(tmp_path.iterdir())


def test_a_refusal_names_the_policy_that_files_do_not_know():
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = small_model()
    keras.config.set_dtype_policy("float32")
    message = str(checks.refusal(model, "onnx", "a long story"))
    assert "computes with bfloat16" in message and "a long story" in message
    assert "bfloat16" not in str(checks.refusal(small_model(), "onnx", "a story"))


def test_sizes_are_odd_too_fixed_where_the_model_is_and_enough_for_unpadded_ones():
    assert checks._sizes(small_model(), (None, None, None, 3)) == [(64, 96), (65, 97)]
    fixed = keras.Sequential([keras.Input((32, 48, 3)), keras.layers.Conv2D(2, 1)])
    assert checks._sizes(fixed, (None, 32, 48, 3)) == [(32, 48)]
    # The U-Net of the paper takes 92 px off each side of an image: 188 px are too few.
    unpadded = zoo.unet(2, padding="valid", base_filters=2)
    assert checks._sizes(unpadded, (None, None, None, 3)) == [(256, 288), (257, 289)]
