"""The notebooks run from top to bottom, with the public API only."""

import pathlib
import sys

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebook_runs_and_was_kept_with_its_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any("image/png" in str(cell.outputs) for cell in cells)
    assert "src" not in "".join(cell.source for cell in cells)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={}
    )
    client.execute(env={**__import__("os").environ, "PYTHONPATH": ":".join(sys.path)})
