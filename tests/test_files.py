"""Replacing files safely."""

import json
import os
import threading

import pytest

from kerasseg import files
from tests.training import forks


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


def test_two_processes_write_one_file_without_harm(tmp_path):
    path, kept = tmp_path / "note.txt", []

    def write(temporary):
        temporary.write_text("first")
        # The other process writes the same file in between.
        assert forks.run(lambda: files.replace(path, second)) == 0
        kept.append(path.read_text())

    def second(temporary):
        temporary.write_text("second")

    files.replace(path, write)
    assert [*kept, path.read_text()] == ["second", "first"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("letter", ["a", "é"])
def test_names_of_any_length_are_written(tmp_path, letter):
    def write(temporary):
        assert temporary.suffix == ".png"  # by which writers choose the format
        temporary.touch()

    for length in (200, 245, 246, 247, 255):
        stem = letter * ((length - 4) // len(letter.encode()))
        path = tmp_path / f"{stem}.png"
        files.replace(path, write)
        assert path.exists()


def test_a_name_that_is_too_long_is_an_error_that_says_so(tmp_path):
    with pytest.raises(files.WriteError, match="File name too long"):
        files.replace(tmp_path / ("a" * 256), lambda part: part.touch())
    assert not list(tmp_path.iterdir())


def test_a_text_that_says_the_same_is_not_written_again(tmp_path):
    path = tmp_path / "note.txt"
    files.replace_text(path, "é")
    before = path.stat()
    files.replace_text(path, "é")
    assert path.stat().st_ino == before.st_ino
    files.replace_text(path, "e")
    assert path.read_text() == "e"


def test_only_what_processes_that_are_gone_left_is_removed(tmp_path):
    forks.wait(child := forks.start(lambda: None))
    ours = f"{os.getpid()}.{threading.get_native_id()}"
    names = [f".writing-{child}.{child}-a", f".writing-{ours}-a", ".writing-a.txt"]
    other = f".writing-{os.getppid()}.1-a"
    for name in [*names, other, "a"]:
        (tmp_path / name).touch()
    files.remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {other, "a"}


def test_names_that_are_no_unicode_are_written_and_read_back(tmp_path):
    name = os.fsdecode(b"\xff.png")
    files.write_json(tmp_path / "a.json", {"source": name})
    assert json.loads((tmp_path / "a.json").read_text())["source"] == name
    files.write_csv(tmp_path / "a.csv", [{"source": name}])
    assert (tmp_path / "a.csv").read_text() == "source\n\\udcff.png\n"


def test_the_sum_of_a_file_is_that_of_its_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-4's own example.
    assert files.sha256(path) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
