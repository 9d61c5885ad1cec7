"""Images in folders, and the masks among them."""

import numpy as np
import pytest

from kerasseg.images import find_pictures, write_image

FILES = {
    "beside": (["a.png", "a_mask.png", "sub/b.jpg", "sub/mask_b.png"], ["a", "sub/b"]),
    "two folders": (["images/a.png", "labels/a.png", "c.png"], ["c", "images/a"]),
    "splits": (["train/images/a.png", "train/masks/a.png"], ["train/images/a"]),
    "kinds": (["images/val/a.png", "gt/val/a.png"], ["images/val/a"]),
    "Carvana": (["train/a.png", "train_masks/a.png"], ["train/a"]),
    "objects": (["n/images/n.png", "n/masks/1.png", "n/masks/2.png"], ["n/images/n"]),
    "no masks": (["labels/a.png", "mask.png", "x_mask.png"], None),
    "hidden": (["a.png", ".b.png", ".c/d.png"], ["a"]),
}


@pytest.mark.parametrize("form", FILES)
def test_masks_beside_images_are_told_apart(tmp_path, form):
    files, expected = FILES[form]
    for name in files:
        write_image(tmp_path / name, np.zeros([2, 2, 3], "uint8"))
    pictures, masks = find_pictures(tmp_path)
    names = [name for name, _ in pictures]
    assert names == (sorted(f[:-4] for f in files) if expected is None else expected)
    visible = [name for name in files if "/." not in f"/{name}"]
    assert len(masks) == len(visible) - len(names)


def test_earlier_results_are_no_pictures(tmp_path):
    for name in ("a.png", "predictions/overlays/a.png"):
        write_image(tmp_path / name, np.zeros([2, 2, 3], "uint8"))
    pictures, _ = find_pictures(tmp_path, leave_out=tmp_path / "predictions")
    assert [name for name, _ in pictures] == ["a"]
