"""A task of one's own: this file alone adds it, and every command works with it.

The models of this toy tell how large a share of an image objects cover.
"""

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import encoders, tasks, training, viz, zoo
from kerasseg.cli import main
from kerasseg.images import write_image
from kerasseg.predict import files, forward, in_graph, preprocessing
from kerasseg.predict.options import check, option

RECIPE = """
[model]
architecture = "coverage"
encoder = "tiny"
[data]
dataset = "shapes"
train = {num = 8, size = 64, seed = 1}
val = {num = 2, size = 64, seed = 2}
[augment]
size = [64, 64]
[train]
epochs = 1
steps_per_epoch = 2
batch_size = 4
precision = "float32"
[optimizer]
name = "sgd"
[predict]
unit = "percent"
"""


def coverage(encoder="tiny", *, input_shape=(None, None, 3), weights=None):
    """Image -> share of its pixels that objects cover."""
    image = keras.Input(input_shape, name="image")
    x = encoders.build(encoder, input_shape)(image)["c5"]
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    share = keras.layers.Dense(1, "sigmoid", dtype="float32", name="share")(x)
    model = keras.Model(image, {"share": share}, name="coverage")
    if weights is not None:
        model.load_weights(weights)
    return model


def coverage_losses(model, images, truth, *, seed=None):
    found = model(images, training=True)["share"]
    return {"share": keras.ops.mean((found - truth["share"]) ** 2)}


def truth_of(sample):
    covered = tf.reduce_any(sample["instances"] > 0, axis=0)
    return {"share": tf.reduce_mean(tf.cast(covered, "float32"))[None]}


@dataclasses.dataclass(frozen=True)
class CoverageOptions:
    unit: str = option("share", "share or percent")

    def __post_init__(self):
        check(self)


def predict(model, image, options):
    image = preprocessing.prepare(image, 3)[None]
    share = forward.to_arrays(forward.compiled(model, dict)(image))["share"].item()
    return 100 * share if options.unit == "percent" else share


class Scorer:
    batch_px = 0

    def __init__(self, model, samples, options):
        self.predict = lambda images: [predict(model, x, options) for x in images]
        self.errors, self.scale = [], 100 if options.unit == "percent" else 1

    def add(self, sample, found):
        truth = self.scale * (sample["instances"] > 0).any(0).mean()
        self.errors.append(abs(found - truth))
        return {"closeness": -float(self.errors[-1])}

    def result(self):
        return {"closeness": -float(np.mean(self.errors)), "classes": {}}


def folder(model, inputs, out, *, class_names=None, palette=None, options=None):
    shares, read = {}, files.reader_for(model)

    def predict_file(path, targets):
        shares[path.name] = predict(model, read(path), options)

    result = files.run(files.plan(inputs, out, ("overlay",)), predict_file)
    return {**result, "shares": shares}


TASK = dataclasses.replace(
    tasks.TASKS["semantic"],
    name="coverage",
    about="the share of an image that objects cover",
    options=CoverageOptions,
    monitor="closeness",
    row_score="closeness",
    needs_instances=True,
    matches=lambda outputs: outputs == {"share"},
    resolve=lambda recipe, builder: recipe.update(loss=[]),
    model_options=lambda recipe, classes, channels: {},
    loss=lambda recipe, builder: training.Objective(builder.losses),
    truth=lambda recipe: truth_of,
    predict=predict,
    predict_batch=None,
    ids=None,  # a share is no map
    rows=None,
    scorer=Scorer,
    table=lambda result: f"closeness {result['closeness']:.3f}",
    card=lambda results: [f"closeness {results['closeness']:.3f}"],
    gallery=lambda groups, samples, options: viz.display(
        groups["Worst"][0]["sample"]["image"]
    ),
    folder=folder,
    num_classes=lambda model: None,
    signatures=lambda model, *more: in_graph.functions(model, dict, *more),
    outputs={"share": "float32 [N, 1]"},
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coverage")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tasks.TASKS, "coverage", TASK)
        patch.setitem(zoo.BUILDERS, "coverage", coverage)
        coverage.task, coverage.losses = "coverage", coverage_losses
        (folder / "recipe.toml").write_text(RECIPE)
        out = folder / "run"
        assert main(["train", str(folder), "--out", str(out)]) == 0
        yield out


def test_every_command_works_with_it(run, tmp_path, capsys):
    results = json.loads((run / "results.json").read_text())
    assert results["task"] == "coverage"
    assert results["settings"]["unit"] == "percent"

    assert main(["evaluate", "--run", str(run), "--unit", "share", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["closeness"] == pytest.approx(results["closeness"] / 100)

    write_image(tmp_path / "photo.png", np.zeros([40, 50, 3], "uint8"))
    command = ["predict", str(tmp_path / "photo.png"), "--run", str(run), "--json"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["shares"]["photo.png"] <= 100

    assert main(["export", "--run", str(run), "--out", str(tmp_path / "served")]) == 0
    about = json.loads((tmp_path / "served/1/kerasseg.json").read_text())
    assert about["task"] == "coverage"
    served = tf.saved_model.load(str(tmp_path / "served/1"))
    answer = served.signatures["serving_default"](
        images=tf.zeros([2, 9, 7, 3], "uint8")
    )
    assert answer["share"].shape == (2, 1)


def test_its_options_are_flags_and_are_checked(run, tmp_path, capsys):
    command = ["predict", "photo.png", "--run", str(run), "--out", str(tmp_path)]
    assert main([*command, "--zoom", "2"]) == 1
    assert "Received: 'zoom'" in capsys.readouterr().err
    assert main(["train", "--set", "predict.units=share", str(run.parent)]) == 2
    assert "Did you mean 'unit'?" in capsys.readouterr().err


def test_a_model_of_it_is_known_by_its_outputs(run):
    assert tasks.of(coverage()).name == "coverage"
