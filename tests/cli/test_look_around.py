"""`kerasseg list` and `info`."""

import json

from kerasseg.cli import main


def test_list_and_info_answer_in_json(capsys):
    assert main(["list", "--json"]) == 0
    assert "unet" in json.loads(capsys.readouterr().out)["zoo"]
    assert main(["info", "unet", "--encoder", "resnet34", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trainable_parameters"] == 24439269
    assert main(["info", "resnet18", "--json", "--size", "64"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["trainable_parameters"] == 11176512
    assert facts["imagenet_weights"] == "torchvision"
    assert facts["taps"]["c5"] == 512
    assert "1512.03385" in facts["encoder_reference"]
    options = ["--encoder", "tiny", "--size", "64", "--json"]
    assert main(["info", "yolact", *options]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert "1904.02689" in facts["reference"]
    assert facts["taps"]["c5"] == 40
    assert main(["info", "stardist", *options]) == 0
    assert json.loads(capsys.readouterr().out)["num_classes"] is None


def test_info_reads_as_text(capsys):
    assert main(["info", "yolact", "--encoder", "tiny", "--size", "64"]) == 0
    text = capsys.readouterr().out
    assert "taps: c1 " in text and "encoders: convnext_base, " in text
    assert not any(code in text for code in ("[", "{", "None"))
