import os
import subprocess
import sys

import pytest

from kerasseg.cli import completion


def completed(tmp_path, line):
    """Words that a shell would be offered at the end of a line."""
    pytest.importorskip("argcomplete")
    answer = tmp_path / "answer"
    shell = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    # A process of its own, as in a shell: argcomplete closes files when it leaves.
    subprocess.run([sys.executable, "-m", "kerasseg"], env={**os.environ, **shell})
    return {word.strip() for word in answer.read_text().split("\n")}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("kerasseg tr", "train"),
        ("kerasseg train unet_plain_", "unet_plain_isbi2012"),
        ("kerasseg train --ini", "--init"),
        ("kerasseg predict a.png --weights nuc", "nuclei"),
        ("kerasseg info unet --encoder efficientnet_l", "efficientnet_lite0"),
        ("kerasseg weights peo", "people"),
    ],
)
def test_words_are_completed(tmp_path, line, word):
    assert word in completed(tmp_path, line)


def test_nothing_happens_without_a_question(monkeypatch):
    monkeypatch.delenv("_ARGCOMPLETE", raising=False)
    assert completion.complete(None) is None
