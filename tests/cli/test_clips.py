"""`kerasseg predict` on clips, as a stranger uses it."""

import json

import pytest

from kerasseg import images, video
from kerasseg.cli import main
from tests.video import films


@pytest.fixture
def predict(tmp_path):
    """Function that runs `predict` with weights of the library; returns the code."""

    def run(*arguments):
        out = str(tmp_path / "out")
        given = map(str, arguments)
        return main(["predict", *given, "--weights", "shapes", "--out", out])

    return run


def test_clips_and_pictures_go_together(tmp_path, predict, capsys):
    clip = films.write(tmp_path / "in.webm", num=3)
    images.write_image(tmp_path / "in.png", films.square(0)[0])
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    assert predict(clip, tmp_path / "in.png", tmp_path / "bad.mp4", "--smooth") == 3
    printed = capsys.readouterr()
    assert "out/in.webm and its table: 3 frames, " in printed.out
    assert "Wrote 1 prediction to" in printed.out
    assert len([x for x in printed.err.splitlines() if "bad.mp4" in x]) == 1
    table = (tmp_path / "out/in.csv").read_text().splitlines()
    assert table[0].startswith("frame,seconds,height,width") and len(table) == 4
    with video.Clip(tmp_path / "out/in.webm") as written:
        assert len(list(written)) == 3


def test_a_truncated_clip_is_written_and_told(tmp_path, predict, capsys):
    whole = films.declares(tmp_path / "a.avi", num=40, fps=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 3 // 4])
    assert predict(tmp_path / "cut.avi", "--json") == 3
    report = json.loads(capsys.readouterr().out)
    assert report["clips"][0]["frames"] < 35
    assert "the 40 frames" in report["failed"][0]["error"]
    assert (tmp_path / "out/cut.webm").exists()


@pytest.mark.parametrize("flag", [("--frames", "2"), ("--smooth", "0.3")])
def test_flags_of_clips_without_a_clip_are_refused(tmp_path, predict, capsys, flag):
    images.write_image(tmp_path / "in.png", films.square(0)[0])
    assert predict(tmp_path / "in.png", *flag) == 1
    assert "none of which is a clip" in capsys.readouterr().err


def test_no_camera_and_no_clip_get_one_line(tmp_path, predict, capsys):
    assert predict("97") == 1
    assert "the number of a camera" in capsys.readouterr().err.splitlines()[0]
    assert predict(tmp_path / "none.mp4") == 1
    assert "no such file" in capsys.readouterr().err.splitlines()[0]
