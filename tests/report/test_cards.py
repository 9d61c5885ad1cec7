import json

import pytest

from kerasseg import evaluate, report


@pytest.fixture
def zoo(tmp_path):
    """A zoo of one recipe whose numbers are worked out: IoU 3/4 and 4/5."""
    folder = tmp_path / "unet_toy"
    folder.mkdir()
    scores = [
        {"iou": iou, "dice": 0.5, "precision": 1.0, "recall": 0.25, "pixels": 4}
        for iou in (0.75, 0.8)
    ]
    settings = {
        "num_images": 2,
        "image_sizes": {"min": [4, 5], "max": [6, 7]},
        "flips": False,
        "precision": "float32",
        "num_params": 1234,
    }
    results = {
        "classes": dict(zip(("ground", "thing"), scores)),
        "mean_iou": 0.775,
        "mean_dice": 0.5,
        "settings": settings,
        "split": "val",
        "seeds": [0],
        "date": "2026-01-02T03:04:05",
        "environment": evaluate.environment(),
    }
    (folder / "results.json").write_text(json.dumps(results))
    for path in (folder, tmp_path):
        (path / "README.md").write_text(
            "before\n<!-- results -->\n<!-- /results -->\nafter"
        )
    return tmp_path


def test_cards_and_table_get_the_numbers_of_the_results(zoo):
    assert len(report.update(zoo)) == 2
    card = (zoo / "unet_toy/README.md").read_text()
    assert "| thing | 80.0 | 50.0 | 25.0 |" in card
    assert "**77.5**" in card
    assert "4x5 to 6x7" in card
    assert card.startswith("before")
    assert card.endswith("after")
    assert "| 1,234 | mean iou 77.5 | not measured |" in (zoo / "README.md").read_text()


def test_a_second_update_changes_nothing(zoo):
    report.update(zoo)
    assert report.update(zoo) == []


def test_a_card_without_markers_is_named(zoo):
    (zoo / "unet_toy/README.md").write_text("nothing")
    with pytest.raises(ValueError, match=r"unet_toy.*results"):
        report.update(zoo)


def test_a_card_of_objects_shows_average_precision(zoo):
    path = zoo / "unet_toy/results.json"
    old = json.loads(path.read_text())
    settings = {"fit": "tile", "score_threshold": 0.3, "zoom": 2.0}
    scores = {"mask_ap": 0.4, "box_ap": None, "objects": 1200}
    keys = ("mask_ap50", "mask_ap75", "label_ap", "label_ap50", "f1", "pq", "aji")
    results = {
        **{key: old[key] for key in ("split", "seeds", "date", "environment")},
        "classes": {"cell": scores},
        "mask_ap": 0.4,
        "box_ap": 0.5,
        **dict.fromkeys(keys, 0.625),
        "settings": {**old["settings"], **settings},
    }
    path.write_text(json.dumps(results))
    report.update(zoo)
    card = (zoo / "unet_toy/README.md").read_text()
    assert "| cell | 40.0 | - | 1,200 |" in card
    assert "| label AP50 |" in card and "| 62.5 " * len(keys) + "|" in card
    assert "zoom 2" in card
    assert "| 1,234 | mask ap 40.0 | not measured |" in (zoo / "README.md").read_text()


def test_a_card_names_the_worst_images_and_the_spread(zoo):
    path = zoo / "unet_toy/results.json"
    results = json.loads(path.read_text())
    scores = {"a": 0.9, "b": None, "c": 0.25, "d": 0.5, "e": 0.75}
    results["samples"] = [{"name": x, "mean_iou": y} for x, y in scores.items()]
    results["intervals"] = {"mean_iou": [0.7, 0.815]}
    path.write_text(json.dumps(results))
    report.update(zoo)
    card = (zoo / "unet_toy/README.md").read_text()
    assert "95 % by bootstrap over images: 70.0 to 81.5." in card
    assert "Worst images by mean iou: c 25.0, d 50.0." in card
