"""The doctor: every planted fault is found, named and mended; sound data are not."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kerasseg import datasets
from kerasseg.images import read_image, read_mask, write_image, write_mask

SIZE = (96, 128)


def picture(rng):
    """Smooth colours and fine structure."""
    coarse = cv2.resize(rng.uniform(40, 200, [6, 6, 3]), SIZE[::-1])
    fine = cv2.resize(rng.normal(0, 40, [24, 32, 1]), SIZE[::-1])[..., None]
    return np.clip(coarse + fine, 0, 255).astype("uint8")


def label(number):
    """Two classes and the background."""
    mask = np.zeros(SIZE, "uint8")
    mask[20:60, 10 + number : 50 + number] = 1
    mask[60:90, 70:110] = 2
    return mask


@pytest.fixture
def root(tmp_path, rng):
    """A sound data set of twelve images for training and six for validation."""
    tmp_path = tmp_path / "data"
    for number in range(18):
        write_image(tmp_path / f"images/{number:02d}.png", picture(rng))
        write_mask(tmp_path / f"labels/{number:02d}.png", label(number))
    for side, numbers in (("train", range(12)), ("val", range(12, 18))):
        names = "\n".join(f"{number:02d}" for number in numbers)
        (tmp_path / f"{side}.txt").write_text(names)
    return tmp_path


def examined(root, **options):
    """The examination of a folder, also where its samples cannot be made."""
    sides, errors = {}, []
    for side in ("train", "val"):
        try:
            sides[side] = datasets.folder(root, side, channels=None, **options)
        except ValueError as error:
            errors.append(error)
    classes = next(iter(sides.values())).classes if sides else ()
    listed = len(classes) if (root / "classes.txt").is_file() else None
    found = datasets.examine(
        sides, root=root, raw=not options, num_classes=listed, errors=errors
    )
    return sides, found


def mend(root, out, found, sides):
    """Repair into a folder."""

    def read(facts):
        samples = sides[facts.side]
        return samples[samples.names.index(facts.name)]

    return datasets.repair(found, out, read=read)


def through_jpeg(mask):
    return cv2.imdecode(cv2.imencode(".jpg", mask, [1, 60])[1], 0)


def rotated(root, number=3):
    """A photograph that EXIF turns; its mask lies as the picture is stored."""
    path = root / f"images/{number:02d}.png"
    image = read_image(path)
    exif = Image.Exif()
    exif[274] = 6
    stored = np.ascontiguousarray(np.rot90(image))
    Image.fromarray(stored).save(path, exif=exif)
    mask = np.ascontiguousarray(np.rot90(read_mask(root / f"labels/{number:02d}.png")))
    write_mask(root / f"labels/{number:02d}.png", mask)


def rotated_soundly(root):
    path = root / "images/03.png"
    exif = Image.Exif()
    exif[274] = 6
    stored = np.ascontiguousarray(np.rot90(read_image(path)))
    Image.fromarray(stored).save(path, exif=exif)


def masks(change, numbers=range(18)):
    def plant(root):
        for number in numbers:
            change(root / f"labels/{number:02d}.png", label(number))

    return plant


def images(change, numbers=(3,)):
    def plant(root):
        for number in numbers:
            path = root / f"images/{number:02d}.png"
            change(path, read_image(path))

    return plant


def to_jpeg(path, mask):
    path.unlink()
    write_image(path.with_suffix(".jpg"), (mask > 0) * np.uint8(255))


def to_objects(path, mask):
    cells = np.kron(np.arange(1, 13).reshape(3, 4), np.ones([20, 20], int))
    ids = np.zeros(SIZE, int)
    ids[10:70, 10:90] = cells
    ids[9:70:20] = ids[:, 9:90:20] = 0
    write_mask(path, ids)


def to_colors(path, mask):
    write_image(path, np.array([[0, 0, 0], [200, 30, 0], [0, 90, 200]], "uint8")[mask])


COLORS = np.array([[0, 0, 0], [200, 30, 0], [0, 90, 200]], "uint8")


def colors_to_jpeg(path, mask):
    path.unlink()
    cv2.imwrite(str(path.with_suffix(".jpg")), COLORS[mask][..., ::-1], [1, 85])


def smooth_colors(path, mask):
    write_image(path, cv2.blur(COLORS[mask], (3, 3)))


def with_alpha(path, image):
    alpha = np.full(SIZE, 255, "uint8")
    alpha[:40] = 0
    Image.fromarray(np.dstack([image, alpha])).save(path)


def mask_in_alpha(path, mask):
    picture = np.full([*mask.shape, 4], 255, "uint8")
    picture[..., 3] = (mask > 0) * 255
    Image.fromarray(picture).save(path)


def palette_of_its_own(path, mask):
    """Indices in an order that differs from file to file, as editors save them."""
    order = np.roll([0, 1, 2], int(path.stem) % 3)
    colors = np.zeros([256, 3], "uint8")
    colors[order] = [(0, 0, 0), (255, 0, 0), (0, 0, 255)]
    picture = Image.fromarray(order[mask].astype("uint8"), "L")
    picture.putpalette(colors.tobytes())
    picture.save(path)


def deep(path, image):
    write_image(path, image.astype("uint16") * 16)


def cut(path, _):
    path.write_bytes(path.read_bytes()[:90])


def copy_across(root):
    image = read_image(root / "images/02.png")
    write_image(root / "images/15.png", np.clip(image * 1.1, 0, 255).astype("uint8"))


def nothing_in_val(root):
    for number in range(12, 18):
        write_mask(root / f"labels/{number:02d}.png", label(number) % 2)


def black_and_white(path, mask):
    write_image(path, (mask > 0) * np.uint8(255))


def smoothed(path, mask):
    write_image(path, cv2.blur((mask > 0) * np.uint8(255), (3, 3)))


def halved(path, mask):
    write_image(path, mask[::2, ::2])


def ids_to_jpeg(path, mask):
    path.unlink()
    write_image(path.with_suffix(".jpg"), mask * np.uint8(9))


def with_a_slip(path, mask):
    write_image(path, np.where(mask == 2, 77, mask).astype("uint8"))


def with_a_rare_class(path, mask):
    write_image(path, np.where(mask == 1, 3, mask).astype("uint8"))


def five_times_larger(root):
    for folder, kind in (("images", cv2.INTER_LINEAR), ("labels", cv2.INTER_NEAREST)):
        path = str(root / folder / "03.png")
        stored = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        cv2.imwrite(path, cv2.resize(stored, None, fx=5, fy=5, interpolation=kind))


def with_an_unused_class(root):
    (root / "classes.txt").write_text("ground\ncat\ndog\nunicorn")


def counted_from_one(names, shift):
    def plant(root):
        masks(lambda path, mask: write_mask(path, mask + shift))(root)
        if names:
            (root / "classes.txt").write_text(names)

    return plant


# Kind of finding, severity, function that plants it, and whether it is mended.
FAULTS = {
    "0 and 255": ("black and white", "fault", masks(black_and_white), True),
    "one of 0 and 255": ("black and white", "fault", masks(black_and_white, [5]), True),
    "colours": ("colours", "fault", masks(to_colors), True),
    "jpeg": ("blurred", "fault", masks(to_jpeg), True),
    "smoothed": ("blurred", "fault", masks(smoothed), True),
    "colours, jpeg": ("blurred colours", "fault", masks(colors_to_jpeg), True),
    "colours, smoothed": ("blurred colours", "fault", masks(smooth_colors), True),
    "one smoothed": ("blurred", "fault", masks(smoothed, [5]), True),
    "ids as jpeg": ("lossy", "fault", masks(ids_to_jpeg, [5]), True),
    "alpha of masks": ("mask in alpha", "fault", masks(mask_in_alpha), True),
    "palettes": ("palettes", "fault", masks(palette_of_its_own), True),
    "objects": ("objects", "fault", masks(to_objects), True),
    "from 1": ("from one", "fault", counted_from_one("road\ncar\nsky", 1), True),
    "no background": ("from one", "fault", counted_from_one("car\nsky", 0), True),
    "from 1, counted": ("from one", "warning", counted_from_one("", 1), False),
    "from 1, maybe": (
        "from one",
        "warning",
        counted_from_one("road\ncar\nsky\nsea", 1),
        False,
    ),
    "a slip": ("ids", "fault", masks(with_a_slip, [5]), True),
    "smaller": (
        "sizes",
        "fault",
        masks(lambda p, m: write_image(p, m[::2, ::2])),
        True,
    ),
    "mask unturned": ("sizes", "fault", rotated, True),
    "turned": ("rotated", "warning", rotated_soundly, True),
    "cut off": ("unreadable", "fault", images(cut), True),
    "mask cut off": ("unreadable", "fault", masks(cut, [5]), True),
    "no mask": ("no label", "fault", lambda r: (r / "labels/04.png").unlink(), True),
    "no image": ("no image", "warning", lambda r: (r / "images/04.png").unlink(), True),
    "leak": ("leaks", "fault", copy_across, True),
    "alpha": ("alpha", "warning", images(with_alpha), True),
    "12 bits": ("value range", "fault", images(deep, range(18)), True),
    "mixed": (
        "number formats",
        "warning",
        images(lambda p, x: write_image(p, x * np.uint16(257))),
        False,
    ),
    "dark": (
        "brightness",
        "warning",
        images(lambda p, x: write_image(p, x // 12)),
        False,
    ),
    "large": ("image sizes", "warning", five_times_larger, False),
    "blank": ("blank", "warning", images(lambda p, x: write_image(p, x * 0)), False),
    "unused": ("empty classes", "warning", with_an_unused_class, False),
    "rare": ("rare classes", "warning", masks(with_a_rare_class, [3, 14]), False),
    "one side": ("classes of one side", "warning", nothing_in_val, False),
    "empty": ("nothing", "fault", masks(lambda p, m: write_mask(p, m * 0)), False),
}


def test_pictures_of_12_bits_are_not_blank(root):
    for path in root.rglob("images/*"):
        dim = read_image(path).astype("uint16")[..., 0] * 8
        write_image(path, dim)
    _, found = examined(root)
    assert [one.kind for one in found.findings] == ["value range", "object sizes"]


def test_a_sound_data_set_is_sound(root):
    _, found = examined(root)
    assert [one.kind for one in found.findings] == ["object sizes"]


@pytest.mark.parametrize("case", FAULTS)
def test_a_planted_fault_is_found_and_mended(root, case):
    kind, severity, plant, is_mended = FAULTS[case]
    plant(root)
    sides, found = examined(root)
    told = {one.kind: one for one in found.findings}
    assert kind in told, (told, [str(f.errors) for f in found.facts])
    assert told[kind].severity == severity
    assert len(told[kind].text) < 400
    if is_mended:
        out = root.with_name("mended")
        report = mend(root, out, found, sides)
        assert report["images"] >= 16
        _, again = examined(out)
        assert not again.faults, again.faults
        assert kind not in [one.kind for one in again.findings]


@pytest.mark.parametrize("change", [colors_to_jpeg, smooth_colors])
def test_colours_that_are_not_sharp_are_made_sharp(root, change):
    masks(change)(root)
    sides, found = examined(root)
    (one,) = [one for one in found.findings if one.severity == "fault"]
    assert "18 masks of 3 colours but" in one.text and one.text.count("%") == 1
    mend(root, root.with_name("mended"), found, sides)
    for number in range(18):
        mended = read_mask(root.with_name("mended") / f"labels/{number:02d}.png")
        wanted = np.array([0, 2, 1])[label(number)]  # black, blue, red
        assert (mended == wanted).mean() > 0.998  # corners are rounded


@pytest.mark.parametrize("shift", [0, 1])
def test_names_stay_with_their_pixels(root, shift):
    """Of ids from 1, and of a list that lacks the background."""
    counted_from_one("road\ncar\nsky" if shift else "car\nsky", shift)(root)
    sides, found = examined(root)
    mend(root, root.with_name("mended"), found, sides)
    (samples,) = [datasets.folder(root.with_name("mended"))]
    assert samples.classes == ("road" if shift else "background", "car", "sky")
    for index in range(18):
        assert np.array_equal(samples[index]["label"], label(index))


def test_blurred_pixels_are_counted(root):
    masks(smoothed)(root)
    _, found = examined(root)
    (one,) = [f for f in found.findings if f.kind == "blurred"]
    stored = [cv2.imread(str(path), 0) for path in (root / "labels").iterdir()]
    share = np.mean((np.stack(stored) > 0) & (np.stack(stored) < 255))
    assert f"{share:.1%}" in one.text


def test_colours_are_numbered_in_their_order(root):
    masks(to_colors)(root)
    sides, found = examined(root)
    mend(root, root.with_name("mended"), found, sides)
    mended = read_mask(root.with_name("mended") / "labels/07.png")
    # Black, blue, red.
    assert np.array_equal(mended, np.array([0, 2, 1])[label(7)])


def test_palettes_that_differ_are_read_by_their_colours(root):
    masks(palette_of_its_own)(root)
    sides, found = examined(root)
    mend(root, root.with_name("mended"), found, sides)
    for number in (6, 7, 8):
        mended = read_mask(root.with_name("mended") / f"labels/{number:02d}.png")
        # Black, blue, red.
        assert np.array_equal(mended, np.array([0, 2, 1])[label(number)])


def test_a_second_mask_is_told_where_no_samples_can_be_made(tmp_path, rng):
    for number in range(4):
        name = tmp_path / f"benign ({number})"
        write_image(f"{name}.png", picture(rng))
        black_and_white(f"{name}_mask.png", label(number))
    black_and_white(tmp_path / "benign (2)_mask_1.png", label(9))
    sides, found = examined(tmp_path)
    (one,) = [one for one in found.findings if one.kind == "second masks"]
    assert not sides and one.names == ["benign (2)_mask_1.png"]


def test_a_mask_in_alpha_is_taken_from_there(root):
    masks(mask_in_alpha)(root)
    sides, found = examined(root)
    mend(root, root.with_name("mended"), found, sides)
    mended = read_mask(root.with_name("mended") / "labels/07.png")
    assert np.array_equal(mended, label(7) > 0)


def test_a_turned_mask_is_turned_back(root):
    rotated(root)
    sides, found = examined(root)
    mend(root, root.with_name("mended"), found, sides)
    mended = read_mask(root.with_name("mended") / "labels/03.png")
    assert np.array_equal(mended, label(3))


REAL = {
    "camvid": (datasets.camvid, {}),
    "chase_db1": (datasets.folder, {}),
    "coco128": (datasets.coco, {}),
    "davis": (datasets.davis, {}),
    "dsb2018": (datasets.dsb2018, {}),
    "fruits_nuts": (datasets.coco, {}),
    "isbi2012": (datasets.isbi2012, {}),
    "magnetic_tile": (datasets.folder, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_no_false_alarm_on_real_data(data_root, name):
    read, options = REAL[name]
    root = data_root(name)
    sides = {side: read(root, side, **options) for side in ("train", "val")}
    found = datasets.examine(sides, raw=read is datasets.folder)
    assert not found.faults
