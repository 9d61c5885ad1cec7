"""Images whose labels a model has made, beside those that people have labelled."""

import json

import numpy as np
import pytest

from kerasseg import datasets, images
from kerasseg.datasets.pseudo import keep_halves
from kerasseg.images import ImageError


@pytest.fixture
def samples():
    return datasets.shapes(2, size=32)


@pytest.fixture
def made(tmp_path):
    """Folder of six images that a model has labelled, the first rows of each."""
    rng, paths = np.random.default_rng(0), {}
    for name in ("a", "b/c", "d", "e", "f", "g"):
        path = tmp_path / f"photos/{name}.png"
        images.write_image(path, rng.integers(0, 256, [16, 16, 3], "uint8"))
        label = np.full([16, 16], 255, "uint8")
        label[:4] = 1
        images.write_mask(tmp_path / f"made/labels/{name}.png", label)
        paths[name] = str(path)
    index = {"images": paths, "channels": 3}
    (tmp_path / "made/index.json").write_text(json.dumps(index))
    return tmp_path / "made"


def test_made_labels_follow_the_others_and_are_drawn_as_often(samples, made):
    both = datasets.with_pseudo_labels(samples, made)
    assert both.names[:2] == samples.names
    assert both.names[3] == "pseudo/b/c"
    assert sum(both.weights[:2]) == sum(both.weights[2:])
    assert both[3]["label"][:4].max() == 1
    assert datasets.check(both)["num_read"] == 8


def test_halves_stay_halves_where_rare_images_are_drawn_more_often(samples, made):
    both = datasets.with_pseudo_labels(samples, made)
    rare = both.with_weights([1, 3, 1, 1, 9, 1, 1, 1])
    kept = np.array(keep_halves(rare, made).weights)
    assert kept[:2].sum() == pytest.approx(kept[2:].sum())
    assert kept[1] / kept[0] == 3 and kept[4] / kept[2] == 9


def test_a_folder_without_made_labels_is_an_error(samples, tmp_path):
    with pytest.raises(ImageError, match="--unlabelled"):
        datasets.with_pseudo_labels(samples, tmp_path)
    for text in ("[]", "{", '{"images": []}', '{"images": {"a": "a.png"}}'):
        (tmp_path / "index.json").write_text(text)
        with pytest.raises(ImageError, match=r"with their index\.json"):
            datasets.with_pseudo_labels(samples, tmp_path)


def test_no_made_label_leaves_the_samples_as_they_are(samples, tmp_path):
    (tmp_path / "index.json").write_text('{"images": {}, "channels": 3}')
    assert datasets.with_pseudo_labels(samples, tmp_path) is samples
