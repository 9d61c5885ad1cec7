"""Labels and logits that are not meant as they are given."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasseg
from kerasseg import losses, training

NAMES = sorted(losses.LOSSES.keys() - {"Weighted"})
every_loss = pytest.mark.parametrize("name", NAMES)


def zeros(classes=1):
    return np.full((2, 8, 8, classes), -9.0, "float32")


def mask():
    """Upper half 255, lower half 0, as a PNG mask."""
    y = np.zeros((2, 8, 8), "uint8")
    y[:, :4] = 255
    return y


@every_loss
@pytest.mark.parametrize("classes", [1, 2])
def test_masks_of_0_and_255_are_told(name, classes):
    with pytest.warns(UserWarning, match=r"labels = \(labels > 127\)"):
        getattr(losses, name)()(mask(), zeros(classes))


@every_loss
def test_noisy_masks_of_0_and_255_are_told(name, rng):
    noisy = np.clip(mask() + rng.integers(-9, 9, (2, 8, 8)), 0, 255)
    noisy[0, 0, 0] = 1
    with pytest.warns(UserWarning, match=r"labels > 127"):
        getattr(losses, name)()(noisy, zeros())


@pytest.mark.parametrize(
    "loss", [losses.Dice(), losses.CrossEntropy() + losses.Dice()], ids=["one", "sum"]
)
def test_it_is_told_once_where_the_loss_is_called(loss):
    with pytest.warns(UserWarning, match="255 is the ignore label") as caught:
        loss(mask(), zeros())
    assert len(caught) == 1 and caught[0].filename == __file__


def test_an_ignore_label_beside_a_foreground_is_no_mistake():
    labels = mask()
    labels[:, -1] = 1
    losses.Dice()(labels, zeros())
    losses.Dice()(labels // 255, zeros())


def test_labels_that_are_no_class_are_told():
    labels = np.full((1, 4, 5), 21)
    with pytest.warns(UserWarning, match="0..20.*Received: 20 of 20 labels in 21..21"):
        losses.CrossEntropy()(labels, zeros(21)[:1, :4, :5])


@every_loss
@pytest.mark.parametrize("top", [1, 255])
def test_labels_between_whole_numbers_are_refused(name, top, rng):
    fix = "labels > 0.5" if top == 1 else "labels > 127"
    with pytest.raises(ValueError, match=f"whole numbers.*{fix}"):
        getattr(losses, name)()(rng.random((2, 8, 8)) * top, zeros())


def test_labels_that_are_not_finite_are_refused():
    labels = np.where(mask() > 0, np.nan, 0)
    with pytest.raises(ValueError, match=r"nan_to_num\(labels, nan=255\).*64 of 128"):
        losses.Dice()(labels, zeros())


@pytest.mark.parametrize("name", ["CrossEntropy", "Dice"])
def test_multilabel_masks_of_0_and_255_and_probabilities_are_told(name, rng):
    labels = rng.integers(0, 2, (2, 8, 8, 3))
    loss = getattr(losses, name)()
    with pytest.warns(UserWarning, match=r"labels = \(labels > 127\)"):
        loss(labels * 255, zeros(3))
    with pytest.warns(UserWarning, match="as if they were probabilities"):
        loss(labels, rng.random((2, 8, 8, 3)))


@every_loss
def test_one_hot_labels_are_told(name, rng):
    one_hot = np.eye(3)[rng.integers(0, 3, (2, 8, 8))]
    with pytest.warns(UserWarning, match=r"labels = labels.argmax\(-1\)"):
        getattr(losses, name)()(one_hot, zeros(3))


def model_with(activation, classes):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(classes, 1, activation=activation)(inputs)
    return keras.Model(inputs, outputs)


@pytest.mark.parametrize(("activation", "classes"), [("sigmoid", 1), ("softmax", 3)])
def test_a_model_of_probabilities_is_refused_in_every_way(activation, classes, rng):
    model = model_with(activation, classes)
    images, labels = rng.random((2, 8, 8, 3)), np.ones((2, 8, 8), "int32")
    refused = pytest.raises(ValueError, match=f"without `activation='{activation}'`")
    loss = losses.CrossEntropy() + losses.Dice()
    with refused:
        loss(labels, model(images))
    model.compile("sgd", losses.CrossEntropy())
    with refused:
        model.fit(images, labels, verbose=0)
    with refused:
        step = training.make_train_step(model, loss, keras.optimizers.SGD(0.1))
        step(images, labels)


def test_probabilities_as_arrays_are_refused_or_told(rng):
    labels = rng.integers(0, 3, (2, 8, 8))
    p = keras.ops.convert_to_numpy(keras.ops.softmax(rng.normal(size=(2, 8, 8, 3))))
    with pytest.raises(ValueError, match="outputs of softmax"):
        losses.Dice()(labels, p)
    with pytest.warns(UserWarning, match="All logits lie in 0..1"):
        losses.Dice()(labels % 2, p[..., :1])


@pytest.mark.parametrize("is_compiled", [False, True])
def test_labels_are_looked_at_when_a_graph_runs_and_not_while_it_is_traced(is_compiled):
    @tf.function(jit_compile=is_compiled)
    def compiled(labels, logits):
        return losses.CrossEntropy()(labels, logits)

    signature = [tf.TensorSpec(x.shape, x.dtype) for x in (mask(), zeros())]
    compiled.get_concrete_function(*signature)
    if is_compiled:  # never, then
        assert float(compiled(mask(), zeros())) < 1e-3
        return
    with pytest.warns(UserWarning, match="hold 0 and 255 but no 1"):
        assert float(compiled(mask(), zeros())) < 1e-3


def test_help_lists_the_losses():
    import pydoc

    text = pydoc.plain(pydoc.render_doc(kerasseg.losses))
    assert all(f"class {name}(" in text for name in losses.LOSSES)
