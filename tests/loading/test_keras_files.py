"""`.keras` files: those of kerasseg load, those that could do more are refused."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasseg import loading, weights, zoo
from tests.loading.test_saved_models import ONE_OF_EACH_TASK, build


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ONE_OF_EACH_TASK else pytest.mark.slow)
        for name in zoo.BUILDERS
    ],
)
def test_a_model_of_every_builder_loads(tmp_path, name):
    model = build(name)
    model.save(tmp_path / "model.keras")
    loaded = loading.load_keras(tmp_path / "model.keras")
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_of_many_layers_of_keras_loads(tmp_path, rng):
    layers = keras.layers
    inner_input = keras.Input((None, 8))
    inner = keras.Model(inner_input, layers.Dense(8)(inner_input), name="inner")
    x = inputs = keras.Input((16, 16, 3))
    for layer in (
        *(layers.RandomFlip(), layers.Rescaling(1 / 255), layers.Conv2D(8, 3)),
        *(layers.BatchNormalization(), layers.Activation("gelu"), layers.LeakyReLU()),
        *(
            layers.Reshape((-1, 8)),
            layers.Bidirectional(layers.LSTM(4)),
            layers.Dense(8),
        ),
        *(
            layers.RepeatVector(3),
            inner,
            layers.TimeDistributed(layers.Dense(8)),
            inner,
        ),
    ):
        x = layer(x)
    shared = layers.Dense(8, kernel_regularizer="l2", kernel_constraint="max_norm")
    x = keras.ops.concatenate([shared(x), shared(x) * 2, keras.ops.relu(x)[:, ::-1]])
    model = keras.Model(inputs, layers.Dropout(0.5, seed=3)(x))
    model.save(tmp_path / "model.keras")
    image = rng.uniform(0, 255, [1, 16, 16, 3]).astype("float32")
    loaded = loading.load_keras(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(image), model(image), rtol=1e-5, atol=1e-6)


def test_a_model_of_the_zoo_loads_with_its_weights(saved, write, rng):
    model, _ = saved
    image = rng.uniform(0, 255, [1, 32, 48, 3]).astype("float32")
    loaded = loading.load_keras(write({}))
    np.testing.assert_array_equal(loaded(image), model(image))


def test_a_compiled_model_loads_without_what_it_was_compiled_with(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "model.keras")
    assert not loading.load_keras(tmp_path / "model.keras").compiled


@pytest.mark.parametrize("name", ["../evil.py", "/tmp/evil.py", "assets/words.txt"])
def test_other_members_are_refused(write, name):
    with pytest.raises(loading.ModelFileError, match="and nothing else"):
        loading.load_keras(write({name: b"x"}))


def test_a_member_that_unpacks_to_too_much_is_refused(write):
    bomb = write({"config.json": b" " * 60_000_000}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1_000_000
    with pytest.raises(loading.ModelFileError, match="unpacks to 60000000 bytes"):
        loading.load_keras(bomb)


def test_weights_that_link_to_other_files_are_refused(write):
    file = io.BytesIO()
    with h5py.File(file, "w") as group:
        group["layers"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(weights.WeightsError, match=r"other\.keras: its weights: links"):
        loading.load_keras(write({"model.weights.h5": file.getvalue()}))


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"{", b"\xff", b"[]", b"5", b"9" * 5000]
)
def test_a_damaged_configuration_is_refused(write, content):
    with pytest.raises(loading.ModelFileError, match="not a readable"):
        loading.load_keras(write({"config.json": content}))


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"no zip")
    with pytest.raises(loading.ModelFileError, match="BadZipFile"):
        loading.load_keras(path)
    with pytest.raises(loading.ModelFileError, match="no such file"):
        loading.load_keras(tmp_path / "absent.keras")
