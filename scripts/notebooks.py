"""Run notebooks from top to bottom, and keep their outputs in them.

    python scripts/notebooks.py                       # all
    python scripts/notebooks.py notebooks/03_*.ipynb

Pictures are kept as JPEG of up to 1000 px, so that all notebooks together stay small;
what goes to the error stream (TensorFlow's words at its start) is left out. Tests run
them, too, with the text in the metadata `fast` of a cell in place of its source.
"""

import base64
import io
import os
import pathlib
import sys
import tempfile

import nbclient
import nbformat
from PIL import Image

FOLDER = pathlib.Path(__file__).parents[1] / "notebooks"
MOST_PX, QUALITY = 1000, 75


def run(path):
    """Run a notebook in an empty folder, and write it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        client = nbclient.NotebookClient(
            notebook, timeout=1800, kernel_name="python3", resources=where
        )
        client.execute(env=environment())
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [kept(one) for one in joined(cell.outputs)]
    nbformat.write(notebook, path)


def environment():
    """Of the kernel: this Python's `kerasseg` command is the one that `!` finds."""
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return {**os.environ, "PATH": programs, "TF_CPP_MIN_LOG_LEVEL": "2"}


def joined(outputs):
    """Outputs without the error stream, and with neighbouring texts as one."""
    result = []
    for one in outputs:
        if one.output_type != "stream":
            result.append(one)
        elif one.name == "stdout":
            if result and result[-1].output_type == "stream":
                result[-1].text += one.text
            else:
                result.append(one)
    return result


def kept(output):
    """An output with its picture as a small JPEG."""
    data = output.get("data", {})
    if "image/png" in data:
        picture = Image.open(io.BytesIO(base64.b64decode(data.pop("image/png"))))
        picture = picture.convert("RGB")
        picture.thumbnail([MOST_PX, MOST_PX * 2], Image.Resampling.LANCZOS)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=QUALITY, optimize=True)
        data["image/jpeg"] = base64.b64encode(file.getvalue()).decode()
    return output


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(FOLDER.glob("*.ipynb")):
        run(pathlib.Path(name))
        print(name, f"{os.path.getsize(name) / 1e3:.0f} kB")
