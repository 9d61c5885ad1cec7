import numpy as np
import pytest

from kerasseg import images, video
from tests.video import films


def read(path):
    with video.Clip(path) as clip:
        return list(clip)


@pytest.mark.parametrize(
    "size, stored", [((64, 48), (64, 48)), ((65, 47), (66, 48)), ((1, 3), (16, 16))]
)
def test_sides_are_continued_to_what_the_codec_takes(tmp_path, size, stored):
    frame = np.full([*size, 3], (200, 100, 50), "uint8")
    with video.write_clip(tmp_path / "new" / "a.webm", 10) as clip:
        for _ in range(3):
            clip.add(frame)
    frames = read(tmp_path / "new" / "a.webm")
    assert len(frames) == 3 and frames[0].shape == (*stored, 3)
    # Of one colour to the last row and column, as it was, give or take the codec.
    assert np.abs(frames[2].astype(int) - (200, 100, 50)).max() < 12


def test_an_error_leaves_the_old_clip(tmp_path):
    path = films.write(tmp_path / "a.webm", num=2)
    with pytest.raises(RuntimeError), video.write_clip(path, 10) as clip:
        clip.add(np.zeros([32, 32, 3], "uint8"))
        raise RuntimeError
    assert len(read(path)) == 2 and [x.name for x in tmp_path.iterdir()] == ["a.webm"]


def test_a_clip_that_cannot_be_read_back_is_no_clip(tmp_path, monkeypatch):
    wanted = pytest.raises(images.ImageError, match="the 3 frames that were written")
    with wanted, video.write_clip(tmp_path / "a.webm", 10) as clip:
        clip.add(np.zeros([32, 32, 3], "uint8"))
        clip.num += 2  # as if the disk had been full
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name, sizes, message",
    [
        ("a.mp4", [], r"Call it a\.webm"),
        ("a.webm", [(32, 32, 3), (32, 33, 3)], r"`frame` must be uint8 \(32, 32, 3\)"),
        ("a.webm", [(32, 32)], r"\[H, W, 3\]"),
    ],
)
def test_wrong_names_and_frames_are_refused(tmp_path, name, sizes, message):
    wanted = pytest.raises(ValueError, match=message)
    with wanted, video.write_clip(tmp_path / name, 10) as clip:
        for size in sizes:
            clip.add(np.zeros(size, "uint8"))


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").touch()
    wanted = pytest.raises(OSError, match="Could not write")
    with wanted, video.write_clip(tmp_path / "file" / "a.webm", 10):
        pass
