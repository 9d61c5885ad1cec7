"""The command line as a stranger uses it: bad files, and advice that can be pasted."""

import json
import re
import shlex

import numpy as np
import pytest

from kerasseg.cli import main
from kerasseg.images import write_image

FORMS = {
    "0 and 255": lambda mask: mask * np.uint8(255),
    "colours": lambda mask: np.stack([mask * np.uint8(200), 0 * mask, 0 * mask], -1),
    "ids to 1000": lambda mask: mask * np.uint16(1000),
}


def write_data(root, mask_of=lambda mask: mask, num=6):
    """Folder of `num` images, black above and white below, and their masks."""
    mask = np.repeat(np.array([0, 1], "uint8"), 16)[:, None].repeat(32, 1)
    for number in range(num):
        image = np.repeat(mask[..., None], 3, -1) * np.uint8(200)
        write_image(root / f"images/{number}.png", image)
        write_image(root / f"labels/{number}.png", mask_of(mask))
    return root


@pytest.mark.parametrize("form", FORMS)
def test_advice_can_be_pasted(tmp_path, capsys, form):
    root = write_data(tmp_path, FORMS[form])
    command = ["check-data", "--data", str(root)]
    assert main(command) == 1
    advice = re.search("on the command line: (.*)", capsys.readouterr().err)
    assert main([*command, *shlex.split(advice[1]), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["train"]["pixels"].values())[:2] == [512 * 5] * 2


def test_masks_that_need_no_advice_get_none(tmp_path, capsys):
    assert main(["check-data", "--data", str(write_data(tmp_path)), "--json"]) == 0
    assert "command line" not in capsys.readouterr().err
