import gc
import warnings
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment, data, images
from kerasseg.data import reader
from kerasseg.datasets import Samples, folder, shapes


def read_constant(index):
    """A picture whose every value, and whose label, is its own number."""
    image = np.full((4, 6, 3), index, np.uint8)
    return {"image": image, "label": np.full((4, 6), index, np.int32)}


def make_samples(num=10, read=read_constant):
    names = tuple(f"picture {index}" for index in range(num))
    return Samples(names, read, ("ground",))


def numbers(dataset, batches):
    """Which samples the first batches hold."""
    found = [labels[:, 0, 0] for _, labels in dataset.take(batches)]
    return np.concatenate(found).tolist()


def write_bad_folder(root, num=3, bad=1):
    for name in ("images", "labels"):
        (root / name).mkdir()
    for index in range(num):
        images.write_image(root / f"images/{index}.png", read_constant(index)["image"])
        images.write_mask(root / f"labels/{index}.png", read_constant(0)["label"])
    (root / f"images/{bad}.png").write_bytes(b"no picture")
    return folder(root, classes=("ground",))


def test_the_first_batch_holds_different_samples_each_with_its_label():
    batch, labels = next(iter(data.pipeline(make_samples(), batch_size=6)))
    assert batch.shape == (6, 4, 6, 3) and batch.dtype == tf.uint8
    assert labels.shape == (6, 4, 6) and labels.dtype == tf.int32
    np.testing.assert_array_equal(batch[..., 0], labels)
    assert len(set(labels[:, 0, 0].numpy())) == 6


def test_every_epoch_is_a_permutation_and_batches_run_across_its_end():
    order = numbers(data.pipeline(make_samples(10), batch_size=4), 10)
    epochs = np.reshape(order, (4, 10))
    np.testing.assert_array_equal(np.sort(epochs, axis=1), [range(10)] * 4)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    # Which sample comes first is no secret of the seed: all of them do, in the end.
    firsts = [numbers(data.pipeline(make_samples(3), seed=k), 1)[0] for k in range(12)]
    assert set(firsts) == {0, 1, 2}


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

    dataset = data.pipeline(make_samples(3), batch_size=4, augment=show_seed)
    seeds = [tuple(s) for batch, _ in dataset.take(5) for s in batch[:, 0, 0].numpy()]
    assert len(set(seeds)) == 20
    other = data.pipeline(make_samples(3), batch_size=4, augment=show_seed, seed=1)
    assert not set(seeds) & {tuple(s) for s in next(iter(other))[0][:, 0, 0].numpy()}


def test_the_names_of_a_batch_are_those_of_its_samples():
    samples = make_samples(5)
    options = {"batch_size": 4, "seed": 3}
    dataset = data.pipeline(samples, **options)
    found = [[f"picture {n}" for n in labels[:, 0, 0]] for _, labels in dataset.take(4)]
    assert found == [data.batch_names(samples, step, **options) for step in range(4)]


def test_without_shuffling_there_is_one_pass_in_order():
    dataset = data.pipeline(make_samples(10), batch_size=4, shuffle=False)
    assert [len(batch) for batch, _ in dataset] == [4, 4, 2]
    assert numbers(dataset, 9) == list(range(10)) and len(dataset) == 3
    later = data.pipeline(make_samples(10), batch_size=4, shuffle=False, start_step=2)
    assert numbers(later, 9) == [8, 9]


def test_the_cache_goes_with_the_pipeline():
    dataset = data.pipeline(make_samples(2), batch_size=2, cache=True)
    kept = weakref.ref(dataset.kept)
    iterator = iter(dataset.take(5))
    del dataset
    next(iterator)
    assert len(kept().samples) == 2  # still in use
    del iterator
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_cache_changes_nothing_but_the_number_of_reads(dtype):
    reads = []

    def read(index):
        reads.append(index)
        label = np.full((4, 6), 300 * index - 1, np.int32)  # as uint8 these would wrap
        return {"image": np.full((4, 6, 3), index, dtype), "label": label}

    def invert(sample, seed):  # may compute in the memory of its input
        return {**sample, "image": tf.nn.relu(sample["image"] * 2)}

    results = {}
    for cache in (False, True, "auto"):
        reads.clear()
        dataset = data.pipeline(make_samples(4, read), augment=invert, cache=cache)
        results[cache] = [np.concatenate([x[..., 0], y]) for x, y in dataset.take(4)]
        assert (len(reads) == 4) == bool(cache)
    np.testing.assert_array_equal(results[False], results[True])
    np.testing.assert_array_equal(results[False], results["auto"])


def test_the_cache_is_bounded_and_says_when_it_is_full(monkeypatch):
    monkeypatch.setattr(reader, "_cache_bytes", lambda cache: 250)  # 96 a sample
    with pytest.warns(UserWarning, match="full: 2 samples stay in memory") as caught:
        dataset = data.pipeline(make_samples(5), batch_size=5, cache=True)
        assert sorted(numbers(dataset, 1)) == [0, 1, 2, 3, 4]
        assert sorted(numbers(dataset, 2)[5:]) == [0, 1, 2, 3, 4]
    assert len(caught) == 1
    assert sorted(numbers(data.pipeline(make_samples(5), batch_size=5), 1)) == [
        *range(5)
    ]


def test_a_bad_file_stops_the_loop_with_the_readers_own_error(tmp_path):
    dataset = data.pipeline(write_bad_folder(tmp_path), batch_size=1, shuffle=False)
    found = []
    with pytest.raises(images.ImageError, match=r"1\.png") as caught:
        for _, labels in data.batches(dataset):
            found.append(labels)
    assert len(found) == 1 and caught.value.path == tmp_path / "images/1.png"


def test_fit_raises_the_readers_error_within_reraise(tmp_path):
    dataset = data.pipeline(write_bad_folder(tmp_path), batch_size=2)
    model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse")
    with pytest.raises(images.ImageError, match=r"1\.png"), data.reraise(dataset):
        model.fit(dataset, steps_per_epoch=3, shuffle=False, verbose=0)
    with pytest.raises(tf.errors.OpError, match=r"1\.png"):
        model.fit(dataset, steps_per_epoch=3, shuffle=False, verbose=0)


def test_other_errors_pass_through_reraise():
    dataset = data.pipeline(make_samples())
    with pytest.raises(KeyError), data.reraise(dataset):
        raise KeyError("x")
    with pytest.raises(tf.errors.NotFoundError), data.reraise(dataset):
        tf.io.read_file("/no/such/file")


def test_a_bad_file_is_skipped_with_one_warning_that_names_it(tmp_path):
    samples = write_bad_folder(tmp_path, num=3, bad=1)
    options = {"batch_size": 3, "shuffle": False, "on_bad_sample": "skip"}
    for cache in (True, False):
        with pytest.warns(UserWarning, match=r"images.1\.png") as caught:
            dataset = data.pipeline(samples, **options, cache=cache)
            for _ in range(2):
                batch, _ = next(iter(dataset))
                assert batch[:, 0, 0, 0].numpy().tolist() == [0, 2, 2]
        assert len(caught) == 1


def test_a_bad_first_or_last_sample_is_skipped_too():
    def read(index):
        if index in (0, 4):
            raise OSError(f"disk {index}")
        return read_constant(index)

    options = {"batch_size": 5, "shuffle": False, "on_bad_sample": "skip"}
    with pytest.warns(UserWarning, match="disk") as caught:
        assert numbers(data.pipeline(make_samples(5, read), **options), 1) == [
            1,
            1,
            2,
            3,
            1,
        ]
    assert sorted(str(w.message) for w in caught) == [
        "Skipped sample 'picture 0': disk 0",
        "Skipped sample 'picture 4': disk 4",
    ]


def test_when_no_sample_can_be_read_there_is_an_error():
    def read(index):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        data.pipeline(make_samples(2, read))
    with warnings.catch_warnings(), pytest.raises(ValueError, match="None of the 2"):
        warnings.simplefilter("ignore")
        data.pipeline(make_samples(2, read), on_bad_sample="skip")


def test_a_label_of_another_size_than_its_image_is_an_error():
    def read(index):
        return {"image": np.zeros((4, 6, 3), np.uint8), "label": np.zeros((6, 4), int)}

    with pytest.raises(ValueError, match=r"'picture 0'.*Received: \(4, 6, 3\) and \(6"):
        data.pipeline(make_samples(2, read))


def read_growing(index):
    image = np.full((10 + index, 20, 3), index, np.uint8)
    return {"image": image, "label": image[..., 0].astype(np.int32)}


def test_images_of_different_sizes_need_a_size_or_batches_of_one():
    samples = make_samples(3, read_growing)
    dataset = data.pipeline(samples, batch_size=1, shuffle=False)
    assert [batch.shape[1] for batch, _ in dataset] == [10, 11, 12]
    crop = augment.geometry(size=(8, 8))
    assert next(iter(data.pipeline(samples, augment=crop)))[0].shape == (8, 8, 8, 3)
    brighten = augment.color(brightness=0.1)  # gives no size
    for function in (None, brighten):
        dataset = data.pipeline(samples, batch_size=3, augment=function)
        with pytest.raises(ValueError, match=r"one size, \(10, 20\).*batch_size=1"):
            next(data.batches(dataset))


def test_images_of_another_dtype_or_depth_are_an_error():
    def read(index):
        dtype, channels = [(np.uint8, 3), (np.uint16, 3), (np.uint8, 1)][index]
        image = np.zeros((4, 6, channels), dtype)
        return {"image": image, "label": np.zeros((4, 6), np.int32)}

    for other in (1, 2):
        samples = make_samples(3, read).subset([0, other])
        with pytest.raises(ValueError, match=f"Received: 'picture {other}'"):
            next(data.batches(data.pipeline(samples, batch_size=2)))


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
    dataset = data.pipeline(make_samples(), batch_size=4)
    shared = iter(strategy.experimental_distribute_dataset(dataset))
    found = [strategy.experimental_local_results(next(shared)[1])[0] for _ in range(3)]
    assert np.concatenate(found)[:, 0, 0].tolist() == numbers(dataset, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_size": 2.0},
        {"seed": -1},
        {"seed": 2**31},
        {"start_step": -1},
        {"cache": "always"},
        {"on_bad_sample": "ignore"},
    ],
)
def test_options_out_of_range_say_what_was_received(options):
    (name, value), *_ = options.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
        data.pipeline(make_samples(), **options)


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="Received: 0 samples"):
        data.pipeline(make_samples(0))


def test_16_bit_images_arrive_in_the_range_of_8_bit_ones():
    image = np.full((4, 4, 1), 65535, "uint16")
    sample = {"image": image, "label": np.zeros((4, 4), "int32")}
    samples = Samples(("deep",), lambda index: sample, ("ground",))
    images, _ = next(iter(data.pipeline(samples, batch_size=1)))
    np.testing.assert_array_equal(images, np.full((1, 4, 4, 1), 255, "float32"))
