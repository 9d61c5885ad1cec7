"""Paths from folders and lists, in order."""

import numpy as np
import pytest

from kerasseg import images
from kerasseg.predict import lists


def test_folders_lists_and_files_in_the_order_they_are_given(tmp_path):
    for name in ("in/b.png", "in/deep/a.png", "in/deep/a_mask.png", "in/x.txt"):
        images.write_image(tmp_path / name.replace("x.txt", "c.png"), _black())
    (tmp_path / "l.txt").write_bytes(
        b"\xef\xbb\xbfin/b.png\r\n\r\n#c.png\n # a word\n#d.png\n /far/x.y.jpg \n"
    )
    (tmp_path / "#d.png").touch()  # is no comment
    given = [tmp_path / name for name in ("in", "l.txt", "one.tif")]
    found = list(lists.references(given))
    assert found == [
        ("b", f"{tmp_path}/in/b.png"),
        ("c", f"{tmp_path}/in/c.png"),
        ("deep/a", f"{tmp_path}/in/deep/a.png"),
        ("b", f"{tmp_path}/in/b.png"),
        ("#d", f"{tmp_path}/#d.png"),
        ("x.y", "/far/x.y.jpg"),
        ("one", f"{tmp_path}/one.tif"),
    ]


def test_paths_that_are_no_unicode_come_through(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"\xff.png\n")
    assert [name for name, _ in lists.references(tmp_path / "l.txt")] == ["\udcff"]


def test_columns_of_tables_and_of_folders_of_tables(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    for name, paths in (("a", ["x.png"]), ("b", ["/y.png", "z.png"])):
        table = lists.parquet().table({"id": [1] * len(paths), "path": paths})
        (tmp_path / "t").mkdir(exist_ok=True)
        parquet.write_table(table, tmp_path / f"t/{name}.parquet")
    paths = [f"{tmp_path}/t/x.png", "/y.png", f"{tmp_path}/t/z.png"]
    assert [path for _, path in lists.references(tmp_path / "t")] == paths
    alone = lists.references(tmp_path / "t/b.parquet")
    assert [path for _, path in alone] == paths[1:]


@pytest.mark.parametrize(
    "column, message",
    [("file", "column 'path'.*columns: file"), ("path", "text in each row.*None")],
)
def test_tables_without_paths_are_refused(tmp_path, column, message):
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = lists.parquet()
    table = arrow.table({column: arrow.array([None], "string")})
    parquet.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=message):
        list(lists.references(tmp_path / "t.parquet"))


@pytest.mark.parametrize("name", ["a.mp4", "list", "0", "gone.txt"])
def test_other_inputs_get_words(tmp_path, name):
    with pytest.raises(ValueError, match=f"{name}"):
        list(lists.references(tmp_path / name))


def test_a_damaged_table_is_named(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "t.parquet").write_bytes(b"no table")
    with pytest.raises(ValueError, match=r"t\.parquet must be Parquet"):
        list(lists.references(tmp_path / "t.parquet"))


def _black():
    return np.zeros([4, 4, 3], "uint8")
