"""Answers of a model to files: JSON, masks, overlays."""

import base64
import json

import cv2
import numpy as np
import pytest
from skimage import data

from kerasseg import datasets, images, predict, runs
from kerasseg.serving import Segmenter
from kerasseg.weights import catalog


def segmenter(name, **options):
    ready = runs.ready(catalog.entry(name))
    return Segmenter(*ready, name=name, **options)


@pytest.fixture(scope="module")
def shapes():
    return segmenter("shapes")


@pytest.fixture
def photo():
    return datasets.shapes(1, size=96, seed=3)[0]["image"]


def png(image):
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def pixels(data):
    return cv2.imdecode(np.frombuffer(data, "uint8"), cv2.IMREAD_UNCHANGED)


def test_answers_hold_what_prediction_finds(shapes, photo):
    image = shapes.read(png(photo))
    np.testing.assert_array_equal(image, photo)
    (found,) = shapes.segment([image])
    expected = predict.class_ids(shapes.model, photo)
    mask = pixels(shapes.answer(image, found, "mask"))
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, expected)
    answer = json.loads(shapes.answer(image, found, "json"))
    inside = pixels(base64.b64decode(answer["mask_png"]))
    np.testing.assert_array_equal(inside, expected)
    areas = {one["id"]: one["area_px"] for one in answer["classes"]}
    assert areas == {i: int((expected == i).sum()) for i in range(4)}
    assert sum(one["area_px"] for one in answer["objects"]) == (expected > 0).sum()
    overlay = pixels(shapes.answer(image, found, "overlay"))
    assert overlay.ndim == 3 and overlay.shape[0] >= 96


def test_engines_are_compared_on_a_photograph(shapes, monkeypatch):
    seen = []
    monkeypatch.setattr(
        Segmenter, "segment", lambda self, x: [seen.append(x[0]) or x[0][..., 0] * 0]
    )
    shapes.warm_up(size=(60, 90))
    assert seen[0].shape == (60, 90, 3) and seen[0].std() > 50


def test_small_images_go_through_the_model_together(shapes, photo):
    # 32768 pixels are 3 images of 96 x 96, and not one of 256 x 256.
    assert shapes.most_together(photo) == 3
    assert shapes.most_together(np.zeros([256, 256, 3], "uint8")) == 1
    several = [photo, photo[::-1].copy()]
    for image, found in zip(several, shapes.segment(several)):
        np.testing.assert_array_equal(found, predict.class_ids(shapes.model, image))


def test_models_of_objects_answer_with_their_numbers():
    nuclei = segmenter("nuclei")
    image = np.full((64, 64, 3), 10, np.uint8)
    y, x = np.mgrid[:64, :64]
    for row, column in ((20, 18), (44, 46)):
        image[(y - row) ** 2 + (x - column) ** 2 < 100] = 150
    assert nuclei.most_together(image) == 1
    (found,) = nuclei.segment([image])
    answer = json.loads(nuclei.answer(image, found, "json"))
    mask = pixels(base64.b64decode(answer["mask_png"]))
    assert set(np.unique(mask)) == {0, 1, 2}
    for one in answer["objects"]:
        assert one["area_px"] == (mask == one["id"]).sum() and 0 < one["score"] <= 1
    about = nuclei.about()
    assert [one["id"] for one in about["classes"]] == [1]
    assert "numbers of objects" in about["mask"]


def test_files_that_are_too_large_are_refused_unread(photo):
    small = segmenter("shapes", max_pixels=95 * 96)
    with pytest.raises(images.ImageError, match="at most 9120 pixels"):
        small.read(png(photo))


def test_a_cut_out_is_that_of_prediction(tmp_path):
    people = segmenter("people")
    photo = data.astronaut()[:320, :320]
    images.write_image(tmp_path / "a.png", photo)
    (alpha,) = people.opacities([photo])
    found = pixels(people.answer(photo, alpha, "cutout"))
    predict.folder(
        people.model,
        tmp_path / "a.png",
        tmp_path,
        class_names=people.classes,
        save=("cutout",),
    )
    expected = pixels((tmp_path / "cutouts/a.png").read_bytes())
    np.testing.assert_array_equal(found, expected)
    assert found.shape == (320, 320, 4)
    soft = (found[..., 3] > 20) & (found[..., 3] < 235)
    assert 0.005 < soft.mean() < 0.2  # the edge


def test_models_of_objects_cut_them_out():
    nuclei = segmenter("nuclei")
    image = np.full((64, 64, 3), 10, np.uint8)
    y, x = np.mgrid[:64, :64]
    image[(y - 30) ** 2 + (x - 28) ** 2 < 100] = 150
    ids = nuclei.task.ids(nuclei.segment([image])[0])
    cut = pixels(nuclei.answer(image, nuclei.opacities([image])[0], "cutout"))
    np.testing.assert_array_equal(cut[..., 3], 255 * (ids > 0))
    assert 200 < (ids > 0).sum() < 450


def test_models_without_a_background_have_nothing_to_cut_out(shapes):
    assert shapes.no_cut_out is None and "cutout" in shapes.about()["answers"]
    look = {"class_names": ["road", "sky", "car", "tree"], "palette": shapes.palette}
    street = Segmenter(shapes.model, shapes.task, look, shapes.options, name="street")
    assert "first of which is 'road'" in street.no_cut_out
    assert list(street.about()["answers"]) == ["json", "mask", "overlay"]
