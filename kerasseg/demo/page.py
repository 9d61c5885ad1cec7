"""The page: what is shown, and what happens when something is pressed."""

import os
import pathlib
import tempfile

from kerasseg import images
from kerasseg.demo.answers import corrected

# Before gradio is imported: it tells nobody what is done here.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
try:
    import gradio
except ImportError as error:
    raise ImportError(
        "`kerasseg demo` needs gradio: pip install 'kerasseg[demo]'."
    ) from error

CLICKS = {
    "nothing": None,
    "grow a region": "grow",
    "this is the object (GrabCut)": "object",
    "this is not": "not object",
    "one region for each click (watershed)": "region",
}
# System fonts: the page must look right without a network.
LOOK = {"theme": gradio.themes.Default(font=["system-ui", "sans-serif"])}


def make(segmenters):
    """The page as `gradio.Blocks`.

    Args:
        segmenters: dict from names to functions of an image that return an `Answer`.
    """
    segment = _segment(segmenters)
    with gradio.Blocks(title="kerasseg", analytics_enabled=False) as page:
        gradio.Markdown(
            "## kerasseg\nDrop pictures, choose a method, click to correct."
        )
        answer, folder = gradio.State(), gradio.State()
        with gradio.Row():
            with gradio.Column(scale=1):
                files = gradio.File(
                    file_count="multiple", label="Pictures", elem_id="pictures"
                )
                which = gradio.Dropdown([], label="Picture", visible=False)
                method = gradio.Dropdown([*segmenters], label="Method")
                alpha = gradio.Slider(0, 1, 0.45, step=0.05, label="Opacity")
                click = gradio.Radio([*CLICKS], value="nothing", label="A click says")
                tolerance = gradio.Slider(
                    1, 80, 12, step=1, label="Tolerance of growing"
                )
                again = gradio.Button("Begin again")
            with gradio.Column(scale=3):
                words = gradio.Markdown("No picture yet.", elem_id="words")
                view = gradio.Image(
                    label="Result",
                    interactive=False,
                    elem_id="view",
                    buttons=["download", "fullscreen"],  # nothing to share with others
                )
                classes = gradio.Dataframe(
                    headers=["class", "area px", "%"],
                    label="Classes",
                    interactive=False,
                )
                objects = gradio.Dataframe(
                    headers=["id", "class", "area px", "x1", "y1", "x2", "y2", "score"],
                    label="Objects",
                    interactive=False,
                )
                downloads = gradio.File(
                    label="Mask, cut-out, COCO", elem_id="downloads"
                )
        shown = [answer, folder, words, view, classes, objects, downloads]
        files.change(_choices, files, which)
        for event in (which.change, method.change, again.click):
            event(segment, [which, method, alpha, folder], shown)
        alpha.change(_tint, [answer, alpha], view)
        view.select(_click, [answer, folder, click, tolerance, alpha, which], shown)
    return page


def _choices(paths):
    """The menu of pictures: the first is chosen."""
    names = [(pathlib.Path(path).name, path) for path in paths or ()]
    first = names[0][1] if names else None
    return gradio.Dropdown(names, value=first, visible=len(names) > 1)


def _segment(segmenters):
    def segment(path, method, alpha, folder):
        if path is None:
            return None, folder, "No picture yet.", None, [], [], None
        try:
            answer = segmenters[method](images.read_image(path, channels=None))
        except (ValueError, OSError, MemoryError) as error:
            return None, folder, f"**{error}**", None, [], [], None
        return _shown(answer, folder, alpha, path)

    return segment


def _shown(answer, folder, alpha, path):
    folder = folder or tempfile.mkdtemp(prefix="kerasseg-")
    name = pathlib.Path(path).stem
    height, width = answer.label.shape
    words = (
        f"{width} x {height} px, {len(answer.found.objects)} objects, "
        f"{answer.seconds:.2f} s"
    )
    written = answer.write(folder, name)
    picture = answer.picture(alpha)
    rows = answer.classes(), answer.objects()
    return answer, folder, words, picture, *rows, written


def _tint(answer, alpha):
    return None if answer is None else answer.picture(alpha)


def _click(answer, folder, click, tolerance, alpha, path, event: gradio.SelectData):
    if answer is None or CLICKS[click] is None:
        return [gradio.skip()] * 7
    column, row = event.index[:2]
    try:
        answer = corrected(answer, row, column, CLICKS[click], tolerance=tolerance)
    except ValueError as error:
        return [gradio.skip(), gradio.skip(), f"**{error}**", *[gradio.skip()] * 4]
    return _shown(answer, folder, alpha, path)
