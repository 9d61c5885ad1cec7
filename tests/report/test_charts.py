"""Charts as SVG: points where they belong, and nothing that a page cannot hold."""

import xml.etree.ElementTree

from kerasseg.report import charts


def parsed(text):
    return xml.etree.ElementTree.fromstring(text)


def test_a_curve_runs_from_corner_to_corner():
    chart = parsed(charts.curve([[0, 0.25, 1], [0, 0.5, 1]], "across", "up"))
    (line,) = chart.findall("polyline")
    assert line.get("points") == "40.0,210.0 90.0,110.0 240.0,10.0"
    assert {"across", "up"} <= {x.text for x in chart.findall("text")}


def test_larger_dots_are_of_more_pixels():
    chart = parsed(charts.reliability([[9, 0.5, 0.4], [16, 1.0, 1.0]]))
    small, large = chart.findall("circle")
    assert (small.get("cx"), small.get("cy")) == ("140.0", "130.0")
    assert (large.get("cx"), large.get("cy")) == ("240.0", "10.0")
    assert (small.get("r"), large.get("r")) == ("6.8", "8.4")


def test_bars_count_images():
    chart = parsed(charts.histogram([0.05, 0.95, 1.0, 0.93]))
    heights = [float(x.get("height")) for x in chart.findall("rect")]
    assert heights == [26.7, *[0.0] * 8, 80.0]
