"""Parts of a model that learn slower than the others."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import training, zoo


def changes(factor, kind=keras.optimizers.AdamW):
    """Distance that a step moves the kernels of the encoder and of the rest."""
    keras.utils.set_random_seed(0)
    model = zoo.unet(2, "tiny", decoder_filters=(8,) * 5)
    inside = zoo.part_of(model, "encoder")[0].trainable_variables
    optimizer = kind(0.01, weight_decay=0.0)
    if factor is not None:
        training.scale_rates(optimizer, inside, factor)
    before = {x.path: x.numpy() for x in model.trainable_variables}
    step = training.make_train_step(
        model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), optimizer
    )
    images = np.random.default_rng(0).integers(0, 256, [2, 32, 32, 3]).astype("uint8")
    step(images, (images[..., 0] > 99).astype("int32"))
    own = {x.path for x in inside}
    moved = {
        x.path: np.abs(x.numpy() - before[x.path]) for x in model.trainable_variables
    }
    return [
        np.concatenate(
            [d.ravel() for name, d in moved.items() if (name in own) is side]
        )
        for side in (True, False)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [keras.optimizers.AdamW, keras.optimizers.SGD])
def test_only_the_part_moves_less(kind):
    (encoder, rest), (slow, same) = changes(None, kind), changes(0.1, kind)
    np.testing.assert_allclose(same, rest, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(slow, 0.1 * encoder, rtol=2e-2, atol=1e-6)
    assert slow.max() > 0


def test_zero_keeps_the_part():
    slow, rest = changes(0.0)
    assert slow.max() == 0 and rest.max() > 0


def test_parts_begin_to_learn_one_after_the_other():
    late, later, rest = (keras.Variable([1.0]) for _ in range(3))
    optimizer = keras.optimizers.SGD(0.5)
    training.scale_rates(optimizer, [late], 0.1, begin=1)
    training.scale_rates(optimizer, [later], 1.0, begin=2)
    seen = []
    for _ in range(3):
        optimizer.apply([[1.0]] * 3, [late, later, rest])
        seen.append([round(float(x[0]), 2) for x in (late, later, rest)])
    assert seen == [[1.0, 1.0, 0.5], [0.95, 1.0, 0.0], [0.9, 0.5, -0.5]]


@pytest.mark.parametrize("is_graph", [False, True])
def test_nothing_decays_before_it_begins(is_graph):
    late, later, rest = (keras.Variable([1.0]) for _ in range(3))
    optimizer = keras.optimizers.SGD(0.1, weight_decay=1.0)
    training.scale_rates(optimizer, [late], 1.0, begin=1)
    training.scale_rates(optimizer, [later], 1.0, begin=2)
    optimizer.build([late, later, rest])
    zeros = [keras.ops.zeros(1)] * 3

    def update():
        optimizer.apply(zeros, [late, later, rest])

    update, seen = tf.function(update) if is_graph else update, []
    for _ in range(3):
        update()
        seen.append([round(float(x[0]), 3) for x in (late, later, rest)])
    assert seen == [[1.0, 1.0, 0.9], [0.9, 1.0, 0.81], [0.81, 0.9, 0.729]]
    assert optimizer.weight_decay == 1.0


@pytest.mark.parametrize("options", [{"factor": -1}, {"factor": 1, "begin": -1}])
def test_negative_numbers_are_refused(options):
    with pytest.raises(ValueError, match="0 or more"):
        training.scale_rates(keras.optimizers.SGD(), [], **options)
