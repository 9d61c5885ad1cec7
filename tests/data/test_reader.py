"""Reading at positions of the stream: its order, and files that cannot be read."""

import warnings

import numpy as np
import pytest

from kerasseg import data, images
from kerasseg.datasets import Samples
from tests.data import data_cases as cases

SKIP = data.Reading(on_bad_sample="skip")


def test_a_bad_file_stops_the_loop_with_the_readers_own_error(tmp_path):
    samples = cases.write_bad_folder(tmp_path)
    dataset = data.pipeline(samples, batch_size=1, shuffle=False)
    found = []
    with pytest.raises(images.ImageError, match=r"1\.png") as caught:
        for _, labels in data.batches(dataset):
            found.append(labels)
    assert len(found) == 1 and caught.value.path == tmp_path / "images/1.png"


def test_a_bad_file_is_skipped_with_one_warning_that_names_it(tmp_path):
    samples = cases.write_bad_folder(tmp_path, num=3, bad=1)
    options = {"batch_size": 3, "shuffle": False}
    for cache in (True, False):
        reading = data.Reading(cache, "skip")
        with pytest.warns(UserWarning, match=r"images.1\.png") as caught:
            dataset = data.pipeline(samples, **options, reading=reading)
            for _ in range(2):
                batch, _ = next(iter(dataset))
                assert batch[:, 0, 0, 0].numpy().tolist() == [0, 2, 2]
        assert len(caught) == 1


def test_a_bad_first_or_last_sample_is_skipped_too():
    def read(index):
        if index in (0, 4):
            raise OSError(f"disk {index}")
        return cases.read_constant(index)

    options = {"batch_size": 5, "shuffle": False, "reading": SKIP}
    with pytest.warns(UserWarning, match="disk") as caught:
        dataset = data.pipeline(cases.make_samples(5, read), **options)
        assert cases.numbers(dataset, 1) == [1, 1, 2, 3, 1]
    assert sorted(str(w.message) for w in caught) == [
        "Skipped sample 'picture 0': disk 0",
        "Skipped sample 'picture 4': disk 4",
    ]


def test_when_no_sample_can_be_read_there_is_an_error():
    def read(index):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        data.pipeline(cases.make_samples(2, read))
    with warnings.catch_warnings(), pytest.raises(ValueError, match="None of the 2"):
        warnings.simplefilter("ignore")
        data.pipeline(cases.make_samples(2, read), reading=SKIP)


def test_a_label_of_another_size_than_its_image_is_an_error():
    def read(index):
        return {"image": np.zeros((4, 6, 3), np.uint8), "label": np.zeros((6, 4), int)}

    with pytest.raises(ValueError, match=r"'picture 0'.*Received: \(4, 6, 3\) and \(6"):
        data.pipeline(cases.make_samples(2, read))


def test_images_of_another_dtype_or_depth_are_an_error():
    def read(index):
        dtype, channels = [(np.uint8, 3), (np.uint16, 3), (np.uint8, 1)][index]
        image = np.zeros((4, 6, channels), dtype)
        return {"image": image, "label": np.zeros((4, 6), np.int32)}

    for other in (1, 2):
        samples = cases.make_samples(3, read).subset([0, other])
        with pytest.raises(ValueError, match=f"Received: 'picture {other}'"):
            next(data.batches(data.pipeline(samples, batch_size=2)))


def test_16_bit_images_arrive_in_the_range_of_8_bit_ones():
    image = np.full((4, 4, 1), 65535, "uint16")
    sample = {"image": image, "label": np.zeros((4, 4), "int32")}
    samples = Samples(("deep",), lambda index: sample, ("ground",))
    images, _ = next(iter(data.pipeline(samples, batch_size=1)))
    np.testing.assert_array_equal(images, np.full((1, 4, 4, 1), 255, "float32"))


def test_every_epoch_is_a_permutation_and_batches_run_across_its_end():
    order = cases.numbers(data.pipeline(cases.make_samples(10), batch_size=4), 10)
    epochs = np.reshape(order, (4, 10))
    np.testing.assert_array_equal(np.sort(epochs, axis=1), [range(10)] * 4)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    # Which sample comes first is no secret of the seed: all of them do, in the end.
    three = cases.make_samples(3)
    firsts = {cases.numbers(data.pipeline(three, seed=k), 1)[0] for k in range(12)}
    assert firsts == {0, 1, 2}


def samples_of(*images, value_range=None):
    label = np.zeros(images[0].shape[:2], "int32")
    names = tuple(map(str, range(len(images))))
    read = [{"image": image, "label": label} for image in images]
    samples = Samples(names, lambda index: read[index], ("ground",))
    return samples.with_range(value_range)


def batch_of(samples):
    return next(iter(data.pipeline(samples, batch_size=len(samples), shuffle=False)))[0]


def test_images_of_a_data_set_are_scaled_by_its_range(rng):
    picture = rng.integers(0, 256, [4, 4, 1]).astype("uint8")
    picture[0, 0] = 255
    for form, value_range in [
        (picture.astype("uint16") * 257, None),
        (picture.astype("uint16") * 16, (0, 255 * 16)),
        (picture / 255, None),
        ((picture / 255).astype("float32") * 2 - 1, (-1, 1)),
        (picture.astype("float32"), None),
    ]:
        # Scaled like the first, not by its own numbers.
        dim = ((form.astype("float64") + form.min()) / 2).astype(form.dtype)
        found = batch_of(samples_of(form, dim, value_range=value_range))
        np.testing.assert_allclose(found[0], picture, atol=1e-3)
        assert found[1].numpy().max() < 160


def test_a_12_bit_camera_is_asked_for_its_range():
    samples = samples_of(np.full([4, 4, 1], 3000, "uint16"))
    with pytest.raises(ValueError, match=r"Sample '0'.*data.value_range=\[0,4095\]"):
        data.pipeline(samples, batch_size=1)


def test_an_image_of_another_range_than_the_first_is_an_error():
    samples = samples_of(np.full([4, 4, 1], 0.5), np.full([4, 4, 1], 200.0))
    with pytest.raises(ValueError, match=r"Sample '1'.*range, 0..1, all alike"):
        next(data.batches(data.pipeline(samples, batch_size=2, shuffle=False)))
