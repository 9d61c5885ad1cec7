"""The notebooks run from top to bottom, with the public API only."""

import os
import pathlib
import sys

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
MOST_LINES = 15  # of a cell: a longer one asks for a better API
MOST_BYTES = 4_500_000  # of all notebooks: every clone loads them


def is_picture(cell):
    return any(
        "image/" in str(output.get("data")) for output in cell.get("outputs", ())
    )


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_cells_are_short_and_pictures_have_words_beside_them(path):
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert any(map(is_picture, code))
    assert "src" not in "".join(cell.source for cell in code)
    for before, cell, after in zip(cells, cells[1:], cells[2:]):
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        if is_picture(cell):
            assert "markdown" in (before.cell_type, after.cell_type), cell.source


def test_notebooks_with_their_outputs_stay_small():
    assert sum(path.stat().st_size for path in PATHS) < MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_notebook_runs_from_top_to_bottom(path, tmp_path):
    """Cells that take long are replaced by the text in their metadata, `fast`."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = cell.metadata.get("fast", cell.source)
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": programs}
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute(env={**os.environ, **environment})
