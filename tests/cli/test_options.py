"""Flags of prediction: one meaning per name, whatever the task."""

import argparse
import dataclasses

import pytest

from kerasseg import tasks
from kerasseg.cli import options


def test_options_of_one_name_have_one_flag_and_type_in_all_tasks():
    seen = {}
    for task in tasks.TASKS.values():
        for field in dataclasses.fields(task.options):
            flag = field.metadata.get("name", field.name)
            assert seen.setdefault(field.name, (flag, field.type)) == (flag, field.type)


@pytest.mark.parametrize(
    ("typed", "flips", "pictures"),
    [
        ("a.png --flips", "horizontal", ["a.png"]),
        ("--flips a.png b.png", "horizontal", ["a.png", "b.png"]),
        ("--flips both a.png", "both", ["a.png"]),
        ("--flips=both a.png", "both", ["a.png"]),
        ("--flips horizontal a.png", "horizontal", ["a.png"]),
        ("--flips --crf a.png", "horizontal", ["a.png"]),
        ("a.png --no-flips", False, ["a.png"]),
        ("a.png", None, ["a.png"]),
    ],
)
def test_flips_stand_alone_or_with_a_word(typed, flips, pictures):
    parser = argparse.ArgumentParser()
    parser.add_argument("images", nargs="+")
    options.add_arguments(parser)
    found = parser.parse_args(options.with_words(typed.split()))
    assert found.images == pictures
    assert options.given(found).get("flips") == flips


def test_messages_are_told_in_flags():
    assert options.flags("Received: 'refine'. Known: tile_px.") == (
        "refine is --crf, tile_px is --tile"
    )
    assert options.flags("Received: 'x'. Known: refine, zoom.") == "refine is --crf"
    assert options.flags("`zoom` must refine `flips`.") == ""


def test_formats_of_the_flag_are_those_of_the_library():
    from kerasseg.export import formats

    assert {*options.EXPORTS} == {*formats.FORMATS, *formats.SAVED_MODEL}
