"""The page in headless Chromium, where gradio, playwright and a browser are there."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from kerasseg import cli, images

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
# In a process of its own: gradio leaves sockets and event loops behind.
SERVER = """
import numpy as np
from kerasseg import demo

def left_half(image):
    label = np.zeros(image.shape[:2], "int32")
    label[:, : image.shape[1] // 2] = 1
    return demo.answers.of_regions(image, label, 0.1)

demo.launch({"left half": left_half, "by clicks alone": demo.untouched})
"""


@pytest.fixture
def address():
    pytest.importorskip("gradio")
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", SERVER], stdout=subprocess.PIPE, text=True
    )
    try:
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_picture_is_dropped_segmented_clicked_and_downloaded(address, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("There is no Chromium.")
    image = np.full((64, 96, 3), 30, np.uint8)
    image[20:40, 60:80] = (200, 40, 40)
    images.write_image(tmp_path / "red.png", image)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1300, "height": 900})
        tab.set_default_timeout(120_000)
        tab.goto(address, wait_until="domcontentloaded")
        _use(tab, tmp_path)
        browser.close()


def _use(tab, folder):
    drop = "#pictures input[type=file]"
    tab.wait_for_selector(drop, state="attached")
    tab.set_input_files(drop, [folder / "red.png"])
    tab.wait_for_selector("#view img")
    tab.wait_for_selector("#words >> text=96 x 64 px, 1 object,")
    with tab.expect_download() as download:
        tab.locator("#downloads a").first.click()
    mask = images.read_mask(download.value.path())
    assert (mask[:, :48] == 1).all() and (mask[:, 48:] == 0).all()
    tab.get_by_text("grow a region", exact=True).click()
    box = tab.locator("#view img").bounding_box()
    place = {"x": box["width"] * 70 / 96, "y": box["height"] * 30 / 64}
    tab.locator("#view img").click(position=place)
    tab.wait_for_selector("#words >> text=96 x 64 px, 2 objects")
    tab.get_by_text("Undo", exact=True).click()
    tab.wait_for_selector("#words >> text=96 x 64 px, 1 object,")
    tab.get_by_text("this belongs to the object (GrabCut)", exact=True).click()
    tab.locator("#view img").click(position=place)
    tab.wait_for_selector("#words >> text=corrected by 1 click")
    with tab.expect_download() as download:
        tab.locator("#downloads a").first.click()
    mask = images.read_mask(download.value.path())
    assert (mask[:, :48] == 1).all() and (mask[22:38, 62:78] == 1).all()
    assert mask.mean() < 0.62  # the half, and the square of 20 x 20
    tab.locator("#pictures button[aria-label='Clear']").click()
    tab.wait_for_selector("#words >> text=No picture yet")
    tab.set_input_files(drop, [folder / "bad.png"])
    tab.wait_for_selector("#words >> text=/^bad.png: required/")


def test_without_gradio_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.delitem(sys.modules, "kerasseg.demo.page", raising=False)
    assert cli.main(["demo"]) == 1
    assert "pip install 'kerasseg[demo]'" in capsys.readouterr().err
