import json
import pathlib

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from kerasseg import datasets, demo, images, runs
from kerasseg.weights import catalog


@pytest.fixture(scope="module")
def shapes():
    """Segmenter of the weights that come along."""
    return demo.of_run(*runs.ready(catalog.entry("shapes")))


def test_a_model_answers_with_classes_and_files(shapes, tmp_path):
    image = datasets.shapes(1, size=64, seed=3)[0]["image"]
    answer = shapes(image)
    assert answer.label.shape == (64, 64) and answer.seconds > 0
    assert answer.classes()[0][0] == "background"
    assert sum(row[1] for row in answer.classes()) == 64 * 64
    assert answer.picture(0.5).shape == (64, 64, 3)
    assert (answer.picture(0.0) == image).mean() > 0.8
    mask, cut, objects = answer.write(tmp_path, "one")
    assert (images.read_mask(mask) == answer.label).all()
    alpha = np.asarray(Image.open(cut))[..., 3]
    assert ((alpha > 0) == (answer.label > 0)).all()
    document = json.loads(pathlib.Path(objects).read_text())
    found = np.zeros((64, 64), int)
    for entry in document["annotations"]:
        found += coco_masks.decode(entry["segmentation"])
    assert (found == (answer.label > 0)).all()  # every pixel is in one object
    areas = [coco_masks.area(x["segmentation"]) for x in document["annotations"]]
    assert areas == [x["area"] for x in document["annotations"]]


def test_a_model_of_objects_answers_with_objects(tmp_path):
    segment = demo.of_run(*runs.ready(catalog.entry("nuclei")))
    image = np.full((64, 64, 3), 10, np.uint8)
    y, x = np.mgrid[:64, :64]
    for row, column in ((20, 18), (44, 46)):
        distance = (y - row) ** 2 + (x - column) ** 2
        image[distance < 100] = 150
    answer = segment(image)
    assert len(answer.objects()) == answer.label.max() == 2
    document = json.loads(pathlib.Path(answer.write(tmp_path, "n")[2]).read_text())
    for entry in document["annotations"]:
        mask = coco_masks.decode(entry["segmentation"])
        assert (mask == (answer.label == entry["id"])).all()


@pytest.mark.parametrize("name", ["threshold", "slic", "watershed"])
def test_classical_methods_answer_with_regions(picture, name):
    answer = demo.of_method(name)(picture)
    assert answer.label.max() >= 1 and answer.label.shape == (48, 64)
    assert answer.classes()[1][0] == "region 1"
