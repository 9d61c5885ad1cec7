import pytest

from kerasseg import recipes
from tests.recipes.small import write

LIST = """
[model]
architecture = "unet"
encoder = "tiny"
[data]
dataset = "shapes"
train = {num = 4, size = 64, seed = 1}
val = {num = 2, size = 64, seed = 2}
balance = "classes"
[[augment]]
name = "geometry"
size = [32, 32]
focus = 0.5
[[augment]]
name = "cutmix"
"""


def test_augmentations_are_applied_in_their_order(tmp_path):
    recipe = recipes.read(write(tmp_path, LIST))
    assert [options["name"] for options in recipe["augment"]] == ["geometry", "cutmix"]
    assert recipes.build_augment(recipe).partners == 1
    again = recipes.read(write(tmp_path, recipes.dump(recipe)))
    assert again == recipe


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"cutmix"', '"cutmx"', "cutmix"),
        ('"classes"', '"class"', "balance"),
        ("focus = 0.5", 'focus = "much"', "line 13.*`focus` must be a number"),
    ],
)
def test_mistakes_are_named(tmp_path, old, new, message):
    with pytest.raises(recipes.RecipeError, match=message):
        recipes.read(write(tmp_path, LIST.replace(old, new)))
