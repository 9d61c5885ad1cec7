"""Prediction of files: what is written, and what happens to bad ones."""

import json

import keras
import numpy as np
import pytest
from PIL import Image
from skimage import data

from kerasseg import images, predict
from tests.predict.models import color_model


@pytest.fixture(scope="module")
def model():
    return color_model()


def test_folder_writes_masks_overlays_and_polygons(model, tmp_path):
    photo = data.coffee()[:90, :120]
    images.write_image(tmp_path / "in/photo.jpg", photo)
    images.write_image(tmp_path / "in/photo.png", photo)
    save = ("overlay", "mask", "polygons")
    seen = []
    report = predict.folder(
        model,
        tmp_path / "in",
        tmp_path / "out",
        class_names=["a", "b", "c"],
        save=save,
        on_image=seen.append,
    )
    assert report == {"images": seen, "failed": []}
    assert [e["index"] for e in seen] == [1, 2] and seen[0]["num"] == 2
    mask = images.read_mask(tmp_path / "out/masks/photo_2.png")
    np.testing.assert_array_equal(mask, predict.class_ids(model, photo))
    assert {p.name for p in (tmp_path / "out/overlays").iterdir()} == {
        "photo.jpg",
        "photo_2.png",
    }
    polygons = json.loads((tmp_path / "out/polygons/photo_2.json").read_text())
    areas = dict.fromkeys("bc", 0)
    for region in polygons["regions"]:
        areas[region["class"]] += region["area_px"]
    assert areas == {"b": (mask == 1).sum(), "c": (mask == 2).sum()}


def test_pictures_show_the_bands_that_are_chosen(tmp_path, rng):
    x = keras.Input([None, None, 5])
    layer = keras.layers.Conv2D(2, 1)
    nothing = keras.Model(x, layer(x))
    layer.set_weights([np.zeros([1, 1, 5, 2]), np.array([1.0, 0.0])])
    image = rng.integers(0, 4096, [220, 210, 5]).astype("uint16")
    np.save(tmp_path / "a.npy", image)
    options = {"value_range": (0, 4095)}
    for bands, shown in (((4, 2, 0), [4, 2, 0]), ((3,), [3, 3, 3]), (None, [0, 1, 2])):
        options["picture_bands"] = bands
        predict.folder(nothing, tmp_path / "a.npy", tmp_path / "out", options=options)
        picture = images.read_image(tmp_path / "out/overlays/a.png")
        expected = np.round(image[..., shown] * np.float32(255) / np.float32(4095))
        np.testing.assert_array_equal(picture, expected)
    options["picture_bands"] = (5, 1, 0)
    with pytest.raises(ValueError, match=r"bands of the model's images, 0\.\.4"):
        predict.folder(nothing, tmp_path / "a.npy", tmp_path / "out", options=options)


def test_cut_outs_are_opaque_where_no_background_is(model, tmp_path):
    photo = np.zeros([8, 12, 3], "uint8")
    photo[:, 6:] = (250, 10, 10)  # class 1; what is dark is class 0
    images.write_image(tmp_path / "photo.png", photo)
    options = {"cut_outs": True}
    predict.folder(model, tmp_path / "photo.png", tmp_path / "out", options=options)
    with Image.open(tmp_path / "out/cutouts/photo.png") as stored:
        found = np.asarray(stored)
    np.testing.assert_array_equal(found[..., 3], np.where(photo[..., 0], 255, 0))
    np.testing.assert_array_equal(found[:, 6:, :3], photo[:, 6:])
    mask = images.read_mask(tmp_path / "out/masks/photo.png")
    np.testing.assert_array_equal(mask, photo[..., 0] > 0)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["images"][0]["outputs"]["cutout"] == "cutouts/photo.png"
