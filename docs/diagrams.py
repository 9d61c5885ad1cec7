"""Diagrams of models as SVG, drawn from their graphs: stages, resolution, channels."""

import dataclasses
import html
import math
import re

import keras

from kerasseg import encoders
from kerasseg.layers import CropLike, ResizeLike

SIZE = 512  # px, of the images
COLUMN, ROW = 112, 62  # px: one step to the right, one level down
WIDTH, HEIGHT = 92, 40  # px, of a box
COLORS = {"image": "#e4e4e4", "encoder": "#a8d5ce", "decoder": "#f6c9a6"}
END = "#cfd4ea"  # of outputs
# Layers of one stage share this beginning of their names; of U-Net++ two numbers.
STAGE = re.compile(r"node\d_\d|[a-z]+\d*")


@dataclasses.dataclass(eq=False)
class Stage:
    """Neighbouring operations of one name and resolution.

    Attributes:
        name: beginning of the names of the layers.
        shape: of the last output, without the batch.
        color: of the box.
        text: outputs in words, where there are several.
        feeds: stages that read it.
        column, lane: place in the picture; lanes part boxes of one column and level.
        level: binary logarithm of the stride, from 0.
    """

    name: str
    shape: tuple
    color: str
    text: str = ""
    feeds: list = dataclasses.field(default_factory=list)
    column: int = 0
    lane: int = 0
    level: int | None = None

    @property
    def height(self):
        """Rows of the map; None where the output is no map."""
        return self.shape[0] if len(self.shape) == 3 else None


def svg(model):
    """Picture of a model's stages.

    Args:
        model: functional keras.Model for images of `SIZE` x `SIZE`.

    Returns:
        str, an SVG document.
    """
    stages = stages_of(model)
    place(stages)
    return drawn(stages, f"{model.name}, {model.count_params():,} parameters")


def stages_of(model):
    """Stages of a model, each before those that it feeds."""
    makers, edges = {}, []  # tensor -> its Stage; (from, to)
    depths = sorted(model._nodes_by_depth.items(), reverse=True)
    for call in (call for _, calls in depths for call in calls):
        for stage, sources, tensors in pieces(call, makers):
            same = [x for x in sources if is_same(x, stage)]
            if same:
                for other in same[1:]:
                    replace(other, same[0], makers, edges)
                same[0].shape = stage.shape
                edges += [(x, same[0]) for x in sources if x not in same]
                stage = same[0]
            else:
                edges += [(x, stage) for x in sources]
            makers |= dict.fromkeys(map(id, tensors), stage)
    for tensor in keras.tree.flatten(model.output):
        makers[id(tensor)].color = END
    join_pooled(makers, edges)
    found = list(dict.fromkeys(makers.values()))
    for stage in found:
        stage.feeds = [b for b in found if (stage, b) in edges and b is not stage]
    return found


def pieces(call, makers):
    """(Stage, stages that it reads, tensors that it makes) of a call of a layer."""
    operation, read = call.operation, list(call.input_tensors)
    made = list(call.output_tensors)
    if isinstance(operation, keras.layers.InputLayer):
        stage = Stage("image", made[0].shape[1:], COLORS["image"])
        return [(stage, [], made)]
    if isinstance(operation, (ResizeLike, CropLike)):
        read = read[:1]  # the second gives its size only
    sources = list(dict.fromkeys(makers[id(x)] for x in read))
    if not isinstance(operation, keras.Model):
        name = STAGE.match(operation.name)[0]
        names = outputs_of(operation) if len(made) > 1 else []
        shape = max((x.shape[1:] for x in made), key=len)
        stage = Stage(name, shape, COLORS["decoder"], ", ".join(names))
        return [(stage, sources, made)]
    names = outputs_of(operation)
    if encoders.is_encoder(operation):
        found = []
        for name, tensor in zip(names, made):
            stage = Stage(name, tensor.shape[1:], COLORS["encoder"])
            found.append((stage, found[-1][:1] if found else sources, [tensor]))
        return found
    text = f"{names[0]} .. {names[-1]}" if len(names) > 3 else ", ".join(names)
    finest = max(made, key=lambda x: (len(x.shape), x.shape[1] or 0))
    stage = Stage(operation.name, finest.shape[1:], COLORS["decoder"], text)
    return [(stage, sources, made)]


def outputs_of(operation):
    """Names of outputs, in the order of the tensors."""
    # Keras flattens dicts in the order of their sorted keys.
    return sorted(operation.output) if isinstance(operation.output, dict) else [""]


def is_same(stage, other):
    """Whether an operation belongs to the stage that it reads."""
    if stage.color == COLORS["encoder"]:
        return False
    return (stage.name, stage.height) == (other.name, other.height)


def replace(old, new, makers, edges):
    """Put one stage in the place of another."""
    for key, stage in makers.items():
        makers[key] = new if stage is old else stage
    edges[:] = [(new if a is old else a, new if b is old else b) for a, b in edges]


def join_pooled(makers, edges):
    """Branches that see the whole image belong to the stage of their name."""
    for stage in list(dict.fromkeys(makers.values())):
        if stage.height == 1:
            for a, b in edges:
                if a is stage and b.name == stage.name and b is not stage:
                    replace(stage, b, makers, edges)
                    break


def place(stages):
    """Set column, level and lane of each stage."""
    for _ in stages:  # at most so many steps long
        for stage in stages:
            for other in stage.feeds:
                other.column = max(other.column, stage.column + 1)
    taken = {}
    for stage in sorted(stages, key=lambda x: x.column):
        if stage.height and stage.height > 1:
            stage.level = round(math.log2(SIZE / stage.height))
        elif stage.level is None:
            stage.level = max((x.level for x in stages if stage in x.feeds), default=0)
        cell = stage.column, stage.level
        stage.lane = taken.get(cell, 0)
        taken[cell] = stage.lane + 1


def drawn(stages, title):
    """SVG of placed stages."""
    lanes = {}
    for stage in stages:
        lanes[stage.level] = max(lanes.get(stage.level, 0), stage.lane + 1)
    tops = {k: sum(lanes[i] for i in lanes if i < k) for k in lanes}

    def corner(stage):
        return 10 + COLUMN * stage.column, 14 + ROW * (tops[stage.level] + stage.lane)

    width = 10 + COLUMN * max(x.column for x in stages) + WIDTH + 10
    height = 14 + ROW * sum(lanes.values())
    taken = {corner(stage) for stage in stages}
    lines = [curve(corner(a), corner(b), taken) for a in stages for b in a.feeds]
    boxes = [box(stage, *corner(stage)) for stage in stages]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" '
        'text-anchor="middle">'
    )
    lines = f'<path d="{" ".join(lines)}" fill="none" stroke="#888"/>'
    title = f"<title>{html.escape(title)}</title>"
    return "\n".join([head, title, lines, *boxes, "</svg>", ""])


def curve(start, end, taken):
    """Path from a box to another; above those between them."""
    (x, y), (to_x, to_y) = start, end
    x, between = x + WIDTH, range(x + COLUMN, to_x, COLUMN)
    bow = 34 if y == to_y and any((at, y) in taken for at in between) else 0
    y, to_y = y + HEIGHT // 2, to_y + HEIGHT // 2
    pull = (to_x - x) // 2
    middle = f"{x + pull},{y - bow} {to_x - pull},{to_y - bow}"
    return f"M{x},{y} C{middle} {to_x},{to_y}"


def box(stage, x, y):
    """A box with name, and resolution and channels or the names of outputs."""
    middle = x + WIDTH // 2
    name, about = html.escape(stage.name), html.escape(words(stage))
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="4" '
        f'fill="{stage.color}"/>'
        f'<text x="{middle}" y="{y + 17}" font-weight="bold">{name}</text>'
        f'<text x="{middle}" y="{y + 33}" font-size="11">{about}</text>'
    )


def words(stage):
    """Result of a stage: "1/4 · 256", "pool · 128", "1000 x 4", names of outputs."""
    if stage.text:
        return stage.text if len(stage.text) < 18 else stage.text[:15] + "..."
    if not stage.height:
        return " x ".join("N" if n is None else str(n) for n in stage.shape)
    height, width, channels = stage.shape
    if height != width or SIZE % height or height < 8:  # pooled to a grid
        return f"{height} x {width} · {channels}"
    stride = SIZE // height
    return f"{'1' if stride == 1 else f'1/{stride}'} · {channels}"
