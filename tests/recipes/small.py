"""A recipe that builds in a moment, and files of recipes."""

TINY = [
    "data.train={num=4, size=32, seed=1}",
    "data.val={num=2, size=32, seed=2}",
    "augment.size=[32, 32]",
    "model.base_filters=4",
]


def write(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path
