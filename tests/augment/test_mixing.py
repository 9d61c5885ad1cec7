import numpy as np
import pytest
import tensorflow as tf

from kerasseg import augment, data, datasets

PARTNERS = {"cutmix": 1, "mosaic": 3, "copy_paste": 1, "mixup": 1}
PASTING = ["cutmix", "mosaic", "copy_paste"]


def flat(number, size=(16, 24), objects=False):
    """A sample of one number: image, label, and an object in its upper half."""
    image = np.full((*size, 3), number, np.uint8)
    if not objects:
        return {"image": image, "label": np.full(size, number, np.int32)}
    ids = np.zeros((1, *size), np.int32)
    ids[:, : size[0] // 2] = 1
    return {
        "image": image,
        "instances": ids,
        "classes": np.array([number], np.int32),
        "crowd": np.array([0], np.int32),
    }


def mixed(name, seed, objects=False, **options):
    function = getattr(augment, name)(**options)
    assert function.partners == PARTNERS[name]
    others = [flat(2 + i, objects=objects) for i in range(function.partners)]
    result = function(flat(1, objects=objects), tf.constant([7, seed]), others)
    return {key: value.numpy() for key, value in result.items()}


@pytest.mark.parametrize("name", PASTING)
def test_image_and_label_come_from_the_same_samples(name):
    seen = set()
    for seed in range(12):
        found = mixed(name, seed, chance=1)
        np.testing.assert_array_equal(found["image"][..., 0], found["label"])
        seen |= {*np.unique(found["label"]).tolist()}
    assert seen == {*range(1, 2 + PARTNERS[name])}


@pytest.mark.parametrize("name", PASTING)
def test_chance_is_the_share_of_samples_that_change(name):
    assert all((mixed(name, i, chance=0)["label"] == 1).all() for i in range(5))
    changed = [
        (mixed(name, i, chance=0.5)["label"] != 1).any() for i in range(100, 160)
    ]
    assert np.mean(changed) == pytest.approx(
        0.25 if name == "copy_paste" else 0.5, abs=0.18
    )


def test_labels_are_drawn_by_the_shares_that_images_are_blended_by():
    function, shares = augment.mixup(chance=1, alpha=1), []
    for seed in range(30):
        pair = flat(0, size=(64, 64)), flat(200, size=(64, 64))
        found = function(pair[0], tf.constant([7, seed]), [pair[1]])
        (value,) = np.unique(found["image"])
        shares.append(value / 200)
        of_partner = np.mean(found["label"] == 200)
        assert of_partner == pytest.approx(shares[-1], abs=0.04)  # 5 deviations
    # The smaller of a uniform share and its rest is uniform in 0..1/2.
    assert np.mean(shares) == pytest.approx(0.25, abs=0.08) and max(shares) <= 0.5


def test_alpha_says_how_much_is_blended():
    def blended(alpha):
        found = [mixed("mixup", i, chance=1, alpha=alpha)["label"] for i in range(40)]
        return np.mean([np.mean(label == 2) for label in found])

    assert 0 == blended(0) < blended(0.1) < blended(0.4) < blended(100)
    assert blended(100) == pytest.approx(0.5, abs=0.05)


def test_mixup_blends_a_part_of_the_samples_of_classes_only():
    changed = [(mixed("mixup", i, chance=0.5)["label"] != 1).any() for i in range(60)]
    assert 0.2 < np.mean(changed) < 0.65
    with pytest.raises(ValueError, match="copy_paste"):
        mixed("mixup", 0, objects=True)


@pytest.mark.parametrize("name", PARTNERS)
def test_weights_stay_with_their_labels_and_masks_are_refused(name):
    function = getattr(augment, name)(chance=1)
    weighted = [{**x, "weights": 1.0 * x["label"]} for x in map(flat, range(1, 5))]
    partners = weighted[1 : 1 + function.partners]
    for seed in range(8):
        found = function(weighted[0], tf.constant([7, seed]), partners)
        np.testing.assert_array_equal(found["weights"], found["label"])
    unclear = {**flat(1), "masks": np.zeros((2, 16, 24), bool)}
    with pytest.raises(ValueError, match="`instances`"):
        function(unclear, tf.constant([7, 0]), [unclear] * function.partners)


def test_rectangles_of_cutmix_have_uniform_areas():
    shares = [np.mean(mixed("cutmix", i, chance=1)["label"] == 2) for i in range(80)]
    # Half on the average, if none was cut off at the border.
    assert 0.2 < np.mean(shares) < 0.5 and max(shares) > 0.7 and min(shares) < 0.1
    rows = mixed("cutmix", 3, chance=1)["label"] == 2
    assert rows.any() and (rows == rows.any(1)[:, None] & rows.any(0)).all()


def test_a_mosaic_has_four_parts_about_one_point():
    label = mixed("mosaic", 0, chance=1)["label"]
    corners = label[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert corners.tolist() == [1, 2, 3, 4]
    for number in (1, 2, 3, 4):
        where = label == number
        assert (where == where.any(1)[:, None] & where.any(0)).all()
        assert where.any(1).sum() >= 4 and where.any(0).sum() >= 6  # a quarter each


def test_whole_objects_are_pasted_and_cover_what_is_below():
    for seed in range(8):
        found = mixed("copy_paste", seed, objects=True, chance=1)
        assert found["classes"].tolist() == [1, 2] and found["crowd"].tolist() == [0, 0]
        own, other = found["instances"]
        pasted = (other == 2).any()
        assert (found["image"][:8, :, 0] == (2 if pasted else 1)).all()
        assert (found["image"][8:] == 1).all()  # background is not pasted
        assert (own == 1).any() != pasted


@pytest.mark.parametrize("name", ["cutmix", "mosaic"])
def test_objects_follow_their_pixels(name):
    found = mixed(name, 1, objects=True, chance=1)
    ids = found["instances"].max(axis=0)
    shown = np.concatenate([[0], found["classes"]])[ids]
    upper = np.arange(16)[:, None] < 8
    np.testing.assert_array_equal(shown, np.where(upper, found["image"][..., 0], 0))


def test_only_wanted_classes_are_pasted():
    found = [mixed("copy_paste", i, chance=1, classes=[2])["label"] for i in range(8)]
    assert any((label == 2).all() for label in found)
    found = [mixed("copy_paste", i, chance=1, classes=[3])["label"] for i in range(8)]
    assert all((label == 1).all() for label in found)


def test_the_background_the_ignored_and_crowds_are_not_pasted():
    function, seed = augment.copy_paste(chance=1), tf.constant([0, 1])
    for number in (0, 255):
        label = function(flat(1), seed, [flat(number)])["label"]
        assert (label.numpy() == 1).all()
    crowd = {**flat(2, objects=True), "crowd": np.array([1], np.int32)}
    found = function(flat(1, objects=True), seed, [crowd])
    assert (found["image"].numpy() == 1).all()


def test_partners_go_through_the_functions_before():
    both = augment.compose(
        augment.geometry(size=(8, 8)), augment.cutmix(chance=1), augment.color(hue=0.1)
    )
    assert both.partners == 1
    found = both(flat(1), tf.constant([0, 3]), [flat(2, size=(40, 30))])
    assert found["image"].shape == (8, 8, 3)


def test_samples_of_several_sizes_are_refused():
    with pytest.raises(ValueError, match=r"geometry\(size=\.\.\.\)"):
        augment.cutmix()(flat(1), tf.constant([0, 1]), [flat(2, size=(8, 8))])


@pytest.mark.parametrize("objects", [pytest.param(None, marks=pytest.mark.slow), 4])
def test_batches_are_functions_of_their_position(objects):
    mixing = augment.compose(
        augment.geometry(size=(64, 64)),
        augment.copy_paste(chance=1),
        augment.mosaic(chance=1),
    )

    def images(start):
        stream = data.pipeline(
            datasets.shapes(5, size=64),
            batch_size=2,
            augment=mixing,
            objects=objects,
            start_step=start,
        )
        return [batch[0].numpy() for batch in stream.take(4 - start)]

    every = images(0)
    for whole, resumed in zip(every[2:], images(2), strict=True):
        np.testing.assert_array_equal(whole, resumed)
    assert (every[0][0] != every[1][0]).any()
