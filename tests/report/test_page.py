"""The page of a run, and runs beside each other."""

import html.parser

import pytest

from kerasseg import report
from kerasseg.cli import main


class Checker(html.parser.HTMLParser):
    """Collects text, and tags that are opened and not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_is_whole_and_alone(run):
    checker = Checker()
    checker.feed(report.page(run))
    text = "\n".join(checker.text)
    assert not checker.open
    # Nothing is loaded from anywhere: pictures lie inside.
    assert [source[:22] for source in checker.sources] == ["data:image/png;base64,"]
    for part in ("a & b", "60.0", "50.0 to 70.0", "<sky>", "[model] # a < b"):
        assert part in text, part
    assert "error 20.0 %, of 7 images" in text
    assert "ROC curve 90.0 %, average precision 75.0 %" in text
    page = report.page(run)
    assert 'points="40.0,210.0 60.0,50.0 240.0,10.0"' in page
    assert "<td>25.00</td><td>62.50</td><td>87.50</td><td>3.50</td><td>-</td>" in page
    assert "<td>4 to 9</td><td>2 of 8</td><td>25.0</td>" in page
    assert "confidence 95.0 %, right 68.0 %, 60.0 % of the pixels" in text
    assert "3 of 4" in text and "5 of 6" in text and "image0" in text


def test_a_folder_without_results_says_what_makes_them(tmp_path):
    with pytest.raises(ValueError, match="kerasseg evaluate --run"):
        report.page(tmp_path)


def test_the_command_writes_the_page(run, capsys):
    assert main(["report", str(run)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert (run / "report.html").read_text().startswith("<!doctype html>")
