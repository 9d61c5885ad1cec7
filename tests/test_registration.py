"""Keras loads our models after `import kerasseg` alone, in whatever order."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasseg import layers, losses, metrics, names, training, zoo

PARTS = layers, losses, metrics, training, zoo  # register what is ours


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model = zoo.fcn(2, "tiny")
    loss = losses.Weighted([(1.0, losses.CrossEntropy()), (0.5, losses.Dice())])
    rate = training.learning_rate("poly", peak=0.1, steps=10)
    model.compile(keras.optimizers.SGD(rate), loss, metrics=[metrics.MeanIoU(2)])
    model.fit(np.zeros((1, 32, 32, 3)), np.zeros((1, 32, 32), int), verbose=0)
    model.save(path)
    return path


@pytest.mark.parametrize(
    "imports",
    [
        pytest.param("import keras, kerasseg", marks=pytest.mark.slow),
        pytest.param("import kerasseg, keras", marks=pytest.mark.slow),
        "import kerasseg.predict.options\nfrom keras import saving\nimport keras",
    ],
)
def test_a_compiled_model_loads_in_a_fresh_process(saved, imports, tmp_path):
    code = f"""{imports}
model = keras.models.load_model({str(saved)!r})
assert model.loss.__class__.__module__.startswith("kerasseg.losses"), model.loss
model.save({str(tmp_path / "again.keras")!r})
again = keras.models.load_model({str(tmp_path / "again.keras")!r})
assert again.get_config() == model.get_config()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_every_registered_class_is_found_in_its_file():
    table = keras.saving.get_custom_objects()
    ours = {name for name in table if name.startswith("kerasseg>")}
    root = names.pathlib.Path(names.__file__).parent
    found = {
        f"kerasseg>{name}"
        for file in root.rglob("*.py")
        for name in names.REGISTERED.findall(file.read_text(encoding="utf-8"))
    }
    assert ours == found
