"""The names in the files of YOLACT's authors, and the options that equal theirs."""

from kerasseg.zoo._references import Reference

STAGE = r"^backbone\.layers\."
HEAD = r"^prediction_layers\.0\."  # of the first level, which all levels share
RULES = (
    (r"^backbone\.layer\d", None),  # the same arrays again, in the oldest files
    (r"^fpn\.downsample_layers\.[2-9]\.", None),  # that version 1.0 did not use
    *(
        (rf"{STAGE}{i}\.(\d+)\.{theirs}\.", rf"layer{i + 1}_\1_{ours}.")
        for i in range(4)
        for theirs, ours in (
            (r"conv(\d)", r"\2_conv"),
            (r"bn(\d)", r"\2_norm"),
            (r"downsample\.0", "shortcut_conv"),
            (r"downsample\.1", "shortcut_norm"),
        )
    ),
    # From coarse to fine.
    *((rf"^fpn\.lat_layers\.{i}\.", f"lateral{5 - i}.") for i in range(3)),
    *((rf"^fpn\.pred_layers\.{i}\.", f"output{5 - i}.") for i in range(3)),
    *((rf"^fpn\.downsample_layers\.{i}\.", f"output{6 + i}.") for i in range(2)),
    (rf"{HEAD}upfeature\.0\.", "head_conv."),
    (rf"{HEAD}conf_layer\.", "head_logits."),
    (rf"{HEAD}bbox_layer\.", "head_deltas."),
    (rf"{HEAD}mask_layer\.", "head_coefficients."),
    *(
        (rf"^proto_net\.{place}\.", f"protonet{i}_conv.")
        for i, place in enumerate((0, 2, 4, 8), 1)
    ),
    (r"^proto_net\.10\.", "prototypes_conv."),
    (r"^semantic_seg_conv\.", "semantic_conv."),
)
# ImageNet's statistics as the authors round them.
IMAGES = {"mean": (123.68, 116.78, 103.94), "std": (58.4, 57.12, 57.38)}
REFERENCES = {
    f"yolact/{encoder}": Reference(
        RULES,
        {"encoder": encoder, "image_size": (550, 550), "as_published": True},
        IMAGES,
        encoders=(encoder,),
        num_classes=80,
        # As their examples show objects.
        predict={"fit": "stretch", "score_threshold": 0.15},
    )
    for encoder in ("resnet50", "resnet101")
}
