"""Objects of tiles: what is cut, dropped and joined."""

import numpy as np
import pytest

from kerasseg.predict.merging import TileObject, merge, objects_in_tile

SIZE = (40, 100)
LEFT, RIGHT = (0, 0, 60, 40), (40, 0, 100, 40)


def part(span, tile, *, class_id=0, score=0.9, is_cut=False):
    x1, y1, x2, y2 = span
    mask = np.ones([y2 - y1, x2 - x1], bool)
    box = tuple(map(float, span))
    return TileObject(box, class_id, score, span, mask, tile, is_cut)


def spans(found):
    """Boxes around the masks, best first."""
    return [
        [int(np.flatnonzero(mask.any(axis))[end]) for axis in (0, 1) for end in (0, -1)]
        for mask in found.masks
    ]


def test_an_object_that_two_tiles_show_whole_is_one():
    twice = [
        part((42, 5, 56, 20), LEFT, score=0.7),
        part((42, 5, 55, 20), RIGHT, score=0.8),
    ]
    found = merge(twice, SIZE)
    assert found.scores.tolist() == [np.float32(0.8)]
    assert found.boxes.tolist() == [[42, 5, 55, 20]]


def test_objects_of_two_classes_at_one_place_are_two():
    both = [part((42, 5, 56, 20), LEFT), part((42, 5, 56, 20), RIGHT, class_id=1)]
    assert len(merge(both, SIZE)) == 2


def test_objects_of_one_tile_stay_as_its_model_left_them():
    both = [part((42, 5, 56, 20), LEFT), part((42, 5, 56, 21), LEFT)]
    assert len(merge(both, SIZE)) == 2


def test_a_part_is_dropped_where_another_tile_shows_the_whole():
    whole = part((45, 5, 75, 20), RIGHT, score=0.6)
    cut = part((45, 5, 60, 20), LEFT, score=0.9, class_id=2, is_cut=True)
    found = merge([whole, cut], SIZE)
    assert spans(found) == [[45, 74, 5, 19]] and found.classes.tolist() == [0]


def test_a_poor_whole_object_does_not_drop_a_good_part():
    whole = part((45, 5, 75, 20), RIGHT, score=0.1)
    cut = part((45, 5, 60, 20), LEFT, score=0.9, is_cut=True)
    assert len(merge([whole, cut], SIZE)) == 2


@pytest.mark.parametrize(
    "right, expected",
    [
        ([], 0),  # the right tile shows all of the part and found nothing
        ([(45, 5, 48, 20)], 0),  # or too little
        ([(45, 5, 100, 20)], 1),  # it goes on there
    ],
)
def test_a_part_that_a_tile_shows_and_did_not_find_is_dropped(right, expected):
    cut = part((45, 5, 60, 20), LEFT, is_cut=True)
    others = [part(span, RIGHT, is_cut=True) for span in right]
    far = part((90, 30, 95, 35), RIGHT)
    tiles = [LEFT, (40, 0, 120, 40)]  # which reaches beyond the image
    assert len(merge([cut], SIZE)) == 1
    found = merge([cut, *others, far], SIZE, tiles)
    left = [one for one in spans(found) if one[0] == 45 and one[1] > 47]
    assert len(left) == expected


def test_a_part_that_only_its_tile_shows_stays():
    cut = part((30, 5, 60, 20), LEFT, is_cut=True)
    assert len(merge([cut], SIZE, [LEFT, RIGHT])) == 1


def test_parts_that_no_tile_shows_whole_are_joined():
    parts = [
        part((10, 5, 60, 20), LEFT, score=0.5, is_cut=True),
        part((40, 6, 90, 21), RIGHT, score=0.8, class_id=1, is_cut=True),
    ]
    found = merge(parts, SIZE)
    assert len(found) == 1
    assert found.boxes.tolist() == [[10, 5, 90, 21]]
    assert found.classes.tolist() == [1]
    assert found.masks.sum() == 50 * 15 * 2 - 20 * 14  # two rectangles and their share


def test_neighbours_that_are_both_cut_are_not_joined():
    upper = part((10, 0, 60, 10), LEFT, is_cut=True)
    lower = part((40, 9, 90, 30), RIGHT, is_cut=True)
    assert len(merge([upper, lower], SIZE)) == 2


def test_no_part_gives_no_instance_of_the_right_size():
    found = merge([], SIZE)
    assert len(found) == 0 and found.masks.shape == (0, *SIZE)
    assert found.to_label_map().shape == SIZE


def outputs(*boxes, grid=(4, 8), scores=None):
    """Boxes on a mask grid of stride 4, filled."""
    masks = np.zeros([len(boxes), *grid], "float32")
    for mask, (x1, y1, x2, y2) in zip(masks, boxes):
        mask[y1 // 4 : y2 // 4, x1 // 4 : x2 // 4] = 1
    return {
        "boxes": np.array(boxes, "float32"),
        "classes": np.zeros(len(boxes), "int32"),
        "scores": np.array(scores or [0.9] * len(boxes), "float32"),
        "masks": masks,
        "num": len(boxes),
    }


@pytest.mark.parametrize(
    "box, is_cut, num_corners",
    [
        ((8, 4, 20, 12), False, 4),
        ((0, 0, 8, 8), False, 1),  # the border of the image
        ((20, 4, 32, 12), True, 2),  # the right border of the tile
        ((8, 20, 20, 32), True, 2),  # the lower one
    ],
)
def test_what_touches_an_inner_border_is_cut(box, is_cut, num_corners):
    one = outputs(box, grid=(8, 8))
    (found,) = objects_in_tile(one, (0, 0, 32, 32), (100, 100))
    assert found.is_cut is is_cut and found.box == box
    x1, y1, x2, y2 = found.span
    assert (x1, y1, x2, y2) == box
    # Bilinear enlargement takes a pixel from each corner within the tile.
    assert found.mask.sum() == (x2 - x1) * (y2 - y1) - num_corners


def test_a_tile_that_reaches_beyond_the_image_ends_there():
    (found,) = objects_in_tile(outputs((8, 4, 32, 16)), (0, 0, 32, 16), (10, 20))
    assert found.span == (8, 4, 20, 10) and found.box == (8, 4, 20, 10)
    assert not found.is_cut


def test_what_scores_less_or_has_no_pixel_is_left_out():
    found = outputs((0, 0, 8, 8), (8, 8, 16, 16), scores=[0.9, 0.2])
    assert len(objects_in_tile(found, (0, 0, 32, 16), SIZE, score_threshold=0.5)) == 1
    found["masks"][:] = 0.4
    assert not objects_in_tile(found, (0, 0, 32, 16), SIZE)
