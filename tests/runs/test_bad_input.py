"""Mistakes at a user's desk: one clear error, before training where possible."""

import json
import tomllib
import warnings

import numpy as np
import pytest

from kerasseg import images, recipes, runs
from kerasseg.cli import main
from kerasseg.runs import folder
from kerasseg.training import checkpoints

SMALL = [
    "augment.size=[32, 32]",
    "model.base_filters=4",
    "train.epochs=1",
    "train.batch_size=2",
    "optimizer.name=sgd",  # quickly traced
    "train.precision=float32",
]
SETTINGS = [part for text in SMALL for part in ("--set", text)]


@pytest.fixture
def root(tmp_path, rng):
    """Folder of six images with two classes and a list of their names."""
    root = tmp_path / "data"
    (root / "classes.txt").parent.mkdir()
    (root / "classes.txt").write_text("ground\nthing\n")
    for kind in ("images", "labels"):
        (root / kind).mkdir()
    for index in range(6):
        picture = rng.integers(0, 256, (40, 48, 3)).astype("uint8")
        label = np.zeros((40, 48), "int32")
        label[10:30, 10:30] = 1
        images.write_image(root / f"images/photo{index}.png", picture)
        images.write_mask(root / f"labels/photo{index}.png", label)
    return root


def fails(root, capsys, *more):
    out = root.parent / "run"
    code = main(["train", "--data", str(root), "--out", str(out), *SETTINGS, *more])
    assert code in (1, 2)
    assert not list(out.glob("checkpoints/*"))
    return capsys.readouterr().err


def test_a_missing_folder_is_named(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert "dta" in fails(tmp_path / "dta", capsys)


def test_a_folder_without_images_says_what_was_searched(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    assert "images" in fails(tmp_path / "data", capsys)


def test_images_without_labels_are_listed(root, capsys):
    (root / "labels/photo3.png").unlink()
    assert "photo3" in fails(root, capsys)


def test_label_values_outside_the_classes_name_the_file(root, capsys):
    label = np.full((40, 48), 7, "int32")
    images.write_mask(root / "labels/photo2.png", label)
    message = fails(root, capsys)
    assert "photo2.png" in message
    assert "7" in message


def test_a_label_of_another_size_names_the_file(root, capsys):
    images.write_mask(root / "labels/photo1.png", np.zeros((20, 20), "int32"))
    message = fails(root, capsys)
    assert "photo1" in message
    assert "20" in message


def test_a_corrupt_file_is_named_before_training(root, capsys):
    path = root / "images/photo4.png"
    path.write_bytes(path.read_bytes()[:200])
    assert "photo4.png" in fails(root, capsys)


def test_a_class_that_never_occurs_is_a_warning(root, capsys):
    (root / "classes.txt").write_text("ground\nthing\nunicorn\n")
    assert main(["check-data", "--data", str(root)]) == 0
    assert "unicorn" in capsys.readouterr().out


def test_a_file_that_turns_corrupt_in_mid_epoch_is_named(root, tmp_path):
    recipe = recipes.read(recipes.FOLDER, [*SMALL, "data.val_fraction=0.34"])

    def spoil(event):
        if event["kind"] == "begin":
            for path in (root / "images").iterdir():
                path.write_bytes(b"spoiled")

    with pytest.raises(images.ImageError, match=r"photo\d\.png"):
        runs.train(recipe, root=root, out=tmp_path / "run", on_event=spoil)


def test_a_checkpoint_of_another_model_is_refused_with_the_difference(tmp_path):
    ours = {"head/kernel": np.zeros((3, 3)), "head/bias": np.zeros(3)}
    theirs = {"head/kernel": np.zeros((3, 4)), "neck/bias": np.zeros(3)}
    path = checkpoints.save(tmp_path, 1, theirs)
    with pytest.raises(checkpoints.CheckpointError, match=r"(?s)head/bias.*neck/bias"):
        checkpoints.load(path, ours)


def test_good_data_trains_without_a_warning(root, capsys):
    out = root.parent / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation")
        command = ["train", "--data", str(root), "--out", str(out), *SETTINGS]
        assert main(command) == 0
    assert "thing" in capsys.readouterr().out


RECIPE = """
[model]
architecture = "yolact"
encoder = "tiny"
filters = 16
num_prototypes = 4
[data]
dataset = "coco"
train = {annotations = "train.json"}
val = {annotations = "val.json"}
[augment]
size = [64, 64]
[optimizer]
learning_rate = 1e-3
[train]
epochs = 1
steps_per_epoch = 1
batch_size = 2
max_objects = 4
"""


def write_sides(root, **objects):
    """COCO files of images with so many squares, of class "a" or "b" in turn."""
    for side, (num, names) in objects.items():
        image = {"id": 0, "file_name": f"{side}.png", "height": 64, "width": 64}
        images.write_image(
            root / "images" / f"{side}.png", np.zeros([64, 64, 3], "uint8")
        )
        entries = [image]
        squares = [
            {
                **{"image_id": 0, "id": number, "category_id": number % len(names)},
                "segmentation": [[9, 9, 40, 9, 40, 40, 9, 40]],
            }
            for number in range(num)
        ]
        categories = [{"id": i, "name": name} for i, name in enumerate(names)]
        content = {"images": entries, "annotations": squares, "categories": categories}
        (root / f"{side}.json").write_text(json.dumps(content))
    (root / "recipe.toml").write_text(RECIPE)
    return [str(root / "recipe.toml"), "--data", str(root), "--out", str(root / "run")]


@pytest.mark.slow
def test_a_validation_without_objects_or_a_class_trains_to_the_end(tmp_path, capsys):
    arguments = write_sides(tmp_path, train=(2, "ab"), val=(0, "b"))
    assert main(["train", *arguments]) == 0
    assert "AP -" in capsys.readouterr().out
    results = json.loads((tmp_path / "run/results.json").read_text())
    assert results["mask_ap"] is None and list(results["classes"]) == ["a", "b"]


def test_training_on_no_object_is_refused(tmp_path, capsys):
    assert main(["train", *write_sides(tmp_path, train=(0, "ab"), val=(1, "ab"))]) == 1
    assert "There must be objects to train on" in capsys.readouterr().err


def test_a_class_that_training_lacks_is_refused(tmp_path, capsys):
    assert main(["train", *write_sides(tmp_path, train=(1, "a"), val=(1, "b"))]) == 1
    assert "Received: b, which is not among background, a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("architecture", "option"),
    [
        ("yolact", "nms = {score_threshold = 0.4}"),
        ("mask_rcnn", ""),
        ("center_mask", "score_threshold = 0.4"),
        ("stardist", ""),
    ],
)
def test_a_score_that_is_asked_for_counts_for_every_model(architecture, option):
    text = f"""[model]
    architecture = "{architecture}"
    {option}
    [data]
    dataset = "coco"
    [augment]
    size = [64, 64]
    """
    recipe = tomllib.loads(text)
    folder._lower_threshold(recipe, 0.01)
    model = recipe["model"]
    own = model.get("nms", model).get("score_threshold")
    assert own == (None if architecture == "stardist" else 0.01)
    folder._lower_threshold(recipe, 0.5)
    assert model.get("nms", model).get("score_threshold") == own
