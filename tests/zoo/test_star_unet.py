"""StarDist as its authors publish it: names, options of its files, what it finds.

tests/files/stardist.zip is a small one that StarDist trained and saved itself, .npz
what it found in two images (tests/parity/stardist_reference.py).
"""

import pathlib
import zipfile

import numpy as np
import pytest
from scipy.special import expit

from kerasseg import images, tasks, weights, zoo
from kerasseg.metrics.instances import iou_table
from kerasseg.predict import files
from kerasseg.predict.options import StarOptions
from kerasseg.zoo import _star_unet

FILES = pathlib.Path(__file__).parents[1] / "files"
FILE = FILES / "stardist.zip"
SMALL = {"base_filters": 4, "head_filters": 16}


def load(source, **options):
    name = "stardist/2D_versatile_fluo"
    return zoo.from_reference(name, weights=source, options=options)


@pytest.fixture(scope="module")
def model():
    return load(FILE)


@pytest.fixture
def folder(tmp_path):
    with zipfile.ZipFile(FILE) as file:
        file.extractall(tmp_path)
    return tmp_path / "2D_versatile_fluo"


@pytest.mark.parametrize("index", [0, 1])
def test_it_finds_the_objects_that_stardist_finds(model, index):
    with np.load(FILE.with_suffix(".npz")) as file:
        image, labels = file[f"{index}/image"], file[f"{index}/labels"]
    found = tasks.predict(model, image)
    assert len(found) == labels.max() > 10
    shares = iou_table(labels.astype("int32"), found.to_label_map()).max(1)
    # Overlaps are counted in pixels here, there by polygons with rounded corners: of
    # proposals that share about the threshold with a better one, another may be kept.
    assert (shares >= 0.99).mean() > 0.9 and shares.min() > 0.8


def test_images_may_have_any_range(model, tmp_path):
    with np.load(FILE.with_suffix(".npz")) as file:
        image = file["1/image"]
    dim = 300 + 12 * image.astype("uint16")  # 12 bits, which do not say so
    expected = tasks.predict(model, image).to_label_map()
    np.testing.assert_array_equal(tasks.predict(model, dim).to_label_map(), expected)
    images.write_image(tmp_path / "dim.png", dim)
    read = files.reader_for(model, StarOptions(percentiles=(1, 99.8)))
    found = read(tmp_path / "dim.png")
    low, high = np.percentile(dim, (1, 99.8))
    np.testing.assert_allclose(
        found[0, :, 0], 255 * (dim[0] - low) / (high - low), 1e-4
    )


def test_thresholds_are_those_of_the_file(model, folder):
    assert model.predict_options == {
        "percentiles": (1, 99.8),
        "border": "mirror",
        "score_threshold": 0.5,
        "overlap_threshold": 0.3,
    }
    (folder / "thresholds.json").write_text('{"prob": 0.7, "nms": 0.1}')
    options = load(folder / "weights_best.h5").predict_options
    assert (options["score_threshold"], options["overlap_threshold"]) == (0.7, 0.1)


def test_a_folder_s_weights_are_those_of_the_zip(model, folder):
    for ours, theirs in zip(load(folder / "weights_best.h5").weights, model.weights):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_that_have_only_numbers_are_told_by_their_order(model):
    # As Keras 2 wrote them, after nine others.
    numbers = {"conv2d": "conv2d_9", "conv2d_1": "conv2d_10"}
    renamed = {}
    for name, array in weights.read(FILE).items():
        layer, _, rest = name.partition("/")
        renamed[f"{numbers.get(layer, layer)}/{rest}:0"] = array
    for ours, theirs in zip(load(renamed, **SMALL).weights, model.weights):
        np.testing.assert_array_equal(ours, theirs)


def test_a_users_own_has_the_size_that_its_config_says(tmp_path):
    with zipfile.ZipFile(FILES / "stardist_own.zip") as file:
        file.extractall(tmp_path)
    folder = tmp_path / "own"
    (folder / "weights_best.h5").rename(folder / "weights_last.h5")
    model = load(folder)
    with np.load(FILES / "stardist_own.npz") as file:
        maps = model(255 * file["image"][None])
        probabilities = expit(np.asarray(maps["logits"])[0, ..., 0])
        np.testing.assert_allclose(probabilities, file["probabilities"], 1e-4)
        # It raises smaller ones to that.
        distances = np.maximum(np.asarray(maps["distances"])[0], 1e-3)
        np.testing.assert_allclose(distances, file["distances"], 1e-4, 1e-5)
    assert model.predict_options["score_threshold"] == 0.4
    (folder / "weights_last.h5").unlink()
    with pytest.raises(weights.WeightsError, match=r"needs one of .*weights_best\.h5"):
        load(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"unet_pool": [2, 2]', '"unet_pool": [4, 4]', r"unet_pool=\[4, 4\]"),
        ('"grid": [2, 2]', '"grid": [2, 1]', r"grid=\[2, 1\]"),
        ('"grid": [2, 2]', '"grid": [4, 4]', r"grid=\[4, 4\] \(\[1, 1\] or"),
        ('"n_rays": 32', '"n_rays": 2', r"n_rays=2 \(3 to 1024\)"),
        ('"unet_n_filter_base": 4', '"unet_n_filter_base": 1e9', "filter_base=1000"),
        ('"unet_n_depth": 3', '"unet_n_depth": true', "unet_n_depth=True"),
        ('"n_channel_in": 1', '"n_channel_in": [1]', r"n_channel_in=\[1\]"),
        ('"n_classes": null', '"n_classes": 3', r"n_classes=3 \(None\)"),
        ("{", "{,", r"config\.json is not readable"),
    ],
)
def test_another_network_is_refused(folder, old, new, message):
    config = folder / "config.json"
    config.write_text(config.read_text().replace(old, new, 1))
    with pytest.raises(weights.WeightsError, match=message):
        load(folder / "weights_best.h5")


@pytest.mark.parametrize("text", ["[" * 60_000, " " * 10**6, '{"prob": 0.5'])
def test_damaged_texts_are_refused(folder, tmp_path, text):
    (folder / "thresholds.json").write_text(text)
    with pytest.raises(weights.WeightsError, match=r"thresholds\.json"):
        load(folder / "weights_best.h5")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "weights_best.h5", "weights_best.h5")
        archive.writestr("thresholds.json", text)
    with pytest.raises(weights.WeightsError, match=r"thresholds\.json"):
        load(tmp_path / "a.zip")


def test_our_own_network_refuses_the_file():
    options = {"input_shape": (None, None, 1), **SMALL}
    with pytest.raises(weights.WeightsError, match="missing"):
        zoo.stardist(grid=2, weights=FILE, **options)
    with pytest.raises(ValueError, match="encoder='plain'"):
        zoo.stardist(encoder="tiny", as_published=True)
    with pytest.raises(ValueError, match="needs as_published=True"):
        zoo.stardist(depth=4)


def test_each_published_array_has_one_place():
    arrays = weights.read(FILE)
    rules = _star_unet.rules(arrays)
    assert len(rules) == len(arrays) // 2 == 19
