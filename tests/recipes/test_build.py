"""What recipes become: samples, models, losses, optimizers."""

import keras
import numpy as np
import pytest

from kerasseg import datasets, recipes, zoo
from tests.recipes.small import TINY, write


def test_the_built_in_recipe_builds_everything():
    recipe = recipes.read(None, TINY)
    samples = recipes.build_samples(recipe, None, "train")
    model = recipes.build_model(recipe, samples.classes)
    assert model.output_shape == (None, None, None, 4)
    assert type(recipes.build_loss(recipe)).__name__ == "Weighted"
    assert recipes.build_optimizer(recipe, 5).learning_rate >= 0
    sample = recipes.build_augment(recipe)(
        {k: samples[0][k] for k in ("image", "label")}, np.array([0, 1], "int32")
    )
    assert sample["label"].shape == (32, 32)


def test_an_instance_recipe_brings_its_losses_and_the_size_of_its_model(tmp_path):
    text = """
    [model]
    architecture = "center_mask"
    encoder = "tiny"
    [data]
    dataset = "shapes"
    [augment]
    size = [32, 64]
    """
    recipe = recipes.read(write(tmp_path, text))
    assert recipes.task_of(recipe).name == "instance"
    assert recipes.read(write(tmp_path, recipes.dump(recipe))) == recipe
    model = recipes.build_model(recipe, datasets.shapes(1).classes)
    assert model.input_shape == (None, 32, 64, 3)
    assert model.get_layer("head").output["heatmap"].shape[-1] == 3
    assert recipes.build_loss(recipe).function is zoo.center_mask.losses


def test_a_recipe_sets_the_options_of_an_instance_model_s_loss(tmp_path):
    text = """[model]
    architecture = '{}'
    [data]
    dataset = 'shapes'
    [augment]
    size = [64, 64]
    [loss]
    {} = 64
    """
    path = write(tmp_path, text.format("mask_rcnn", "num_rois"))
    recipe = recipes.read(path)
    assert recipes.build_loss(recipe).function.keywords == {"num_rois": 64}
    again = recipes.read(write(tmp_path, recipes.dump(recipe)))
    assert again == recipe
    for name, option in [("mask_rcnn", "seed"), ("yolact", "num_rois")]:
        with pytest.raises(recipes.RecipeError, match=f"line 8: .*{option!r}"):
            recipes.read(write(tmp_path, text.format(name, option)))


def test_losses_add_up_with_their_weights():
    recipe = recipes.read(None)
    recipe["loss"] = [{"name": "CrossEntropy"}, {"name": "Dice", "weight": 0.5}]
    loss = recipes.build_loss(recipe)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    labels, logits = np.ones((1, 2, 2)), np.zeros((1, 2, 2, 3), "float32")
    assert float(again(labels, logits)) == float(loss(labels, logits))


def test_real_data_needs_its_root():
    recipe = recipes.read(None)
    recipe["data"] = {"dataset": "camvid", "train": "train", "val": "val"}
    with pytest.raises(recipes.RecipeError, match="--data ROOT"):
        recipes.build_samples(recipe, None, "train")


@pytest.mark.parametrize("name", ["adam", "adamw", "lion", "rmsprop", "sgd"])
@pytest.mark.parametrize("decay_all", [False, True])
def test_weight_decay_leaves_out_biases_and_norms_unless_told(name, decay_all):
    options = [f"optimizer.name={name}", "optimizer.weight_decay=0.1"]
    options += ["optimizer.learning_rate=0.5", "optimizer.schedule=constant"]
    options += ["optimizer.decay_all=true"] * decay_all
    recipe = recipes.read(None, [*TINY, *options])
    optimizer = recipes.build_optimizer(recipe, 5)
    parts = [keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)]
    model = keras.Sequential([*parts, keras.layers.BatchNormalization()])
    model.set_weights([np.ones(weight.shape) for weight in model.get_weights()])
    optimizer.build(model.trainable_variables)
    rate = float(optimizer.learning_rate)
    optimizer.apply([np.zeros(w.shape, "float32") for w in model.trainable_variables])
    for weight in model.trainable_variables:
        # Without a gradient only the decay of 0.1 times the rate moves a weight.
        decays = decay_all or weight.name == "kernel"
        expected = 1 - rate * 0.1 if decays else 1
        np.testing.assert_allclose(weight, expected, rtol=1e-6, err_msg=weight.path)


def test_class_weights_may_be_a_table(tmp_path):
    text = "[model]\narchitecture = 'unet'\n[data]\ndataset = 'shapes'\n"
    text += "[[loss]]\nname = 'Dice'\nclass_weights = {0 = 1.0, 1 = 5.0}\n"
    recipe = recipes.read(write(tmp_path, text))
    assert recipes.build_loss(recipe).class_weights == (1.0, 5.0)
    assert recipes.read(write(tmp_path, recipes.dump(recipe))) == recipe


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.train=train", "has no splits but train and val"),
        ("data.train={size = 64}", "must give num"),
        ('data.train={num = "a"}', "does not fit 'shapes'"),
        ("train.epochs=none", "`epochs` must be a whole number"),
        ("train.on_non_finite=banana", "Unknown on_non_finite"),
        ("predict.tile_px=0", "`tile_px` must be at least 1"),
        ("predict.tile_px=[64]", "one whole number, or \\(height, width\\)"),
        ('predict.tile_px=["a", "b"]', "must be whole numbers"),
    ],
)
def test_what_cannot_be_trained_is_said_before(override, message):
    with pytest.raises(recipes.RecipeError, match=message):
        recipe = recipes.read(None, [override])
        recipes.build_samples(recipe, None, "train")


def test_a_folder_for_data_without_one_is_refused():
    with pytest.raises(recipes.RecipeError, match="takes no folder"):
        recipes.build_samples(recipes.read(None, TINY), "somewhere", "train")


@pytest.mark.parametrize("key", ["rates", "begins"])
def test_a_part_that_the_model_lacks_is_named_with_the_nearest(key):
    recipe = recipes.read(None, [f"optimizer.{key}={{encodr=1}}"])
    model = zoo.unet(2, "tiny", decoder_filters=(8,) * 5)
    words = rf"\[optimizer\] {key}: .*'encodr'\. Did you mean 'encoder'\?"
    with pytest.raises(recipes.RecipeError, match=words):
        recipes.build_optimizer(recipe, 10, model)
