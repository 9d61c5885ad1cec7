"""Images whose labels a model has made, beside those that people have labelled."""

import json

import numpy as np
import pytest

from kerasseg import datasets, images
from kerasseg.images import ImageError


@pytest.fixture
def samples():
    return datasets.shapes(2, size=32)


def test_made_labels_follow_the_others_and_are_drawn_as_often(samples, tmp_path):
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
    both = datasets.with_pseudo_labels(samples, tmp_path / "made")
    assert both.names[:2] == samples.names
    assert both.names[3] == "pseudo/b/c"
    assert sum(both.weights[:2]) == sum(both.weights[2:])
    assert both[3]["label"][:4].max() == 1
    assert datasets.check(both)["num_read"] == 8


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
