"""The part of the installation that setup.cfg cannot say: recipes go into the wheel."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithRecipes(build_py):
    """Copies zoo/NAME/recipe.toml to kerasseg/recipes/zoo/NAME, see recipes.named."""

    def run(self):
        super().run()
        if self.editable_mode:  # the recipes lie beside the package
            return
        for path in sorted(pathlib.Path("zoo").glob("*/recipe.toml")):
            target = pathlib.Path(self.build_lib, "kerasseg", "recipes", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithRecipes})
