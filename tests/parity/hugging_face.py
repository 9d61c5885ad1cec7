"""Models of transformers, under the names of each release and of the authors."""

import re
import tempfile

import torch
from torch.nn import functional

# Names of transformers 4 -> names of NVlabs, whose keys and values are one matrix.
NVLABS = (
    (r"^segformer\.encoder\.", "backbone."),
    (r"patch_embeddings\.(\d)\.proj", lambda m: f"patch_embed{int(m[1]) + 1}.proj"),
    (
        r"patch_embeddings\.(\d)\.layer_norm",
        lambda m: f"patch_embed{int(m[1]) + 1}.norm",
    ),
    (r"^backbone\.layer_norm\.(\d)", lambda m: f"backbone.norm{int(m[1]) + 1}"),
    (r"block\.(\d)\.", lambda m: f"block{int(m[1]) + 1}."),
    (r"layer_norm_(\d)", r"norm\1"),
    (r"attention\.self\.query", "attn.q"),
    (r"attention\.self\.sr", "attn.sr"),
    (r"attention\.self\.layer_norm", "attn.norm"),
    (r"attention\.output\.dense", "attn.proj"),
    (r"mlp\.dense", "mlp.fc"),
    (r"linear_c\.(\d)", lambda m: f"linear_c{int(m[1]) + 1}"),
    (r"linear_fuse\.", "linear_fuse.conv."),
    (r"batch_norm\.", "linear_fuse.bn."),
    (r"classifier\.", "linear_pred."),
)


def build(name, names=None):
    """Model of transformers, three classes, its logits at the size of the image.

    `names` are "4" or "nvlabs", or else those of transformers 5. A classifier gives the
    features of its encoder.
    """
    import transformers

    config = getattr(transformers, f"{name.split('For')[0]}Config")
    if name.startswith("UperNet"):
        config = config(num_labels=3, backbone_config=convnext_tiny())
    else:
        config = convnext_tiny() if "ConvNext" in name else config(num_labels=3)
    model = getattr(transformers, name)(config)
    forward = model.forward

    def logits(x):
        scores = forward(x).logits
        return functional.interpolate(scores, size=x.shape[2:], mode="bilinear")

    def taps(x):
        features = model.base_model(x, output_hidden_states=True).hidden_states
        taps = dict(zip(("c2", "c3", "c4", "c5"), features[-4:]))
        if hasattr(model.base_model, "layernorm"):  # ConvNeXt's, behind its pooling
            last = model.base_model.layernorm(taps["c5"].permute(0, 2, 3, 1))
            taps["c5"] = last.permute(0, 3, 1, 2)
        return taps

    model.forward = taps if name.endswith("Classification") else logits
    if names is not None:
        model.published = {"4": version_4, "nvlabs": nvlabs}[names]
    return model


def convnext_tiny():
    import transformers

    return transformers.ConvNextConfig(
        hidden_sizes=[96, 192, 384, 768],
        depths=[3, 3, 9, 3],
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )


def version_4(model):
    """State dict by the names of transformers 4, in which version 5 still saves."""
    from safetensors.torch import load_file

    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/model.safetensors")


def nvlabs(model):
    """State dict of a SegFormer by the names of its authors."""
    # Scores that their head inherits, and does not use.
    old, new = version_4(model), {"decode_head.conv_seg.bias": torch.zeros(3)}
    for name, value in old.items():
        if ".self.value." in name:
            continue
        if ".self.key." in name:
            value = torch.cat([value, old[name.replace(".key.", ".value.")]])
            name = name.replace("attention.self.key", "attn.kv")
        for pattern, replacement in NVLABS:
            name = re.sub(pattern, replacement, name)
        new[name] = value
    return new
