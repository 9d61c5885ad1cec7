"""Paths that are no files, content that is no image, and the error itself."""

import os
import pickle

import pytest

from kerasseg.images import ImageError, read_image
from kerasseg.images.content import check_folder
from tests.images.encoding import assert_refused


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "street_01.png").touch()
    with pytest.raises(ImageError, match=r"no such file.*Did you mean 'street_01.png'"):
        read_image(tmp_path / "street_1.png")


def test_a_link_to_nothing_is_called_that(tmp_path):
    (tmp_path / "a.png").symlink_to("gone.png")
    with pytest.raises(ImageError, match=r"a link to nothing.*'gone.png'"):
        read_image(tmp_path / "a.png")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="a folder"):
        read_image(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="special file"):
        read_image(tmp_path / "pipe.png")


def test_an_impossible_name_is_an_image_error(tmp_path):
    with pytest.raises(ImageError, match="Check its name"):
        read_image(tmp_path / ("x" * 5000 + ".png"))


@pytest.mark.parametrize(
    "data, match",
    [
        (b"", "an empty file"),
        (b"<html>404</html>", "a text file that starts with '<html>404</html>'"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x00\x01\x02\x03", "unknown content"),
        (b"\x00\x00\x00\x1cftypisom", "a clip. Fix: Take a frame"),
        (b"\x1aE\xdf\xa3\x01\x00", "a clip"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "a clip"),
        (b"\x00\x00\x00\x18ftypheic", "unknown content"),
    ],
)
def test_files_that_are_no_images_are_refused(tmp_path, data, match):
    assert_refused(tmp_path, data, match)


def test_an_image_error_survives_a_process_boundary(tmp_path):
    error = ImageError(tmp_path / "a.png", "a file", "a folder", "Give a file")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.path == tmp_path / "a.png"


def test_an_archive_is_to_be_unpacked(tmp_path):
    (tmp_path / "task 1.zip").touch()
    with pytest.raises(ImageError, match=r"a file\. Fix: Unpack it: unzip '.*task 1'"):
        check_folder(tmp_path / "task 1.zip")


def test_a_file_in_place_of_its_folder_names_the_folder(tmp_path):
    (tmp_path / "annotations.xml").touch()
    with pytest.raises(ImageError, match=f"the folder that holds it, {tmp_path}"):
        check_folder(tmp_path / "annotations.xml")
