"""Outlines and names of files as annotation tools write them."""

import json

import numpy as np
import pytest
import tifffile

from kerasseg import datasets
from kerasseg.images import ImageError, write_image

RING = [1, 1, 4, 1, 4, 3, 1, 3]  # 3 x 2 pixels
POINTS = [[1, 1], [4, 1], [4, 3], [1, 3]]
CODE = {"size": [4, 6], "counts": [5, 2, 2, 2, 2, 2, 9]}


@pytest.fixture
def write(tmp_path):
    write_image(tmp_path / "images/sub/a.png", np.zeros([4, 6, 3], "uint8"))

    def write(segmentation, file_name="sub/a.png"):
        outline = {"image_id": 1, "category_id": 1, "segmentation": segmentation}
        image = {"id": 1, "file_name": file_name, "height": 4, "width": 6}
        content = {
            "images": [image],
            "categories": [{"id": 1, "name": "fig"}],
            "annotations": [{"id": 1, "bbox": [1, 1, 3, 2], **outline}],
        }
        (tmp_path / "instances.json").write_text(json.dumps(content))
        return tmp_path

    return write


@pytest.mark.parametrize(
    "segmentation",
    [
        [RING],
        RING,
        POINTS,
        [POINTS],
        [POINTS, RING[:6]],
        CODE,
        [CODE],
    ],
)
def test_outlines_in_every_form_give_the_same_mask(write, segmentation):
    sample = datasets.coco(write(segmentation))[0]
    expected = np.zeros([4, 6], int)
    expected[1:3, 1:4] = 1
    np.testing.assert_array_equal(sample["label"], expected)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.pop("annotations"), "list 'annotations'.*'none'"),
        (lambda d: d["annotations"][0].update(bbox=None), "no usable box"),
        (
            lambda d: d["annotations"][0].update(segmentation=[[*RING, 3.5]]),
            r"Received: \[1.0, 1.0, 4.0",
        ),
    ],
)
def test_a_message_shows_what_stands_in_the_file(write, change, message):
    root = write(None)
    content = json.loads((root / "instances.json").read_text())
    change(content)
    (root / "instances.json").write_text(json.dumps(content))
    with pytest.raises(ImageError, match=message):
        datasets.coco(root, boxes="fill")[0]


def test_numbers_are_names_of_classes_too(write):
    root = write([RING])
    text = (root / "instances.json").read_text()
    (root / "instances.json").write_text(text.replace('"fig"', "7"))
    assert datasets.coco(root).classes == ("background", "7")


def test_names_may_begin_with_the_folder_of_the_images(write):
    for name in ("images/sub/a.png", "images\\sub\\a.png", "./sub/a.png"):
        samples = datasets.coco(write([POINTS], name))
        assert samples.names == ("sub/a",) and samples[0]["label"].sum() == 6


def test_an_absolute_name_is_found_by_its_end_or_refused_with_the_fix(write):
    samples = datasets.coco(write([POINTS], "/home/someone/images/sub/a.png"))
    assert samples.names == ("sub/a",)
    with pytest.raises(ImageError, match=r"file_name relative to that folder"):
        datasets.coco(write([POINTS], "/home/someone/images/sub/elsewhere.png"))


def test_images_come_with_all_of_their_bands(write, tmp_path, rng):
    image = rng.integers(0, 65536, [4, 6, 5]).astype("uint16")
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(tmp_path / "images/b.tif", image, **options)
    found = datasets.coco(write([POINTS], "b.tif"))[0]["image"]
    np.testing.assert_array_equal(found, image)
    write_image(tmp_path / "images/c.png", image[..., 0] // 256)  # grey, as RGB
    assert datasets.coco(write([POINTS], "c.png"))[0]["image"].shape == (4, 6, 3)
