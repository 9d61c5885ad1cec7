"""Charts as files: learning curves and the confusion matrix."""

import numpy as np
import pytest
from skimage import io

from kerasseg import viz


def test_curves_draw_what_the_rows_hold(tmp_path):
    rows = [{"step": i, "loss": 1 / i, "learning_rate": 1e-3} for i in range(1, 400)]
    rows[10] |= {"loss": float("nan"), "mean_iou": 0.5, "is_best": True, "note": "text"}
    viz.curves(rows, tmp_path / "three.png")
    viz.curves(
        [{"step": 1, "loss": None}, {"step": 1, "loss": 2.0}], tmp_path / "one.png"
    )
    three, one = (io.imread(tmp_path / name) for name in ("three.png", "one.png"))
    assert three.shape[0] > 2 * one.shape[0] and three[..., :3].std() > 5


@pytest.mark.parametrize("rows", [[], [{"step": 1, "loss": None}], [{"loss": 1.0}]])
def test_curves_refuse_rows_without_numbers(rows, tmp_path):
    with pytest.raises(ValueError, match="must hold a 'step'"):
        viz.curves(rows, tmp_path / "curves.png")


def test_confusion_colors_the_share_of_each_row(tmp_path):
    # 99 % and 1 %; all wrong; no pixels: two dark cells and three grey ones of nine.
    viz.confusion([[99, 1, 0], [7, 0, 0], [0, 0, 0]], "abc", tmp_path / "c.png")
    picture = io.imread(tmp_path / "c.png")[..., :3].astype(int)
    grey = (picture == 237).all(-1).sum()
    dark = (np.abs(picture - [8, 48, 107]).max(-1) < 12).sum()
    assert 0.6 < dark / grey < 0.75  # 2 / 3, and the end of the colour bar


@pytest.mark.parametrize("num", [2, 25, 26, 60])
def test_confusion_takes_any_number_of_classes(num, tmp_path):
    viz.confusion(np.eye(num), [f"class ${i}$" for i in range(num)], tmp_path / "c.png")
    assert min(io.imread(tmp_path / "c.png").shape[:2]) > 250


def test_confusion_refuses_names_that_do_not_fit(tmp_path):
    with pytest.raises(ValueError, match=r"shape=\(2, 2\), 3 names"):
        viz.confusion(np.eye(2), "abc", tmp_path / "c.png")


def test_confusion_refuses_a_square_label_map():
    label = np.zeros([16, 16], int)
    label[4:12, 4:12] = 3
    with pytest.raises(
        ValueError, match=r"confusion_matrix\(labels, pred.*a label map"
    ):
        viz.confusion(label)


def test_scores_of_ones_own_are_drawn():
    rows = [{"step": 1, "loss": 1.0, "warmth": 0.5, "seconds": 3.0}]
    figure = viz.curves(rows, scores=["warmth"])
    assert [ax.get_legend_handles_labels()[1] for ax in figure.axes][1] == ["warmth"]


def test_curves_take_the_history_of_fit_and_return_a_figure():
    history = {
        "loss": [2.0, 1.0],
        "val_loss": [np.float32(3), 2.5],
        "mean_io_u": [0, 1],
    }
    fitted = type("History", (), {"history": history})()
    for given in (history, fitted):
        figure = viz.curves(given)
        lines = [[len(x.get_ydata()) for x in ax.lines] for ax in figure.axes]
        assert lines == [[2, 2], [2]]  # losses, the score
        assert figure.axes[-1].get_xlabel() == "epoch"
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_confusion_returns_a_figure_with_class_ids_for_names():
    figure = viz.confusion([[3, 1], [0, 4]])
    assert [x.get_text() for x in figure.axes[0].get_yticklabels()] == ["0", "1"]
    assert figure._repr_png_().startswith(b"\x89PNG")
