import numpy as np
import pytest

from kerasseg import datasets
from kerasseg.images import ImageError, write_image, write_mask


@pytest.fixture
def films(tmp_path):
    for film, start, num in (("camel", 0, 3), ("dog", 5, 2)):
        for index in range(start, start + num):
            name = f"480p/{film}/{index:05d}"
            write_image(tmp_path / f"JPEGImages/{name}.jpg", np.zeros([8, 9], "uint8"))
            mask = np.zeros([8, 9], "uint8")
            mask[:2] = 255
            write_mask(tmp_path / f"Annotations/{name}.png", mask)
    return tmp_path


def names(*args, **options):
    return datasets.davis(*args, **options).names


def test_first_frames_and_the_rest_are_all(films):
    assert names(films, "first") == ("camel/00000", "dog/00005")
    assert names(films, "rest") == ("camel/00001", "camel/00002", "dog/00006")
    assert len(names(films)) == 5


def test_one_film_or_all_but_one(films):
    assert names(films, "first", film="dog") == ("dog/00005",)
    assert names(films, film="-dog") == tuple(f"camel/0000{i}" for i in range(3))
    sample = datasets.davis(films, film="dog")[0]
    assert sample["label"].sum() == 18 and sample["classes"].tolist() == [1]


def test_films_stay_on_one_side_of_a_split_by_rule(films):
    sides = [{n.split("/")[0] for n in names(films, x)} for x in ("train", "val")]
    assert sides[0] | sides[1] == {"camel", "dog"} and not sides[0] & sides[1]


def test_a_film_that_is_not_there_is_told_with_the_nearest(films):
    with pytest.raises(ImageError, match="Did you mean 'camel'"):
        datasets.davis(films, film="camels")
    with pytest.raises(ImageError, match="a film: camel, dog"):
        datasets.davis(films, film="-horse")
