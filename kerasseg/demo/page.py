"""The page: what is shown, and what happens when something is pressed."""

import os
import pathlib
import tempfile

from kerasseg import images
from kerasseg.demo.clicks import corrected

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
    "this belongs to the object (GrabCut)": "object",
    "this does not": "not object",
    "one region for each click (watershed)": "region",
}
AREAS = ["class", "area px", "%"]
OBJECTS = ["id", "class", "area px", "x1", "y1", "x2", "y2", "score"]
MOST_STEPS = 20  # that can be undone: each keeps a label map
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
        earlier = gradio.State([])  # answers that a click has changed, for "Undo"
        with gradio.Row():
            with gradio.Column(scale=1):
                files = gradio.File(
                    file_count="multiple", label="Pictures", elem_id="pictures"
                )
                which = gradio.Dropdown([], label="Picture", visible=False)
                method = gradio.Dropdown([*segmenters], label="Method")
                alpha = gradio.Slider(0, 1, 0.45, step=0.05, label="Opacity")
            with gradio.Column(scale=3):
                # Beside the picture, also on a telephone, where columns are stacked.
                click = gradio.Radio(
                    [*CLICKS], value="nothing", label="A click into the picture says"
                )
                tolerance = gradio.Slider(
                    *(1, 80, 12), step=1, label="Tolerance of growing", visible=False
                )
                with gradio.Row():
                    undo = gradio.Button("Undo", size="sm", min_width=80)
                    again = gradio.Button("Begin again", size="sm", min_width=80)
                words = gradio.Markdown("No picture yet.", elem_id="words")
                view = gradio.Image(
                    label="Result",
                    interactive=False,
                    elem_id="view",
                    buttons=["download", "fullscreen"],  # nothing to share with others
                )
                classes, objects = _table("Classes", AREAS), _table("Objects", OBJECTS)
                downloads = gradio.File(
                    label="Mask, cut-out, COCO", elem_id="downloads"
                )
        shown = [answer, earlier, folder, words, view, classes, objects, downloads]
        files.change(_choices, files, which)
        for event in (which.change, method.change, again.click):
            event(segment, [which, method, alpha, folder], shown)
        alpha.change(_tint, [answer, alpha], view)
        click.change(_with_tolerance, click, tolerance)
        state = [answer, earlier, folder, alpha, which]
        view.select(_click, [*state, click, tolerance], shown)
        undo.click(_undo, state, shown)
    return page


def _table(label, headers):
    return gradio.Dataframe(headers=headers, label=label, interactive=False)


def _choices(paths):
    """The menu of pictures: the first is chosen."""
    names = [(pathlib.Path(path).name, path) for path in paths or ()]
    first = names[0][1] if names else None
    return gradio.Dropdown(names, value=first, visible=len(names) > 1)


def _with_tolerance(click):
    return gradio.Slider(visible=CLICKS[click] == "grow")


def _segment(segmenters):
    def segment(path, method, alpha, folder):
        if path is None:
            return None, [], folder, "No picture yet.", None, [], [], None
        try:
            answer = segmenters[method](images.read_image(path, channels=None))
        except (ValueError, OSError, MemoryError) as error:
            # Not by its path, which is that of the server's copy.
            text = str(error).replace(str(path), pathlib.Path(path).name)
            return None, [], folder, f"**{text}**", None, [], [], None
        return _shown(answer, [], folder, alpha, path)

    return segment


def _shown(answer, earlier, folder, alpha, path):
    folder = folder or tempfile.mkdtemp(prefix="kerasseg-")
    name = pathlib.Path(path).stem
    height, width = answer.label.shape
    num = len(answer.found.objects)
    words = (
        f"{width} x {height} px, {num} object{'s' * (num != 1)}, {answer.seconds:.2f} s"
    )
    if answer.clicks:
        num = len(answer.clicks)
        words += f", corrected by {num} click{'s' * (num != 1)}"
    written = answer.write(folder, name)
    picture = answer.picture(alpha)
    rows = answer.classes(), answer.objects()
    return answer, earlier, folder, words, picture, *rows, written


def _tint(answer, alpha):
    return None if answer is None else answer.picture(alpha)


def _said(words):
    """The page as it is, under other words."""
    return [*[gradio.skip()] * 3, words, *[gradio.skip()] * 4]


def _click(
    answer, earlier, folder, alpha, path, click, tolerance, event: gradio.SelectData
):
    if answer is None:
        return _said(gradio.skip())
    if CLICKS[click] is None:
        return _said("Choose above what a click into the picture says.")
    column, row = event.index[:2]
    try:
        changed = corrected(answer, row, column, CLICKS[click], tolerance=tolerance)
    except ValueError as error:
        return _said(f"**{error}**")
    earlier = [*earlier, answer][-MOST_STEPS:]
    return _shown(changed, earlier, folder, alpha, path)


def _undo(answer, earlier, folder, alpha, path):
    if not earlier:
        return _said(gradio.skip() if answer is None else "There is nothing to undo.")
    return _shown(earlier[-1], earlier[:-1], folder, alpha, path)
