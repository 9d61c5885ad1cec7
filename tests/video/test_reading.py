import cv2
import numpy as np
import pytest

from kerasseg import images, video
from tests.video import films


def test_frames_come_in_order_in_rgb(tmp_path):
    path = films.declares(tmp_path / "grey.avi", num=5, fps=12.5)
    with video.Clip(path) as clip:
        assert (clip.name, clip.fps, clip.size) == ("grey", 12.5, (48, 64))
        assert clip.num_read == 0 and not clip.is_camera
        frames = list(clip)
    assert clip.num_read == clip.declared == 5 and clip.missing() is None
    levels = [frame.mean() for frame in frames]
    np.testing.assert_allclose(levels, [0, 10, 20, 30, 40], atol=1.5)  # lossy
    code = cv2.VideoWriter_fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(tmp_path / "blue.avi"), code, 5, (64, 48))
    writer.write(np.full([48, 64, 3], (255, 0, 0), "uint8"))  # BGR
    writer.release()
    with video.Clip(tmp_path / "blue.avi") as clip:
        red, _, blue = next(iter(clip)).mean((0, 1))
    assert blue > 240 > 10 > red


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.mp4", b"", "an empty file"),
        ("a.mp4", b"hello", "no clip, or truncated. Fix: Convert it"),
        ("a.mov", b"\0" * 1000, "no clip, or truncated"),
    ],
)
def test_files_that_are_no_clips_get_one_error(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(images.ImageError, match=message) as caught:
        video.Clip(tmp_path / name)
    assert caught.value.path == tmp_path / name


def test_a_picture_a_folder_and_nothing_are_told_apart(tmp_path):
    images.write_image(tmp_path / "a.png", np.zeros([8, 9, 3], "uint8"))
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    with pytest.raises(images.ImageError, match=r"a picture \(PNG\). Fix: Rename it"):
        video.Clip(tmp_path / "a.mp4")
    with pytest.raises(images.ImageError, match=r"no such file.*Did you mean 'a.mp4'"):
        video.Clip(tmp_path / "b.mp4")
    with pytest.raises(images.ImageError, match="a folder"):
        video.Clip(tmp_path)


def test_a_header_without_frames_is_said(tmp_path):
    whole = films.write(tmp_path / "a.webm", num=3).read_bytes()
    (tmp_path / "b.webm").write_bytes(whole[: whole.index(b"\x1f\x43\xb6\x75")])
    with pytest.raises(images.ImageError, match=r"b\.webm: required: a clip"):
        video.Clip(tmp_path / "b.webm")


def test_missing_frames_are_counted_by_reading(tmp_path):
    whole = films.declares(tmp_path / "a.avi", num=40, fps=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 3 // 4])
    with video.Clip(tmp_path / "cut.avi") as clip:
        num = sum(1 for _ in clip)
    assert 5 < num < 35
    assert f"the 40 frames that the file declares. Received: {num}" in clip.missing()


def test_a_number_is_a_camera_unless_there_is_such_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert video.is_clip(0) and video.is_clip("2") and not video.is_clip("walk")
    (tmp_path / "2").touch()
    assert not video.is_clip("2")
    with pytest.raises(images.ImageError, match="none that opens"):
        video.Clip("99")


class Changing:
    """A capture whose second frame has another size."""

    def __init__(self, _):
        self.sizes = [(8, 9), (9, 8)]

    def isOpened(self):
        return True

    def get(self, _):
        return 0.0

    def read(self):
        if not self.sizes:
            return False, None
        return True, np.zeros([*self.sizes.pop(0), 3], "uint8")

    def release(self):
        pass


def test_frames_of_other_sizes_are_refused(tmp_path, monkeypatch):
    path = films.write(tmp_path / "a.webm", num=1)
    monkeypatch.setattr(cv2, "VideoCapture", Changing)
    with video.Clip(path) as clip:
        assert clip.fps == 25 and clip.declared is None  # where the file says none
        with pytest.raises(images.ImageError, match=r"\(9, 8\) at frame 1"):
            list(clip)
