"""A clip through a function, frame by frame: another clip and a table."""

import csv
import pathlib
import time

from kerasseg import files
from kerasseg.images import failures
from kerasseg.video.options import ClipOptions
from kerasseg.video.reading import Clip
from kerasseg.video.writing import EXTENSION, write_clip


def process(source, out, answer, *, num_frames=None, on_frame=None):
    """Write what a function makes of each frame, as a clip and as a table.

    Memory does not grow with the length of the clip. Files appear when all is done.

    Args:
        source: path of a clip, or the number of a camera. A camera ends after
            `num_frames`, or with Ctrl-C, which keeps what there is.
        out: folder; gets NAME.webm and NAME.csv, with a row per frame: "frame" from 0,
            "seconds" of the clip, and those of `answer`. NAME is that of the source,
            "camera_0" for a camera.
        answer: function of a frame uint8 [H, W, 3] that returns a picture uint8
            [h, w, 3] and a dict, with the same size and keys for all frames.
        num_frames: frames to take at most; None takes all.
        on_frame: function of a dict, called after each frame: "index" (from 1), "num"
            (as the file declares, or None) and "seconds" since the start.

    Returns:
        dict: "path", "files" (clip and table), "frames" (counted by reading), "fps" of
        the source, "frames_per_s" that were processed, without the first, and "error",
        a message where frames are missing that the file declares, else None.

    Raises:
        ImageError: if the source has no frames, or the clip cannot be written.
        ValueError: if `num_frames` is below 1, or the output would overwrite the
            source.
    """
    out = pathlib.Path(out)
    ClipOptions(num_frames=num_frames)  # made for its check
    failures.check_writable(out)
    with Clip(source) as clip:
        target, table = (out / (clip.name + end) for end in (EXTENSION, ".csv"))
        if target.resolve() == clip.path.resolve():
            raise ValueError(
                f"`out` must not hold the clip. Received: out={str(out)!r}, where "
                f"{target.name} would overwrite it."
            )
        fps = clip.fps
        frames = _first(clip, num_frames)
        if clip.is_camera:
            # It goes on while a frame is processed: as fast as that, films play right.
            frames, fps = _paced(frames, answer, fps)
        with write_clip(target, fps) as writer, files.replacing(table) as part:
            seconds = _write(frames, fps, answer, (writer, part), clip, on_frame)
        num, rate = writer.num, None
        if num > 1:
            rate = round((num - 1) / max(seconds[1] - seconds[0], 1e-9), 2)
        cut = num_frames is not None and num >= num_frames
        return {
            "path": str(source),
            "files": [str(target), str(table)],
            "frames": num,
            "fps": fps,
            "frames_per_s": rate,
            "error": None if cut else clip.missing(),
        }


def _write(frames, fps, answer, targets, clip, on_frame):
    """Process all frames; returns the time of the first and of the last."""
    (writer, part), table, times = targets, None, []
    start = time.perf_counter()
    with open(part, "w", newline="", encoding="utf-8") as stream:
        try:
            for index, frame in enumerate(frames):
                picture, row = answer(frame)
                writer.add(picture)
                row = {"frame": index, "seconds": round(index / fps, 3), **row}
                if table is None:
                    table = csv.DictWriter(stream, list(row), lineterminator="\n")
                    table.writeheader()
                table.writerow(row)
                # The first one compiles the model.
                times = [*times[:1], time.perf_counter()]
                if on_frame is not None:
                    passed = round(times[-1] - start, 3)
                    event = {"index": index + 1, "num": clip.declared}
                    on_frame({**event, "seconds": passed})
        except KeyboardInterrupt:
            if not (clip.is_camera and writer.num):
                raise
    return times[0], times[-1]


def _first(frames, num):
    for index, frame in enumerate(frames):
        if num is not None and index >= num:
            return
        yield frame


def _paced(frames, answer, fps):
    """All frames, and the rate at which they can be processed."""
    first = next(frames)
    for _ in range(2):  # the first time compiles the model
        start = time.perf_counter()
        answer(first)
    seconds = max(time.perf_counter() - start, 1e-3)

    def again():
        yield first
        yield from frames

    return again(), min(fps, 1 / seconds)
