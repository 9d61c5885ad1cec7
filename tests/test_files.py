"""Replacing files safely."""

import pytest

from kerasseg import files


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")

    def write(temporary):
        temporary.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(files.WriteError, match=r"No space left.*disk mounted at /"):
        files.replace(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "note.txt"
    files.replace(path, lambda temporary: temporary.write_text("new"))
    assert path.read_text() == "new"


def test_other_errors_pass_and_leave_the_old_file(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        files.replace(path, lambda temporary: temporary.write_text("half") / 0)
    assert [path.read_text(), list(tmp_path.iterdir())] == ["old", [path]]
