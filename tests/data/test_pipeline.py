"""Batches from samples, and what raises on the way."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment, data, images
from kerasseg.datasets import shapes
from tests.data import data_cases as cases


def test_the_first_batch_holds_different_samples_each_with_its_label():
    batch, labels = next(iter(data.pipeline(cases.make_samples(), batch_size=6)))
    assert batch.shape == (6, 4, 6, 3) and batch.dtype == tf.uint8
    assert labels.shape == (6, 4, 6) and labels.dtype == tf.int32
    np.testing.assert_array_equal(batch[..., 0], labels)
    assert len(set(labels[:, 0, 0].numpy())) == 6


def test_a_pipeline_that_starts_later_equals_one_that_skips():
    crop = augment.standard(size=(8, 8))
    samples = shapes(5, size=32)
    whole = data.pipeline(samples, batch_size=3, augment=crop, seed=4)
    later = data.pipeline(samples, batch_size=3, augment=crop, seed=4, start_step=3)
    for (batch, labels), (expected, ids) in zip(later.take(3), whole.skip(3).take(3)):
        np.testing.assert_array_equal(batch, expected)
        np.testing.assert_array_equal(labels, ids)


def test_every_sample_of_every_step_has_its_own_augmentation_seed():
    def show_seed(sample, seed):
        return {"image": tf.reshape(seed, [1, 1, 2]), "label": sample["label"][:1, :1]}

    dataset = data.pipeline(cases.make_samples(3), batch_size=4, augment=show_seed)
    seeds = [tuple(s) for batch, _ in dataset.take(5) for s in batch[:, 0, 0].numpy()]
    assert len(set(seeds)) == 20
    options = {"batch_size": 4, "augment": show_seed, "seed": 1}
    other = data.pipeline(cases.make_samples(3), **options)
    assert not set(seeds) & {tuple(s) for s in next(iter(other))[0][:, 0, 0].numpy()}


def test_the_names_of_a_batch_are_those_of_its_samples():
    samples = cases.make_samples(5)
    options = {"batch_size": 4, "seed": 3}
    dataset = data.pipeline(samples, **options)
    found = [[f"picture {n}" for n in labels[:, 0, 0]] for _, labels in dataset.take(4)]
    assert found == [data.batch_names(samples, step, **options) for step in range(4)]


def test_without_shuffling_there_is_one_pass_in_order():
    samples, options = cases.make_samples(10), {"batch_size": 4, "shuffle": False}
    dataset = data.pipeline(samples, **options)
    assert [len(batch) for batch, _ in dataset] == [4, 4, 2]
    assert cases.numbers(dataset, 9) == list(range(10)) and len(dataset) == 3
    later = data.pipeline(samples, start_step=2, **options)
    assert cases.numbers(later, 9) == [8, 9]


def test_fit_raises_the_readers_error_within_reraise(tmp_path):
    dataset = data.pipeline(cases.write_bad_folder(tmp_path), batch_size=2)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse")
    with pytest.raises(images.ImageError, match=r"1\.png"), data.reraise(dataset):
        model.fit(dataset, steps_per_epoch=3, shuffle=False, verbose=0)
    with pytest.raises(tf.errors.OpError, match=r"1\.png"):
        model.fit(dataset, steps_per_epoch=3, shuffle=False, verbose=0)


def test_other_errors_pass_through_reraise():
    dataset = data.pipeline(cases.make_samples())
    with pytest.raises(KeyError), data.reraise(dataset):
        raise KeyError("x")
    with pytest.raises(tf.errors.NotFoundError), data.reraise(dataset):
        tf.io.read_file("/no/such/file")


def read_growing(index):
    image = np.full((10 + index, 20, 3), index, np.uint8)
    return {"image": image, "label": image[..., 0].astype(np.int32)}


def test_images_of_different_sizes_need_a_size_or_batches_of_one():
    samples = cases.make_samples(3, read_growing)
    dataset = data.pipeline(samples, batch_size=1, shuffle=False)
    assert [batch.shape[1] for batch, _ in dataset] == [10, 11, 12]
    crop = augment.geometry(size=(8, 8))
    assert next(iter(data.pipeline(samples, augment=crop)))[0].shape == (8, 8, 8, 3)
    brighten = augment.color(brightness=0.1)  # gives no size
    for function in (None, brighten):
        dataset = data.pipeline(samples, batch_size=3, augment=function)
        with pytest.raises(ValueError, match=r"one size, \(10, 20\).*batch_size=1"):
            next(data.batches(dataset))


def test_fit_takes_a_pipeline():
    crop = augment.standard(size=(16, 16))
    dataset = data.pipeline(shapes(4, size=32), batch_size=2, augment=crop)
    model = keras.Sequential(
        [keras.Input((None, None, 3)), keras.layers.Conv2D(256, 1)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    options = {"steps_per_epoch": 2, "shuffle": False, "verbose": 0}
    history = model.fit(dataset, epochs=2, **options)
    assert np.isfinite(history.history["loss"]).all()


def test_a_strategy_gets_the_same_batches():
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    dataset = data.pipeline(cases.make_samples(), batch_size=4)
    shared = iter(strategy.experimental_distribute_dataset(dataset))
    found = [strategy.experimental_local_results(next(shared)[1])[0] for _ in range(3)]
    assert np.concatenate(found)[:, 0, 0].tolist() == cases.numbers(dataset, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_size": 2.0},
        {"seed": -1},
        {"seed": 2**31},
        {"start_step": -1},
    ],
)
def test_options_out_of_range_say_what_was_received(options):
    (name, value), *_ = options.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
        data.pipeline(cases.make_samples(), **options)


@pytest.mark.parametrize("options", [{"cache": "always"}, {"on_bad_sample": "ignore"}])
def test_options_of_reading_say_what_was_received(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
        data.Reading(**options)


def test_a_list_is_told_how_to_become_samples():
    with pytest.raises(ValueError, match=r"Samples\(names, read, .*list without read"):
        data.pipeline([{"image": 1, "label": 2}])


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="Received: 0 samples"):
        data.pipeline(cases.make_samples(0))
