import hashlib

import numpy as np
import pytest
from PIL import Image

from kerasseg import datasets
from kerasseg.datasets import _mask_numbers
from kerasseg.images import ImageError, content, write_image, write_mask

LABEL = np.array([[0, 1, 2], [2, 1, 0]])


@pytest.fixture
def draw(tmp_path):
    """Function: names of files below tmp_path -> tmp_path with these files drawn.

    Names that hold one of the words for masks become masks, others images.
    """

    def draw_files(*names, label=LABEL):
        for number, name in enumerate(names):
            words = ("mask", "label", "gt", "annot", "Class", "1stHO", "2ndHO")
            if any(word in name for word in words):
                write_mask(tmp_path / name, label)
            else:
                write_image(
                    tmp_path / name, np.full((*LABEL.shape, 3), number, np.uint8)
                )
        return tmp_path

    return draw_files


def test_images_beside_labels_are_paired_by_name(draw):
    root = draw("images/b.png", "images/a.jpg", "labels/a.png", "labels/b.png")
    samples = datasets.folder(root)
    assert samples.names == ("a", "b")
    assert samples.classes == ("class 0", "class 1", "class 2")
    assert samples[0]["image"].shape == (2, 3, 3)
    np.testing.assert_array_equal(samples[1]["label"], LABEL)
    assert samples.files[1] == (root / "images/b.png", root / "labels/b.png")


@pytest.mark.parametrize(
    "image, mask",
    [
        ("img/a.png", "masks/a.png"),
        ("Imgs/a.png", "gt/a_gt.png"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
        ("images/a_leftImg8bit.png", "annotations/a_gtFine_labelIds.png"),
        ("images/image_7.png", "masks/mask_7.png"),
        ("images/A.PNG", "masks/a-mask.png"),
        ("images/town/a.png", "masks/town/a.png"),
        ("images/town/a.png", "masks/a.png"),
        ("images/a.png", "images/a_mask.png"),
        ("a.png", "a_1stHO.png"),
        ("town/images/a.png", "town/masks/a.png"),
        ("1/images/a.png", "1/masks/a_mask.png"),
    ],
)
def test_common_names_are_understood(draw, image, mask):
    root = draw(image, mask)
    assert datasets.folder(root).files == ((root / image, root / mask),)


@pytest.mark.parametrize(
    "image, mask",
    [
        ("train/images/a.png", "train/labels/a.png"),
        ("images/train/a.png", "masks/train/a.png"),
        ("train_images/a.png", "train_masks/a.png"),
        ("train/a.png", "trainannot/a.png"),
        ("training/images/a.png", "training/gt/a.png"),
        ("train/a.png", "train/a_mask.png"),
    ],
)
def test_folders_of_splits_are_understood(draw, image, mask):
    val = [
        name.replace("training", "val").replace("train", "val")
        for name in (image, mask)
    ]
    val = [name.replace("a.png", "b.png").replace("a_mask", "b_mask") for name in val]
    root = draw(image, mask, *val)
    assert datasets.folder(root, "train").files == ((root / image, root / mask),)
    assert datasets.folder(root, "val").files == ((root / val[0], root / val[1]),)


def test_a_list_of_names_selects_a_split(draw):
    root = draw(
        *(f"{kind}/{name}.png" for kind in ("images", "labels") for name in "abcd")
    )
    (root / "train.txt").write_text("d\na.png\n\nimages/b.png labels/b.png\n")
    (root / "val.txt").write_text("c\r\n")
    assert datasets.folder(root, "train").names == ("a", "b", "d")
    assert datasets.folder(root, "val").names == ("c",)
    assert datasets.folder(root).names == ("a", "b", "c", "d")


def test_a_listed_name_without_a_file_is_refused(draw):
    root = draw("images/a.png", "labels/a.png")
    (root / "train.txt").write_text("a\nx\ny\n")
    with pytest.raises(ImageError, match=r"train.txt.*2 others: x, y"):
        datasets.folder(root, "train")


def test_splits_by_rule_are_disjoint_complete_and_stable(draw):
    names = [f"{number:03d}" for number in range(50)]
    root = draw(*(f"{kind}/{n}.png" for kind in ("images", "labels") for n in names))
    train, val = (set(datasets.folder(root, s).names) for s in ("train", "val"))
    assert not train & val
    assert sorted(train | val) == names
    assert 4 <= len(val) <= 16  # 10 expected, standard deviation 2.8
    (root / "images/010.png").unlink()
    assert set(datasets.folder(root, "val").names) == val - {"010"}


def test_a_split_by_rule_is_never_empty(draw):
    root = draw("images/a.png", "images/b.png", "labels/a.png", "labels/b.png")
    options = {"val_fraction": 1e-9}
    assert len(datasets.folder(root, "train", **options)) == 1
    assert len(datasets.folder(root, "val", **options)) == 1


def test_a_missing_split_names_the_splits_that_exist(draw):
    root = draw("train/images/a.png", "train/labels/a.png")
    for split in ("test", "trian"):
        with pytest.raises(ImageError, match="a split of this folder: train"):
            datasets.folder(root, split)


def test_names_of_roboflow_are_read(draw):
    root = draw("train/a.png", "train/a_mask.png", "valid/b.png", "valid/b_mask.png")
    for side in ("train", "valid"):
        text = "Pixel Value, Class\n0, bg\n1, cat\n2, x"
        (root / side / "_classes.csv").write_text(text)
    assert datasets.folder(root, "val").classes == ("bg", "cat", "x")


def test_a_second_annotation_is_told(draw):
    root = draw("a.png", "a_1stHO.png", "a_2ndHO.png")
    (note,) = datasets.folder(root).notes
    assert "1 pictures" in note and "a_2ndHO.png" in note


def test_without_a_val_folder_val_is_made_from_train(draw):
    files = [
        f"train/{kind}/{name}.png" for kind in ("images", "masks") for name in "abc"
    ]
    root = draw(*files, "test/images/d.png", "test/masks/d.png")
    train, val, test = (datasets.folder(root, s) for s in ("train", "val", "test"))
    assert sorted(train.names + val.names) == ["a", "b", "c"] and val.names
    assert test.names == ("d",)


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("set/images/a.png", "set/labels/a.png"),
        ("set/again/train/image/a.png", "set/again/train/label/a.png"),
        ("c1/image.png", "c1/mask.png"),
        ("c1/a_image.png", "c1/a_label.png"),
        ("a.bmp", "a_anno.bmp"),
        ("original/a.png", "groundtruth/a.png"),
        ("images/a.png", "masks/a.png.png"),
    ],
)
def test_more_arrangements_are_understood(draw, image, mask):
    root = draw(image, mask)
    split = "train" if "train" in image else None
    if split is None:
        assert datasets.folder(root, classes=2).files[0][1] == root / mask
    else:
        draw(image.replace("/a.", "/b."), mask.replace("/a.", "/b."))
        sides = [datasets.folder(root, s, classes=2).files for s in ("train", "val")]
        assert {root / mask} < {file for side in sides for _, file in side}
    assert datasets.find_format(root).name == "folder"


@pytest.mark.parametrize(
    "image, mask",
    [
        ("images/{}2017/a.png", "annotations/{}2017/a.png"),
        ("images_{}/a.png", "masks_{}/a.png"),
        ("{}-images/a.png", "{}-masks/a.png"),
        ("{}/town/images/a.png", "{}/town/masks/a.png"),
        ("{}/Urban/images_png/a.png", "{}/Urban/masks_png/a.png"),
    ],
)
def test_splits_deep_in_names_are_found(draw, image, mask):
    files = [path.format(side) for side in ("train", "val") for path in (image, mask)]
    root = draw(*files)
    for side in ("train", "val"):
        found = datasets.folder(root, side).files
        assert found == ((root / image.format(side), root / mask.format(side)),)


def test_the_field_of_view_of_drive_is_no_label(draw, tmp_path):
    draw("training/images/21_training.png", "training/mask/21_training_mask.png")
    draw("test/images/01_test.png", "test/mask/01_test_mask.png")
    (tmp_path / "training/1st_manual").mkdir()
    write_mask(tmp_path / "training/1st_manual/21_manual1.png", LABEL)
    draw("training/images/22_training.png", "training/mask/22_training_mask.png")
    write_mask(tmp_path / "training/1st_manual/22_manual1.png", LABEL)
    files = [*datasets.folder(tmp_path, "train").files]
    files += datasets.folder(tmp_path, "val").files
    assert {mask.parent.name for _, mask in files} == {"1st_manual"}
    with pytest.raises(ImageError, match="a split of this folder: train"):
        datasets.folder(tmp_path, "test")


def test_an_unknown_split_of_a_flat_folder_is_refused(draw):
    root = draw("images/a.png", "labels/a.png")
    with pytest.raises(
        ImageError, match=r"train, val. Received: split='trian'.*'train'"
    ):
        datasets.folder(root, "trian")


def test_images_without_masks_are_listed(draw):
    root = draw("images/a.png", "images/b.png", "images/c.png", "labels/a.png")
    with pytest.raises(
        ImageError, match=r"2 of 3 images without: b.png, c.png; .*a.png"
    ):
        datasets.folder(root)


def test_masks_without_images_are_left_out(draw):
    root = draw("images/a.png", "labels/a.png", "labels/b.png")
    assert datasets.folder(root).names == ("a",)


def test_two_masks_for_one_image_are_refused(draw):
    root = draw("images/a.png", "labels/a_gtFine_labelIds.png", "labels/a_labelIds.png")
    with pytest.raises(ImageError, match="one mask for the name a"):
        datasets.folder(root)


def test_two_folders_of_masks_are_refused(draw):
    root = draw("images/a.png", "labels/a.png", "masks/a.png")
    with pytest.raises(ImageError, match="labels and masks"):
        datasets.folder(root)


def test_other_notes_beside_a_mask_are_no_images(draw):
    root = draw("a.png", "a_1stHO.png", "a_2ndHO.png")
    assert datasets.folder(root).names == ("a",)


def test_a_folder_without_images_says_what_was_looked_for(tmp_path):
    (tmp_path / "stuff").mkdir()
    with pytest.raises(ImageError, match=r"images, image, .*Received: stuff/"):
        datasets.folder(tmp_path)


def test_a_missing_folder_names_the_nearest(tmp_path):
    (tmp_path / "camvid").mkdir()
    with pytest.raises(ImageError, match=r"no such folder.*Did you mean 'camvid'"):
        datasets.folder(tmp_path / "camvd")


def test_class_names_come_from_the_file_or_the_argument(draw):
    root = draw("images/a.png", "labels/a.png")
    (root / "classes.txt").write_text("sky\ncar\n\nroad\n")
    assert datasets.folder(root).classes == ("sky", "car", "road")
    assert datasets.folder(root, classes=["x", "y", "z"]).classes == ("x", "y", "z")
    assert datasets.folder(root, classes=2).classes == ("class 0", "class 1")


def test_names_of_classes_must_be_unique(draw):
    root = draw("images/a.png", "labels/a.png")
    with pytest.raises(ValueError, match=r"`classes` must be unique.*'a' twice"):
        datasets.folder(root, classes=("a", "b", "a"))


def test_classes_are_counted_over_all_splits(draw):
    root = draw("train/images/a.png", "train/labels/a.png")
    draw("val/images/b.png", "val/labels/b.png", label=np.array([[5, 255, 0]] * 2))
    assert len(datasets.folder(root, "train").classes) == 6


def test_black_and_white_masks_ask_for_a_map(draw):
    label = 255 * (LABEL > 0)
    root = draw("images/a.png", "labels/a.png", label=label)
    with pytest.raises(ImageError, match=r"only 0 and 255.*values=\{0: 0, 255: 1\}"):
        datasets.folder(root)
    samples = datasets.folder(root, values={0: 0, 255: 1})
    np.testing.assert_array_equal(samples[0]["label"], LABEL > 0)
    assert len(samples.classes) == 2


def test_instance_numbers_ask_for_a_map(draw):
    root = draw(
        "images/a.png", "labels/a.png", label=np.array([[0, 1, 2], [300, 1, 2]])
    )
    with pytest.raises(ImageError, match="ids up to 300"):
        datasets.folder(root)
    samples = datasets.folder(root, values={0: 0, "1-65535": 1})
    assert samples[0]["label"].tolist() == [[0, 1, 1], [1, 1, 1]]


def test_colour_coded_masks_give_ids_and_class_colours(tmp_path):
    colors = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    write_image(tmp_path / "images/a.png", np.zeros((2, 3, 3), np.uint8))
    write_image(tmp_path / "labels/a.png", np.array(colors, np.uint8)[LABEL])
    samples = datasets.folder(tmp_path, colors=colors)
    np.testing.assert_array_equal(samples[0]["label"], LABEL)
    assert samples.colors == tuple(colors)


@pytest.mark.parametrize(
    "name, lines",
    [
        ("class_dict.csv", "name,r,g,b\nsky,9,9,99\nroad,200,0,0\n"),
        ("class_dict_seg.csv", "name, r, g, b\nsky, 9, 9, 99\nroad, 200, 0, 0\n"),
        ("label_colors.txt", "9 9 99\tsky\n200 0 0\troad\n"),
    ],
)
def test_a_table_of_colours_beside_masks_is_read(tmp_path, name, lines):
    table = np.array([(9, 9, 99), (200, 0, 0)], np.uint8)
    ids = np.array([[0, 1], [1, 0]])
    write_image(tmp_path / "images/a.png", np.zeros([2, 2, 3], np.uint8))
    write_image(tmp_path / "labels/a.png", table[ids])
    (tmp_path / name).write_text(lines)
    samples = datasets.folder(tmp_path)
    assert samples.classes == ("sky", "road")
    np.testing.assert_array_equal(samples[0]["label"], ids)
    write_mask(tmp_path / "labels/a.png", ids)  # ids, beside a table that is not needed
    np.testing.assert_array_equal(datasets.folder(tmp_path)[0]["label"], ids)


def test_a_wrong_row_of_a_table_of_colours_is_named(tmp_path):
    write_image(tmp_path / "images/a.png", np.zeros([2, 2, 3], np.uint8))
    write_image(tmp_path / "labels/a.png", np.eye(2, 3).astype("uint8")[None] * 200)
    (tmp_path / "class_dict.csv").write_text("name,r,g,b\nsky,9,9,999\n")
    with pytest.raises(ImageError, match=r"class_dict.csv.* line 2: 'sky', 9, 9, 999"):
        datasets.folder(tmp_path)


def test_the_palette_of_voc_is_known(tmp_path):
    write_image(tmp_path / "images/a.png", np.zeros([1, 3, 3], np.uint8))
    colors = [[(0, 0, 0), (128, 0, 0), (0, 128, 0)]]
    write_image(tmp_path / "labels/a.png", np.array(colors, np.uint8))
    with pytest.raises(ImageError, match=r"\(128, 0, 0\): 1, \(0, 128, 0\): 2"):
        datasets.folder(tmp_path)


def test_a_mask_of_another_size_is_refused_when_read(draw):
    root = draw("images/a.png", "labels/a.png", label=LABEL.T)
    with pytest.raises(ImageError, match=r"2 x 3. Received: 3 x 2.*EXIF"):
        datasets.folder(root)[0]


def test_channels_are_those_asked_for(draw):
    root = draw("images/a.png", "labels/a.png")
    assert datasets.folder(root, channels=1)[0]["image"].shape == (2, 3, 1)


def test_impossible_fractions_are_refused(tmp_path):
    with pytest.raises(ValueError, match="between 0 and 1"):
        datasets.folder(tmp_path, "val", val_fraction=1)


def test_retinal_vessels_read_as_they_are(data_root):
    samples = datasets.folder(data_root("chase_db1"))
    assert len(samples) == 20
    assert samples[0]["image"].shape == (960, 999, 3)
    assert np.unique(samples[0]["label"]).tolist() == [0, 1]


def test_nested_video_frames_read_as_they_are(data_root):
    samples = datasets.folder(data_root("davis"), values={0: 0, 255: 1})
    assert len(samples) == 150
    assert "480p/dog/00000" in samples.names


def test_a_rare_class_is_on_both_sides_of_an_automatic_split(tmp_path):
    # By their hashes alone all five of 40 would be in "train".
    names = [f"part_{number:03d}" for number in range(40)]
    ranks = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    defects = sorted(names, key=ranks.get)[-5:]
    for name in names:
        write_image(tmp_path / f"images/{name}.png", np.zeros([4, 4, 3], "uint8"))
        mask = np.eye(4, dtype="uint8") * (name in defects)
        write_mask(tmp_path / f"labels/{name}.png", mask)
    train, val = (datasets.folder(tmp_path, side) for side in ("train", "val"))
    assert sorted(train.names + val.names) == names
    assert len({*val.names} & {*defects}) == 1
    assert train.classes == val.classes == ("class 0", "class 1")
    by_hash = {name for name in names if int(ranks[name][:16], 16) < 0.2 * 2**64}
    assert {*val.names} == by_hash | {defects[0]}  # no other sample changed sides


def test_a_mask_that_cannot_be_read_stops_its_sample_only(tmp_path):
    for number in range(4):
        write_image(tmp_path / f"images/{number}.png", np.zeros([4, 4, 3], "uint8"))
        write_mask(tmp_path / f"labels/{number}.png", np.eye(4, dtype="uint8"))
    (tmp_path / "labels/2.png").write_bytes(b"no image")
    samples = datasets.folder(tmp_path)
    assert len(samples) == 4 and samples[3]["label"].sum() == 4
    with pytest.raises(ImageError, match=r"2\.png"):
        samples[2]


@pytest.mark.parametrize("key", ["255, 0, 0", "(255, 0, 0)", "#ff0000", "255 0 0"])
def test_colors_may_be_strings_as_in_a_recipe(tmp_path, key):
    write_image(tmp_path / "images/a.png", np.zeros([1, 2, 3], "uint8"))
    mask = np.array([[[0, 0, 0], [255, 0, 0]]], "uint8")
    write_image(tmp_path / "labels/a.png", mask)
    samples = datasets.folder(tmp_path, colors={"0,0,0": 0, key: 1})
    assert samples[0]["label"].tolist() == [[0, 1]]
    assert samples.colors == ((0, 0, 0), (255, 0, 0))
    with pytest.raises(ValueError, match='keys like "255, 0, 0"'):
        datasets.folder(tmp_path, colors={"red": 1})


def test_masks_whose_palettes_contradict_each_other_are_refused(tmp_path):
    """Each file numbers its colours anew, as editors of pictures do."""
    red, blue = (255, 0, 0), (0, 0, 255)
    for name, colors in {"a": (red, blue), "b": (blue, red)}.items():
        write_image(tmp_path / f"images/{name}.png", np.zeros([4, 5, 3], "uint8"))
        mask = Image.fromarray(np.eye(4, 5).astype("uint8"), mode="P")
        mask.putpalette([level for color in colors for level in color])
        (tmp_path / "labels").mkdir(exist_ok=True)
        mask.save(tmp_path / f"labels/{name}.png")
    with pytest.raises(ImageError, match="palettes of their own") as error:
        datasets.folder(tmp_path)
    table = {blue: 0, red: 1}
    assert f"--set 'data.colors={table}'" in str(error.value)
    labels = [one["label"] for one in datasets.folder(tmp_path, colors=table)]
    np.testing.assert_array_equal(labels[0], 1 - np.eye(4, 5))
    np.testing.assert_array_equal(labels[1], np.eye(4, 5))
    assert len(datasets.folder(tmp_path, classes=2)) == 2  # as the numbers say


def test_masks_are_opened_once_for_their_numbers(tmp_path, monkeypatch):
    """By both sides of a split, and with their palettes."""
    opened = []

    def counted(path, *rest):
        opened.append(path)
        return content.read_bytes(path, *rest)

    monkeypatch.setattr(_mask_numbers, "read_bytes", counted)
    for side in ("train", "val"):
        for name in ("a", "b"):
            write_image(
                tmp_path / f"{side}/images/{name}.png", np.zeros([4, 5, 3], "u1")
            )
            write_mask(tmp_path / f"{side}/labels/{name}.png", np.eye(4, 5, dtype="u1"))
    for side in ("train", "val"):
        assert len(datasets.folder(tmp_path, side).classes) == 2
    assert len(opened) == len({*opened}) == 4
    # A file that changed is read again.
    write_mask(tmp_path / "val/labels/a.png", np.eye(4, 5, dtype="u1") * 2)
    assert len(datasets.folder(tmp_path, "train").classes) == 3


def test_masks_beside_photographs_have_the_same_name(draw):
    names = [f"{side}/{name}" for side in ("train", "val") for name in "ab"]
    root = draw(*(f"{name}.JPG" for name in names))
    for number, name in enumerate(names):
        write_mask(root / f"{name}.png", np.full([2, 3], number % 2))
    assert datasets.find_format(root).name == "folder"
    for side in ("train", "val"):
        samples = datasets.folder(root, side)
        assert samples.names == ("a", "b")
        assert [int(one["label"].max()) for one in samples] == [0, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"values": {0: 0, 1: 1.5}},
        {"values": {0: 0, 1: "cell"}},
        {"values": "0:0,255:1"},
        {"colors": "#000000,#ffffff"},
    ],
)
def test_malformed_maps_of_classes_are_refused_before_masks_are_read(draw, options):
    root = draw("images/a.png", "masks/a.png")
    with pytest.raises(ValueError, match=r"must (map|give class ids).*Received"):
        datasets.folder(root, **options)
