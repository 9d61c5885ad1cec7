import inspect
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config

from kerasseg import metrics

METRICS = {
    "mean_iou": lambda k, **options: metrics.MeanIoU(k, **options),
    "mean_dice": lambda k, **options: metrics.MeanDice(k, **options),
    "pixel_accuracy": lambda k, **options: metrics.PixelAccuracy(k, **options),
    "mean_accuracy": lambda k, **options: metrics.MeanAccuracy(k, **options),
    "frequency_weighted_iou": lambda k, **options: metrics.FrequencyWeightedIoU(
        k, **options
    ),
    "class1_iou": lambda k, **options: metrics.ClassIoU(k, 1, **options),
    "confusion_matrix": lambda k, **options: metrics.ConfusionMatrix(k, **options),
}
LOSS = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=255)
every_metric = pytest.mark.parametrize("name", METRICS)


@pytest.fixture
def batch(rng):
    """Labels of classes 0..3 with a fifth ignored, and logits of 5 classes."""
    labels = rng.integers(0, 4, (3, 6, 5)).astype("int32")
    labels[rng.random(labels.shape) < 0.2] = 255
    return labels, rng.normal(size=(3, 6, 5, 5)).astype("float32")


def brute_force(labels, predictions, size, ignored=(255,)):
    matrix = np.zeros((size, size), int)
    for label, prediction in zip(labels.ravel(), predictions.ravel()):
        if label not in ignored:
            matrix[label, prediction] += 1
    return matrix


def score(name, matrix):
    if name == "confusion_matrix":
        return matrix
    if name == "class1_iou":
        return metrics.iou_per_class(matrix)[1]
    return getattr(metrics, name)(matrix)


def small_model(outputs=None):
    inputs = keras.Input((None, None, 3))
    logits = keras.layers.Conv2D(5, 1, name="head")(inputs)
    return keras.Model(inputs, outputs(logits) if outputs else logits)


def test_matrix_by_hand():
    # labels 0 0 / 1 255, predictions 0 1 / 0 1
    labels = [[[0, 0], [1, 255]]]
    logits = np.eye(2)[[[[0, 1], [0, 1]]]]
    matrix = metrics.ConfusionMatrix(2)
    matrix.update_state(labels, logits)
    assert matrix.numpy().tolist() == [[1, 1], [1, 0]]


def test_batches_add_up_to_a_brute_force_count(batch):
    labels, logits = batch
    matrix = metrics.ConfusionMatrix(5)
    for i in range(3):
        matrix.update_state(labels[i : i + 1], logits[i : i + 1])
    expected = brute_force(labels, logits.argmax(-1), 5)
    np.testing.assert_array_equal(matrix.numpy(), expected)
    np.testing.assert_array_equal(matrix.result(), expected)
    matrix.reset_state()
    assert matrix.numpy().sum() == 0


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_labels_may_have_any_dtype(batch, dtype):
    labels, logits = batch
    matrix = metrics.ConfusionMatrix(5)
    matrix.update_state(labels.astype(dtype), tf.cast(logits, "bfloat16"))
    assert matrix.numpy().sum() == (labels != 255).sum()


@pytest.mark.parametrize("shape", [(3, 6, 5), (3, 6, 5, 1)])
def test_one_logit_is_foreground_above_zero(batch, shape):
    labels = np.where(batch[0] == 255, 255, batch[0] % 2)
    logits = batch[1][..., :1]
    logits[0, 0, 0] = 0  # probability 1/2 is background
    matrix = metrics.ConfusionMatrix(1)
    matrix.update_state(labels.reshape(shape), logits)
    expected = brute_force(labels, (logits[..., 0] > 0).astype(int), 2)
    np.testing.assert_array_equal(matrix.numpy(), expected)


@pytest.mark.filterwarnings("ignore:Labels must be class ids")
def test_labels_that_are_no_class_are_left_out(batch):
    labels, logits = batch
    labels[0, :2] = [[5], [-1]]
    matrix = metrics.ConfusionMatrix(5)
    matrix.update_state(labels, logits)
    expected = brute_force(labels, logits.argmax(-1), 5, ignored=(255, 5, -1))
    np.testing.assert_array_equal(matrix.numpy(), expected)


@pytest.mark.filterwarnings("ignore:Labels must be class ids")
@pytest.mark.parametrize(("ignore_label", "ignored"), [(0, (0, 255)), (None, (255,))])
def test_the_ignored_label_can_be_chosen(batch, ignore_label, ignored):
    labels, logits = batch
    matrix = metrics.ConfusionMatrix(5, ignore_label=ignore_label)
    matrix.update_state(labels, logits)
    expected = brute_force(labels, logits.argmax(-1), 5, ignored)
    np.testing.assert_array_equal(matrix.numpy(), expected)


def test_counts_stay_exact_far_beyond_float32_and_int32(batch):
    labels, logits = batch
    matrix = metrics.ConfusionMatrix(5)
    matrix.update_state(labels, logits)
    one = matrix.numpy()
    # As if 10^12 pixels of each cell had been counted, in words of 2^24.
    low, high = 10**12 % 2**24, 10**12 // 2**24
    start = np.stack([np.full((5, 5), low), np.full((5, 5), high)])
    matrix.variables[0].assign(start)
    for _ in range(3):
        matrix.update_state(labels, logits)
    np.testing.assert_array_equal(matrix.numpy(), 10**12 + 3 * one)
    np.testing.assert_array_equal(matrix.result(), 10**12 + 3 * one)


def test_low_words_carry_into_high_words():
    matrix = metrics.ConfusionMatrix(1)
    almost = np.zeros((2, 2, 2), int)
    almost[0] = 2**24 - 1
    matrix.variables[0].assign(almost)
    matrix.update_state([[[0, 1]]], [[[[-1.0], [1.0]]]])
    top = 2**24
    assert matrix.numpy().tolist() == [[top, top - 1], [top - 1, top]]
    assert matrix.variables[0].numpy()[0].tolist() == [[0, top - 1], [top - 1, 0]]


def test_deterministic_ops_give_the_same_counts(batch, monkeypatch):
    # There another op counts, since the GPU kernel refuses.
    labels, logits = batch
    monkeypatch.setattr(config, "is_op_determinism_enabled", lambda: True)
    matrix = metrics.ConfusionMatrix(5)
    matrix.update_state(labels, logits)
    expected = brute_force(labels, logits.argmax(-1), 5)
    np.testing.assert_array_equal(matrix.numpy(), expected)


@every_metric
def test_every_metric_is_its_score_of_the_matrix(name, batch):
    metric = METRICS[name](5)
    metric.update_state(*batch)
    expected = score(name, brute_force(batch[0], batch[1].argmax(-1), 5))
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    assert metric.name == name


@every_metric
def test_config_holds_every_argument_and_gives_the_metric_back(name):
    metric = METRICS[name](5, ignore_label=None, name="renamed")
    saved = keras.saving.serialize_keras_object(metric)
    copy = keras.saving.deserialize_keras_object(saved)
    arguments = set(inspect.signature(type(metric).__init__).parameters) - {"self"}
    assert arguments == set(metric.get_config())
    assert saved["registered_name"] == f"kerasseg>{type(metric).__name__}"
    assert keras.saving.serialize_keras_object(copy) == saved


def test_all_metrics_together_work_in_evaluate(batch):
    images = batch[1][..., :3]
    model = small_model()
    model.compile(loss=LOSS, metrics=[make(5) for make in METRICS.values()])
    results = model.evaluate(
        images, batch[0], batch_size=2, verbose=0, return_dict=True
    )
    predictions = model.predict(images, verbose=0).argmax(-1)
    matrix = brute_force(batch[0], predictions, 5)
    for name in METRICS:
        np.testing.assert_allclose(results[name], score(name, matrix), rtol=1e-6)


def test_xla_compiles_evaluate_with_a_metric(batch):
    # Keras switches XLA on by itself where there is a GPU.
    images = batch[1][..., :3]
    model = small_model()
    model.compile(loss=LOSS, metrics=[metrics.MeanIoU(5)], jit_compile=True)
    results = model.evaluate(images, batch[0], verbose=0, return_dict=True)
    predictions = model.predict(images, verbose=0).argmax(-1)
    expected = metrics.mean_iou(brute_force(batch[0], predictions, 5))
    assert results["mean_iou"] == pytest.approx(expected, rel=1e-6)


def test_a_compiled_model_comes_back_from_disk_with_its_metrics(batch, tmp_path):
    images = batch[1][..., :3]
    model = small_model()
    model.compile("sgd", LOSS, metrics=[metrics.MeanIoU(5), metrics.ClassIoU(5, 2)])
    expected = model.evaluate(images, batch[0], verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(images, batch[0], verbose=0) == pytest.approx(expected)


def test_a_model_with_several_outputs_measures_the_one_named(batch):
    images = batch[1][..., :3]
    model = small_model(lambda logits: {"logits": logits, "aux": -logits})
    model.compile(loss={"logits": LOSS}, metrics={"logits": [metrics.MeanIoU(5)]})
    results = model.evaluate(
        images, {"logits": batch[0], "aux": batch[0]}, verbose=0, return_dict=True
    )
    predictions = model.predict(images, verbose=0)["logits"].argmax(-1)
    expected = metrics.mean_iou(brute_force(batch[0], predictions, 5))
    assert results["logits_mean_iou"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 6, 5), (3, 6, 5, 1)])
def test_weights_of_images_and_pixels_weigh_the_counts(batch, shape, rng):
    labels, logits = batch
    weights = rng.random(shape)
    matrix = metrics.ConfusionMatrix(5)
    for i in range(3):
        matrix.update_state(labels[i : i + 1], logits[i : i + 1], weights[i : i + 1])
    expected = np.zeros((5, 5))
    of_pixels = weights.reshape(3, *(shape[1:3] if len(shape) > 2 else (1, 1)))
    of_pixels = np.broadcast_to(of_pixels, labels.shape)
    found = logits.argmax(-1)
    for label, prediction, weight in zip(*map(np.ravel, (labels, found, of_pixels))):
        if label != 255:
            expected[label, prediction] += weight
    np.testing.assert_allclose(matrix.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(matrix.result(), expected, rtol=1e-6)


def test_weighted_metrics_take_the_weights_of_fit(batch, rng):
    labels, images, weights = batch[0], batch[1][..., :3], rng.random((3, 6, 5))
    model = small_model()
    model.compile("sgd", LOSS, weighted_metrics=[metrics.MeanIoU(5)])
    options = {"verbose": 0, "batch_size": 2, "return_dict": True}
    found = model.evaluate(images, labels, sample_weight=weights, **options)
    matrix = metrics.ConfusionMatrix(5)
    matrix.update_state(labels, model.predict(images, verbose=0), weights)
    expected = metrics.mean_iou(matrix.numpy())
    assert found["mean_iou"] == pytest.approx(float(expected), rel=1e-5)


def test_weights_of_another_shape_are_refused(batch):
    with pytest.raises(ValueError, match=r"per image \[N\], or per pixel"):
        metrics.MeanIoU(5).update_state(*batch, sample_weight=np.ones(4))


CALLBACKS = {
    "stop": lambda name, _: keras.callbacks.EarlyStopping(name),
    "save": lambda name, path: keras.callbacks.ModelCheckpoint(
        path / "best.keras", monitor=name, save_best_only=True
    ),
    "slow": lambda name, _: keras.callbacks.ReduceLROnPlateau(name),
}


@pytest.mark.parametrize("callback", CALLBACKS)
def test_callbacks_know_that_more_is_better(batch, callback, tmp_path):
    labels, images = batch[0], batch[1][..., :3]
    made = {k: make(5) for k, make in METRICS.items() if k != "confusion_matrix"}
    for name in made if callback == "stop" else ["mean_iou"]:
        model, found = small_model(), CALLBACKS[callback](f"val_{name}", tmp_path)
        model.compile("sgd", LOSS, metrics=[METRICS[name](5)], run_eagerly=True)
        data = {"validation_data": (images, labels), "verbose": 0}
        model.fit(images, labels, callbacks=[found], **data)
        assert found.monitor_op is keras.ops.greater


def test_masks_of_0_and_255_are_told_at_the_first_batch():
    labels = np.zeros((2, 8, 8), "uint8")
    labels[:, :4] = 255
    logits = np.full((2, 8, 8, 1), -9.0, "float32")
    metric = metrics.MeanIoU(1)
    with pytest.warns(UserWarning, match="255 is the ignore label") as caught:
        metric.update_state(labels, logits)
    with pytest.warns(UserWarning, match="No pixel is labelled 1") as again:
        metric.result()
    assert caught[0].filename == again[0].filename == __file__


def test_masks_of_0_and_255_are_told_in_fit():
    images = np.zeros((2, 8, 8, 3), "float32")
    labels = np.zeros((2, 8, 8), "uint8")
    labels[:, :4] = 255
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(1, 1)(inputs))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=[metrics.MeanIoU(1)])
    with pytest.warns(UserWarning, match=r"No pixel is labelled 1.*labels > 127"):
        model.fit(images, labels, verbose=0)


def test_probabilities_of_one_class_are_refused_or_told(rng):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs)
    model = keras.Model(inputs, outputs)
    images, labels = rng.random((2, 8, 8, 3)), rng.integers(0, 2, (2, 8, 8))
    with pytest.raises(ValueError, match="without `activation='sigmoid'`"):
        metrics.MeanIoU(1).update_state(labels, model(images))
    model.compile("sgd", "binary_crossentropy", metrics=[metrics.MeanIoU(1)])
    with pytest.raises(ValueError, match="without `activation='sigmoid'`"):
        model.fit(images, labels, verbose=0)
    with pytest.warns(UserWarning, match="All logits lie in 0..1"):
        metrics.MeanIoU(1).update_state(labels, model.predict(images, verbose=0))


def test_the_largest_of_probabilities_is_that_of_logits(batch):
    labels, logits = batch
    p = keras.ops.softmax(logits)
    found = metrics.ConfusionMatrix(5)
    found.update_state(labels, p)
    expected = brute_force(labels, logits.argmax(-1), 5)
    np.testing.assert_array_equal(found.numpy(), expected)


def test_one_hot_labels_are_refused_with_the_fix(batch):
    with pytest.raises(ValueError, match=r"labels.argmax\(-1\)"):
        metrics.MeanIoU(5).update_state(np.eye(5)[batch[0] % 5], batch[1])


@pytest.mark.parametrize("num_classes", [1, 4, 6])
def test_another_number_of_classes_is_refused(batch, num_classes):
    with pytest.raises(ValueError, match=rf"\[N, H, W, {num_classes}\].*Received"):
        metrics.MeanIoU(num_classes).update_state(*batch)


@pytest.mark.parametrize("shape", [(3, 6, 4), (3, 6, 5, 5), (3, 30)])
def test_labels_of_another_shape_are_refused(batch, shape):
    with pytest.raises(ValueError, match=r"Labels must be class ids.*Received: labels"):
        metrics.MeanIoU(5).update_state(np.zeros(shape, int), batch[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *(
            (lambda x=x: metrics.MeanIoU(x), "`num_classes` must be an integer")
            for x in (0, 2.5, "3", None, True)
        ),
        (lambda: metrics.MultilabelIoU(0), "`num_classes` must be an integer"),
        (lambda: metrics.ImageDice(None), "`num_classes` must be an integer"),
        (lambda: metrics.ClassIoU(3, 3), r"`class_id` must lie in 0\.\.2"),
        (lambda: metrics.ClassIoU(1, -1), r"`class_id` must lie in 0\.\.1"),
    ],
)
def test_impossible_classes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
def test_two_replicas_add_up_and_divide_the_loss_by_the_global_batch():
    # Two logical CPUs must exist before TensorFlow starts, so: another process.
    code = """
        import numpy as np, tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        import keras
        from kerasseg import losses, metrics
        rng = np.random.default_rng(0)
        images = rng.random((5, 4, 4, 3), "float32")
        labels = rng.integers(0, 3, (5, 4, 4)).astype("int32")
        with strategy.scope():
            inputs = keras.Input((None, None, 3))
            model = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs))
            loss = losses.Weighted([(1, losses.CrossEntropy()), (1, losses.Dice())])
            matrix = metrics.ConfusionMatrix(3)
            model.compile("sgd", loss, metrics=[matrix, metrics.MeanIoU(3)])
        # batches of 2 + 2 + 1: the last one leaves a replica without an image
        data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(2)
        found = model.evaluate(data, verbose=0, return_dict=True)
        logits = model.predict(images, verbose=0)
        expected = metrics.ConfusionMatrix(3)
        expected.update_state(labels, logits)
        np.testing.assert_array_equal(matrix.numpy(), expected.numpy())
        iou = metrics.mean_iou(expected.numpy())
        np.testing.assert_allclose(found["mean_iou"], iou, rtol=1e-6)
        np.testing.assert_allclose(found["loss"], loss(labels, logits), rtol=1e-5)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
