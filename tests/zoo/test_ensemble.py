import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from kerasseg import export, predict, tasks, zoo


def pixelwise(classes, seed, *, name="net", task="semantic", as_dict=False):
    """A model of 1x1 convolutions with random weights."""
    keras.utils.set_random_seed(seed)
    image = keras.Input([None, None, 3])
    x = keras.layers.Conv2D(classes, 1, name="logits")(image / 255.0)
    outputs = {"logits": x, "aux0": 0 * x} if as_dict else x
    model = keras.Model(image, outputs, name=name)
    model.task = task
    return model


@pytest.mark.parametrize(("classes", "squash"), [(3, softmax), (1, expit)])
def test_probabilities_are_the_mean_of_the_members(classes, squash, rng):
    image = rng.integers(0, 256, [1, 9, 7, 3]).astype("float32")
    members = [pixelwise(classes, seed) for seed in range(3)]
    both = zoo.ensemble(members)
    more = {"axis": -1} if classes > 1 else {}
    expected = np.mean([squash(m(image).numpy(), **more) for m in members], axis=0)
    np.testing.assert_allclose(squash(both(image).numpy(), **more), expected, atol=1e-6)
    assert tasks.of(both).name == "semantic"


@pytest.mark.parametrize("classes", [1, 2])
def test_sure_members_give_finite_logits(classes):
    members = [pixelwise(classes, seed) for seed in range(2)]
    for sign, member in zip((1, 1), members):
        kernel = 1e4 * sign * np.ones([1, 1, 3, classes])
        kernel[..., :-1] *= -1
        member.set_weights([kernel, np.zeros(classes)])
    logits = zoo.ensemble(members)(255 * np.ones([1, 2, 2, 3])).numpy()
    assert np.isfinite(logits).all()
    assert abs(logits[..., -1] - (logits[..., 0] if classes > 1 else 0)).min() > 1e3


def test_auxiliary_outputs_are_left_out(rng):
    one, other = pixelwise(3, 0, as_dict=True), pixelwise(3, 1)
    assert not isinstance(zoo.ensemble([one, other]).output, dict)


def test_stars_average_their_maps(rng):
    small = {"decoder_filters": [8, 8], "head_filters": 8, "grid": 1}
    members = [zoo.stardist(8, "tiny", **small) for _ in range(2)]
    both, image = zoo.ensemble(members), rng.uniform(0, 255, [1, 64, 64, 3])
    found = both(image.astype("float32"), training=False)
    each = [m(image.astype("float32"), training=False) for m in members]
    mean = (each[0]["distances"] + each[1]["distances"]) / 2
    np.testing.assert_allclose(found["distances"], mean, rtol=1e-5, atol=1e-5)
    assert tasks.of(both).name == "stars"


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (lambda: [], "Received: none"),
        (lambda: [pixelwise(3, 0), pixelwise(4, 1)], "maps of the same shapes"),
        (lambda: [pixelwise(3, 0), pixelwise(3, 1, task="stars")], "of one task"),
        (lambda: [pixelwise(3, 0, task="instance")] * 2, "of one task"),
    ],
)
def test_models_that_cannot_be_averaged_are_refused(models, message):
    with pytest.raises(ValueError, match=message):
        zoo.ensemble(models())


@pytest.mark.slow
def test_an_ensemble_is_one_saved_model(tmp_path, rng):
    members = [zoo.unet(3, "tiny", decoder_filters=[8, 8]) for _ in range(2)]
    both = zoo.ensemble(members)
    image = rng.integers(0, 256, [65, 97, 3], "uint8")
    path = export.saved_model(both, tmp_path / "model", warm_up_sizes=())
    serve = tf.saved_model.load(path).signatures["serving_default"]
    served = serve(images=tf.constant(image[None]))["class_ids"].numpy()[0]
    np.testing.assert_array_equal(served, predict.class_ids(both, image))
    both.save(tmp_path / "both.keras")
    again = keras.models.load_model(tmp_path / "both.keras")
    np.testing.assert_allclose(
        again(image[None].astype("float32")),
        both(image[None].astype("float32")),
        atol=1e-5,
    )
