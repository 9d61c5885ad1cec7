"""Annotation files and lists that were made to harm: typed errors, little memory."""

import json

import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image
from kerasseg.instance import polygons
from tests.memory import peaks

SQUARE = [[0, 0, 2, 0, 2, 2, 0, 2]]
NINES = "9" * 5000


def document(image=None, category=None, **annotation):
    one = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": SQUARE}
    entry = {"id": 1, "file_name": "a.png", "height": 4, "width": 4}
    return {
        "images": [{**entry, **(image or {})}],
        "categories": [{"id": 1, "name": "cell", **(category or {})}],
        "annotations": [{**one, **annotation}],
    }


@pytest.fixture
def root(tmp_path):
    write_image(tmp_path / "images/a.png", np.zeros([4, 4, 3], "uint8"))
    return tmp_path


def refused(root):
    with pytest.raises(ImageError) as info:
        datasets.coco(root)[0]
    assert len(str(info.value)) < 5000
    str(info.value).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"segmentation": [[10**400, 0, 2, 0, 2, 2]]},
        {"segmentation": [[1e308, 0, -1e308, 0, 2, 2]]},
        {"segmentation": [["x", 0, 2, 0, 2, 2]]},
        {"segmentation": {"size": [4, 10**400], "counts": [16]}},
        {"segmentation": {"size": [4, 4], "counts": [10**400]}},
        {"segmentation": {"size": [4, 4], "counts": "\ud800"}},
        {"image_id": 10**400},
        {"image_id": "x" * 10**6},
        {"iscrowd": ["x" * 10**6]},
        {"image": {"height": 10**400}},
        {"image": {"height": 1e300}},
        {"image": {"file_name": "."}},
        {"image": {"file_name": "a\0.png"}},
        {"image": {"file_name": "\ud800.png"}},
        {"image": {"file_name": "x" * 300 + ".png"}},
        {"image": {"file_name": "x\\" * 300 + ".png"}},
        {"image": {"file_name": "x" * 10**6}},
        {"image": {"file_name": "../a.png"}},
        {"category": {"name": "\ud800"}},
        {"category": {"name": ["x" * 10**6]}},
    ],
    ids=range(20),
)
def test_a_false_entry_is_one_typed_error(root, changes):
    (root / "instances.json").write_text(json.dumps(document(**changes)))
    refused(root)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10**6,
        f'{{"images": {NINES}}}',
        "{",
        "\0",
        "[]",
        "5",
        '{"images": 5}',
        '{"images": [5], "categories": [], "annotations": []}',
    ],
    ids=range(8),
)
def test_a_false_document_is_one_typed_error(root, text):
    (root / "instances.json").write_text(text)
    refused(root)
    (root / "classes.json").write_text(text)
    with pytest.raises(ImageError) as info:
        datasets.convert(root, root / "out", to="coco", source_format="labels")
    assert len(str(info.value)) < 5000


def test_an_area_beyond_all_numbers_is_counted_anew(root):
    (root / "instances.json").write_text(json.dumps(document(area=10**400)))
    assert datasets.coco(root)[0]["areas"].tolist() == [4.0]


def test_an_outline_of_any_length_is_not_drawn():
    """10,000 lines across a picture of one row: 12 GB of 60 kB."""
    ring = [0, 0, 10_000, 0] * 5_000
    with pytest.raises(ValueError, match="pixels long"):
        polygons.from_polygons([ring], (1, 10_000))


def test_objects_without_number_above_each_other_are_refused(root):
    """Each is compared with all others: 20,000 in 1.5 MB took 10 minutes."""
    changed = document()
    changed["annotations"] *= 257
    changed["annotations"] = [
        {**one, "id": i} for i, one in enumerate(changed["annotations"])
    ]
    (root / "instances.json").write_text(json.dumps(changed))
    with pytest.raises(ImageError, match="at most 256 objects above each other"):
        datasets.coco(root)[0]
    changed["annotations"].pop()
    (root / "instances.json").write_text(json.dumps(changed))
    assert datasets.coco(root)[0]["instances"].shape == (256, 4, 4)


DENSE = {
    "lists": "[],",
    "numbers": "[999],",
    "dicts": "{},",
    "nested": '{"a":[]},',
    "texts": '"ab",',
    "floats": "1.5,",
}
CODE = """
try:
    coco.read(pathlib.Path({path!r}), pathlib.Path({folder!r}))
except ImageError as error:
    assert len(str(error)) < 5000
"""


def test_memory_stays_within_twice_sixteen_times_the_file(root):
    cases = {}
    for name, unit in DENSE.items():
        body = unit * (6_000_000 // len(unit))
        path = root / f"{name}.json"
        path.write_text('{"images": [' + body.rstrip(",") + "]}")
        cases[name] = CODE.format(path=str(path), folder=str(root))
    setup = """
        import pathlib
        from kerasseg.datasets import _coco_json as coco
        from kerasseg.images import ImageError
    """
    for peak, seconds in peaks(cases, setup).values():
        assert peak < 2 * 16 * 6_000_000
        assert seconds < 10


XML = {
    "text": "x" * 40_000_000,
    "text between": "x<b/>" * 200_000,
    "elements": "<b/>" * 1_000_000,
    "attributes": "<b " + " ".join(f'a{i}=""' for i in range(100_000)) + "/>",
    "points": "<pt><x>12</x><y>34</y></pt>" * 100_000,
}


@pytest.mark.slow
def test_xml_takes_no_more_than_twice_sixteen_times_the_file(tmp_path):
    """Text was joined piece by piece: 16 s for 20 MB; 66 bytes for one of `<b/>`."""
    cases = {}
    for name, body in XML.items():
        path = tmp_path / f"{name}.xml"
        path.write_text(f"<a>{body}</a>")
        cases[name] = f"""
try:
    _xml.read({str(path)!r})
except ImageError as error:
    assert len(str(error)) < 5000
"""
    setup = """
        from kerasseg.datasets import _xml
        from kerasseg.images import ImageError
    """
    for name, (peak, seconds) in peaks(cases, setup).items():
        assert peak < 2 * 16 * len(XML[name]) + 2**26, name
        assert seconds < 10, name


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\0", b"/\n", b".\n", b"a/" * 10**6, b"\0", b"x" * 10**7]
)
def test_a_list_of_names_that_is_none_is_one_typed_error(tmp_path, content):
    for name in "ab":
        write_image(tmp_path / f"images/{name}.png", np.zeros([4, 4, 3], "uint8"))
        write_image(tmp_path / f"labels/{name}.png", np.zeros([4, 4], "uint8"))
    (tmp_path / "train.txt").write_bytes(content)
    with pytest.raises(ImageError) as info:
        datasets.folder(tmp_path, "train")
    assert len(str(info.value)) < 5000
    (tmp_path / "train.txt").unlink()
    (tmp_path / "classes.txt").write_bytes(b"\xff" + content)
    with pytest.raises(ImageError, match="no text"):
        datasets.folder(tmp_path)
