import csv

import numpy as np
import pytest

from kerasseg import images, video
from tests.video import films


def answer(frame):
    # The codec is off by one.
    return frame[:, ::-1].copy(), {"mean": round(int(frame.mean()) + 1, -1)}


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_clip_becomes_a_clip_and_a_table(tmp_path):
    source = films.declares(tmp_path / "in.avi", num=4, fps=8)
    events = []
    found = video.process(source, tmp_path / "out", answer, on_frame=events.append)
    assert found["frames"] == 4 and found["fps"] == 8 and found["error"] is None
    assert found["frames_per_s"] > 0
    clip, table = found["files"]
    assert [row["mean"] for row in rows(table)] == ["0", "10", "20", "30"]
    assert rows(table)[3]["frame"] == "3" and rows(table)[3]["seconds"] == "0.375"
    with video.Clip(clip) as written:
        assert written.fps == 8 and len(list(written)) == 4
    assert [event["index"] for event in events] == [1, 2, 3, 4]
    assert events[0]["num"] == 4


def test_only_the_first_frames_are_taken_where_that_is_asked(tmp_path):
    source = films.declares(tmp_path / "in.avi", num=40, fps=8)
    found = video.process(source, tmp_path / "out", answer, num_frames=3)
    assert found["frames"] == 3 and found["error"] is None
    with pytest.raises(ValueError, match="`num_frames` must be 1 or more"):
        video.process(source, tmp_path / "out", answer, num_frames=0)


def test_a_truncated_clip_gives_what_there_is_and_says_so(tmp_path):
    whole = films.declares(tmp_path / "a.avi", num=40, fps=10).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 3 // 4])
    found = video.process(tmp_path / "cut.avi", tmp_path / "out", answer)
    assert found["frames"] == len(rows(found["files"][1])) < 35
    assert "the 40 frames that the file declares" in found["error"]


def test_an_error_in_the_middle_leaves_nothing(tmp_path):
    source = films.declares(tmp_path / "in.avi", num=4, fps=8)

    def fail(frame):
        if frame.mean() > 15:
            raise ValueError("too bright")
        return answer(frame)

    with pytest.raises(ValueError, match="too bright"):
        video.process(source, tmp_path / "out", fail)
    assert not list((tmp_path / "out").iterdir())


def test_the_source_is_not_overwritten(tmp_path):
    source = films.write(tmp_path / "a.webm")
    with pytest.raises(ValueError, match=r"a\.webm would overwrite it"):
        video.process(source, tmp_path, answer)


class Camera:
    """A camera of 30 frames per second that never ends."""

    def __init__(self, number):
        assert number == 0

    def isOpened(self):
        return True

    def get(self, _):
        return 30.0

    def read(self):
        return True, np.full([48, 64, 3], 90, "uint8")

    def release(self):
        pass


@pytest.fixture
def camera(monkeypatch):
    import cv2

    real = cv2.VideoCapture

    def open_either(source):
        return Camera(source) if source == 0 else real(source)

    monkeypatch.setattr(cv2, "VideoCapture", open_either)


def test_ctrl_c_ends_a_camera_and_keeps_what_there_is(tmp_path, camera):
    seen = []

    def stop(frame):
        seen.append(frame)
        if len(seen) == 8:
            raise KeyboardInterrupt
        return answer(frame)

    found = video.process("0", tmp_path, stop)
    # Two of the eight measured how long one takes; the last was interrupted.
    assert found["frames"] == 5 and found["error"] is None
    assert found["files"][0].endswith("camera_0.webm")
    assert found["fps"] == 30 and len(rows(found["files"][1])) == 5


def test_ctrl_c_ends_a_clip_without_a_file(tmp_path):
    source = films.write(tmp_path / "a.webm")

    def stop(frame):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.process(source, tmp_path / "out", stop)
    assert not list((tmp_path / "out").iterdir())


def test_a_camera_plays_as_fast_as_frames_are_processed(tmp_path, camera):
    import time

    def slow(frame):
        time.sleep(0.2)
        return answer(frame)

    found = video.process(0, tmp_path, slow, num_frames=2)
    with video.Clip(found["files"][0]) as clip:
        assert 3 < clip.fps <= 5


def test_memory_does_not_grow_with_the_length(tmp_path):
    import tracemalloc

    source = films.declares(tmp_path / "in.avi", num=60, fps=8, size=(240, 320))
    peaks = []
    for num in (5, 60):
        tracemalloc.start()
        video.process(source, tmp_path / "out", answer, num_frames=num)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # A frame takes 230 kB.
    assert peaks[1] < peaks[0] + 100_000


def test_a_clip_without_frames_writes_nothing(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no clip")
    with pytest.raises(images.ImageError, match="no clip"):
        video.process(tmp_path / "a.mp4", tmp_path / "out", answer)
    assert not list((tmp_path / "out").iterdir())
