"""Colours of Pascal VOC's classes, against those that VOC has published."""

from kerasseg.images import palettes

# As the development kit of VOC2012 shows them.
PERSON, MONITOR, VOID = (192, 128, 128), (0, 64, 128), (224, 224, 192)


def test_colours_are_those_of_voc():
    found = palettes.palette()
    assert found.shape == (256, 3) and found.dtype == "uint8"
    rows = {0: (0, 0, 0), 1: (128, 0, 0), 15: PERSON, 20: MONITOR, 255: VOID}
    for class_id, color in rows.items():
        assert tuple(found[class_id].tolist()) == color
    assert len({tuple(row) for row in found.tolist()}) == 256


def test_vocs_colours_get_vocs_ids_and_borders_are_ignored():
    assert palettes.ids_of_palette([VOID, MONITOR, PERSON]) == {
        PERSON: 15,
        MONITOR: 20,
        VOID: 255,
    }


def test_one_other_colour_makes_all_of_them_others():
    colors = [PERSON, (1, 2, 3), (0, 0, 0)]
    expected = {(0, 0, 0): 0, (1, 2, 3): 1, PERSON: 2}
    assert palettes.ids_of_palette(colors) == expected
