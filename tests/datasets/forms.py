"""One small scene in the forms in which tools write data sets."""

import base64
import csv
import json

import numpy as np
import tifffile

from kerasseg.images import write_image, write_mask

SIZE = (8, 12)
# Class name, y1, y2, x1, x2 of each object in each image.
SCENE = {
    "a": [("cat", 1, 5, 2, 6), ("dog", 5, 8, 8, 12)],
    "b": [("cat", 0, 4, 0, 3)],
}
NAMES = ("cat", "dog")


def label_of(name, ids):
    """Class map of an image of the scene."""
    label = np.zeros(SIZE, "uint8")
    for kind, y1, y2, x1, x2 in SCENE[name]:
        label[y1:y2, x1:x2] = ids[kind]
    return label


def photo(number):
    """An image without two equal halves."""
    return np.random.default_rng(number).integers(0, 255, [*SIZE, 3]).astype("uint8")


def ring(y1, y2, x1, x2):
    """Corners of a rectangle."""
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def text(path, content):
    """Write a text file and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def yolo_lines(name):
    """Lines of YOLO's text file."""
    lines = []
    for kind, y1, y2, x1, x2 in SCENE[name]:
        points = [[x / SIZE[1], y / SIZE[0]] for x, y in ring(y1, y2, x1, x2)]
        numbers = " ".join(f"{n:.6f}" for point in points for n in point)
        lines.append(f"{NAMES.index(kind)} {numbers}")
    return "\n".join(lines) + "\n"


def yolo(root):
    """Ultralytics: images/train, labels/train, data.yaml with numbered names."""
    for number, (name, side) in enumerate(zip(SCENE, ("train", "val"))):
        write_image(root / f"images/{side}/{name}.jpg", photo(number))
        text(root / f"labels/{side}/{name}.txt", yolo_lines(name))
    write_image(root / "images/train/empty.jpg", photo(9))
    text(
        root / "data.yaml",
        "path: ../datasets/animals  # elsewhere\ntrain: images/train\n"
        "val: images/val\n\nnames:\n  0: cat\n  1: dog\n",
    )


def yolo_roboflow(root):
    """Roboflow: train/images, valid/images, data.yaml with a list."""
    for number, (name, side) in enumerate(zip(SCENE, ("train", "valid"))):
        write_image(root / f"{side}/images/{name}.jpg", photo(number))
        text(root / f"{side}/labels/{name}.txt", yolo_lines(name))
    text(
        root / "data.yaml",
        "train: ../train/images\nval: ../valid/images\n\nnc: 2\n"
        "names: ['cat', 'dog']\n\nroboflow:\n  workspace: x\n  url: https://x.y/z\n",
    )


def labelme(root):
    """LabelMe: a JSON file beside each image."""
    for number, name in enumerate(SCENE):
        write_image(root / f"{name}.png", photo(number))
        shapes = [
            {
                "label": kind,
                "points": ring(*box),
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for kind, *box in SCENE[name]
        ]
        shapes.append(
            {"label": "cat", "points": [[1, 1]], "shape_type": "point", "flags": {}}
        )
        document = {"version": "5.2.1", "flags": {}, "shapes": shapes}
        document |= {"imagePath": f"..\\photos\\{name}.png", "imageData": None}
        text(
            root / f"{name}.json",
            {**document, "imageHeight": SIZE[0], "imageWidth": SIZE[1]},
        )


def labelme_embedded(root):
    """LabelMe: images only in the JSON files."""
    labelme(root)
    for name in SCENE:
        path = root / f"{name}.json"
        document = json.loads(path.read_text())
        picture = (root / f"{name}.png").read_bytes()
        document["imageData"] = base64.b64encode(picture).decode()
        text(path, document)
        (root / f"{name}.png").unlink()


def table(root):
    """Rows of images and masks, with a byte order mark and backslashes."""
    rows = ["id;image path;mask path;split"]
    for number, (name, side) in enumerate(zip(SCENE, ("train", "valid"))):
        write_image(root / f"foto's/{name} ü.JPG", photo(number))
        write_mask(root / f"drawn/{number}.png", label_of(name, {"cat": 1, "dog": 2}))
        rows.append(f"{number};foto's\\{name} ü.JPG;drawn\\{number}.png;{side}")
    write_image(root / "foto's/none.jpg", photo(9))
    rows.append("9;foto's\\none.jpg;;train")
    (root / "list.csv").write_bytes("\r\n".join(rows).encode("utf-8-sig"))


def cvat(root):
    """CVAT for images 1.1."""
    images = []
    for number, name in enumerate(SCENE):
        write_image(root / f"images/{name}.png", photo(number))
        shapes = "".join(
            f'    <polygon label="{kind}" source="manual" occluded="0" points="'
            + ";".join(f"{x:.2f},{y:.2f}" for x, y in ring(*box))
            + '" z_order="0"><attribute name="age">2</attribute></polygon>\n'
            for kind, *box in SCENE[name][:1]
        )
        for kind, y1, y2, x1, x2 in SCENE[name][1:]:
            shapes += (
                f'    <mask label="{kind}" source="manual" occluded="0" rle="0, '
                f'{(y2 - y1) * (x2 - x1)}" left="{x1}" top="{y1}" width="{x2 - x1}" '
                f'height="{y2 - y1}" z_order="0"></mask>\n'
            )
        images.append(
            f'  <image id="{number}" name="{name}.png" width="{SIZE[1]}" '
            f'height="{SIZE[0]}">\n{shapes}  </image>\n'
        )
    labels = "".join(
        f"<label><name>{name}</name><color>#ff00cc</color><attributes></attributes>"
        "</label>"
        for name in NAMES
    )
    text(
        root / "annotations.xml",
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
        f"  <version>1.1</version>\n  <meta><task><id>7</id><labels>{labels}</labels>"
        f"</task></meta>\n{''.join(images)}</annotations>\n",
    )


def voc(root):
    """Pascal VOC: palette files, borders of 255, lists."""
    root = root / "VOCdevkit/VOC2012"
    ids = {"cat": 8, "dog": 12}
    for number, (name, side) in enumerate(zip(SCENE, ("train", "val"))):
        stem = f"2007_00003{number}"
        write_image(root / f"JPEGImages/{stem}.jpg", photo(number))
        label = label_of(name, ids)
        label[7, 0] = 255
        objects = np.zeros(SIZE, "uint8")
        for place, (_, y1, y2, x1, x2) in enumerate(SCENE[name], 1):
            objects[y1:y2, x1:x2] = place
        for kind, mask in (("Class", label), ("Object", objects)):
            write_mask(
                root / f"Segmentation{kind}/{stem}.png",
                mask,
                palette=np.arange(63).reshape(21, 3).astype("uint8"),
            )
        text(root / f"ImageSets/Segmentation/{side}.txt", f"{stem}\n")
        text(root / f"Annotations/{stem}.xml", "<annotation><bndbox/></annotation>")
    text(root / "ImageSets/Segmentation/trainval.txt", "2007_000030\n2007_000031\n")
    write_image(root / "JPEGImages/2007_000099.jpg", photo(9))


def voc_labelmap(root):
    """CVAT's segmentation masks: colours and labelmap.txt."""
    colors = {"cat": (10, 20, 30), "dog": (250, 50, 83)}
    for number, name in enumerate(SCENE):
        write_image(root / f"JPEGImages/{name}.png", photo(number))
        mask = np.zeros([*SIZE, 3], "uint8")
        for kind, y1, y2, x1, x2 in SCENE[name]:
            mask[y1:y2, x1:x2] = colors[kind]
        write_image(root / f"SegmentationClass/{name}.png", mask)
    text(
        root / "labelmap.txt",
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:10,20,30::\n"
        "dog:250,50,83::\n",
    )
    text(root / "ImageSets/Segmentation/default.txt", "a\nb\n")


def cityscapes(root):
    """Cityscapes: cats are cars (26 in the files), dogs people (24), the rest void."""
    for number, (name, side) in enumerate(zip(SCENE, ("train", "val"))):
        stem = f"{side}/ulm/ulm_00000{number}_000019"
        write_image(root / f"leftImg8bit/{stem}_leftImg8bit.png", photo(number))
        label = label_of(name, {"cat": 26, "dog": 24})
        for kind, mask in (
            ("labelIds", label),
            ("instanceIds", label.astype("uint16") * 1000),
        ):
            write_image(root / f"gtFine/{stem}_gtFine_{kind}.png", mask)
        text(root / f"gtFine/{stem}_gtFine_polygons.json", {"objects": []})


def ade20k(root):
    """ADE20K of the scene parsing challenge."""
    root = root / "ADEChallengeData2016"
    sides = zip(SCENE, ("training", "validation"), ("train", "val"))
    for number, (name, side, word) in enumerate(sides):
        stem = f"{side}/ADE_{word}_0000000{number}"
        write_image(root / f"images/{stem}.jpg", photo(number))
        write_mask(
            root / f"annotations/{stem}.png", label_of(name, {"cat": 127, "dog": 150})
        )
    lines = ["Idx\tRatio\tTrain\tVal\tStuff\tName"]
    lines += [f"{i}\t0.1\t10\t1\t0\tthing {i}, other" for i in range(1, 151)]
    text(root / "objectInfo150.txt", "\n".join(lines))


def davis(root):
    """DAVIS 2017: numbers of objects, lists of films."""
    for number, (name, side) in enumerate(zip(SCENE, ("train", "val"))):
        write_image(root / f"JPEGImages/480p/{name}/00000.jpg", photo(number))
        mask = np.zeros(SIZE, "uint8")
        for place, (_, y1, y2, x1, x2) in enumerate(SCENE[name], 1):
            mask[y1:y2, x1:x2] = place
        palette = np.arange(12).reshape(4, 3).astype("uint8")
        file = root / f"Annotations/480p/{name}/00000.png"
        write_mask(file, mask, palette=palette)
        text(root / f"ImageSets/2017/{side}.txt", f"{name}\n")


def coco_document(names, folder=""):
    """COCO's JSON of some images of the scene."""
    images, annotations = [], []
    for number, name in enumerate(names, 1):
        entry = {"id": number, "file_name": f"{folder}{name}.jpg"}
        images.append({**entry, "height": SIZE[0], "width": SIZE[1]})
        for kind, *box in SCENE[name]:
            flat = [n for point in ring(*box) for n in point]
            annotation = {"id": len(annotations) + 1, "image_id": number}
            annotation |= {"category_id": NAMES.index(kind) + 1, "iscrowd": 0}
            annotations.append({**annotation, "segmentation": [flat]})
    categories = [{"id": i, "name": name} for i, name in enumerate(NAMES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def coco(root):
    """COCO's own folders, with captions beside."""
    for number, (name, side) in enumerate(zip(SCENE, ("train2017", "val2017"))):
        write_image(root / f"{side}/{name}.jpg", photo(number))
        document = coco_document([name])
        text(root / f"annotations/instances_{side}.json", document)
        text(root / f"annotations/captions_{side}.json", document)


def coco_roboflow(root):
    """Roboflow's COCO export."""
    for number, (name, side) in enumerate(zip(SCENE, ("train", "valid"))):
        write_image(root / f"{side}/{name}.jpg", photo(number))
        text(root / f"{side}/_annotations.coco.json", coco_document([name]))


def coco_of_cvat(root):
    """CVAT's COCO export: one file, names in the folder of images."""
    for number, name in enumerate(SCENE):
        write_image(root / f"images/default/{name}.jpg", photo(number))
    text(root / "annotations/instances_default.json", coco_document(SCENE))


def pack(values):
    """Label Studio's run-length code: one repeated run after the other."""
    bits = f"{len(values):032b}{7:05b}" + f"{3:04b}{7:04b}{11:04b}{15:04b}"
    start = 0
    while start < len(values):
        end = start
        while end < len(values) and values[end] == values[start] and end - start < 255:
            end += 1
        if end - start > 3:
            bits += f"1{1:02b}{end - start - 1:08b}{values[start]:08b}"
        else:  # as they are
            bits += f"0{0:02b}{end - start - 1:04b}"
            bits += "".join(f"{value:08b}" for value in values[start:end])
        start = end
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def label_studio(root):
    """Label Studio: a polygon in percent for cats, a brush for dogs."""
    tasks = []
    for number, name in enumerate(SCENE):
        write_image(root / f"media/{name}.png", photo(number))
        results = []
        for kind, y1, y2, x1, x2 in SCENE[name]:
            result = {"id": f"r{len(results)}", "from_name": "l", "to_name": "image"}
            result |= {"original_width": SIZE[1], "original_height": SIZE[0]}
            if kind == "cat":
                points = [
                    [100 * x / SIZE[1], 100 * y / SIZE[0]]
                    for x, y in ring(y1, y2, x1, x2)
                ]
                value = {"points": points, "closed": True, "polygonlabels": [kind]}
                results.append({**result, "type": "polygonlabels", "value": value})
            else:
                mask = np.zeros([*SIZE, 4], "uint8")
                mask[y1:y2, x1:x2] = 255
                value = {"format": "rle", "rle": pack(mask.ravel().tolist())}
                value["brushlabels"] = [kind]
                results.append({**result, "type": "brushlabels", "value": value})
        results.append({"id": "c", "type": "choices", "value": {"choices": ["day"]}})
        image = f"/data/upload/3/0a1b2c3d-{name}.png"
        annotation = {"id": 1, "result": results, "was_cancelled": False}
        empty = {"id": 2, "result": [], "was_cancelled": True}
        task = {"id": number + 5, "annotations": [empty, annotation]}
        tasks.append({**task, "data": {"note": "x", "image": image}, "predictions": []})
    text(root / "project-1-at-2024.json", tasks)


def via(root):
    """VIA 2: a project."""
    entries = {}
    for number, name in enumerate(SCENE):
        write_image(root / f"{name}.png", photo(number))
        regions = []
        for kind, y1, y2, x1, x2 in SCENE[name]:
            if kind == "cat":
                xs, ys = zip(*ring(y1, y2, x1, x2))
                shape = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
            else:
                shape = {"name": "rect", "x": x1, "y": y1}
                shape |= {"width": x2 - x1, "height": y2 - y1}
            attributes = {"animal": kind}
            regions.append({"shape_attributes": shape, "region_attributes": attributes})
        entry = {"filename": f"{name}.png", "size": 1234, "file_attributes": {}}
        entries[f"{name}.png1234"] = {**entry, "regions": regions}
    project = {"_via_settings": {}, "_via_img_metadata": entries}
    text(root / "via_project.json", {**project, "_via_attributes": {"region": {}}})


def via_table(root):
    """VIA 1: a table with a row for each region, and one for an image without."""
    via(root)
    project = json.loads((root / "via_project.json").read_text())
    (root / "via_project.json").unlink()
    with open(root / "via_region_data.csv", "w", newline="") as file:
        file.write("#")
        writer = csv.writer(file)
        columns = ("filename", "file_size", "file_attributes", "region_count")
        columns += ("region_id", "region_shape_attributes", "region_attributes")
        writer.writerow(columns)
        for entry in project["_via_img_metadata"].values():
            for number, region in enumerate(entry["regions"]):
                kinds = ("shape_attributes", "region_attributes")
                cells = [json.dumps(region[kind]) for kind in kinds]
                first = [entry["filename"], 1234, "{}", len(entry["regions"])]
                writer.writerow([*first, number, *cells])
        writer.writerow(["empty.png", 99, "{}", 0, 0, "{}", "{}"])
    write_image(root / "empty.png", photo(9))


def cvat_video(root):
    """CVAT for video 1.1: tracks, whose shapes are there until they are outside."""
    tracks = ""
    for number, (name, frame) in enumerate((("a", 0), ("b", 2))):
        write_image(root / f"images/frame_{frame:06d}.PNG", photo(number))
        for kind, *box in SCENE[name]:
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in ring(*box))
            tracks += f'  <track id="{number}" label="{kind}" source="manual">\n'
            for at, outside in ((frame, 0), (frame + 1, 1)):
                tracks += (
                    f'    <polygon frame="{at}" keyframe="1" outside="{outside}" '
                    f'occluded="0" points="{points}" z_order="0"/>\n'
                )
            tracks += "  </track>\n"
    write_image(root / "images/frame_000001.PNG", photo(9))
    text(
        root / "annotations.xml",
        "<annotations>\n  <meta><task><size>3</size><labels>"
        + "".join(f"<label><name>{name}</name></label>" for name in NAMES)
        + f"</labels></task></meta>\n{tracks}</annotations>\n",
    )


def run_lengths(root):
    """Kaggle: pixels down the columns from 1, a row for each class and image."""
    rows = ["ImageId,ClassId,EncodedPixels"]
    for number, name in enumerate(SCENE):
        write_image(root / f"train_images/{name}.png", photo(number))
        for kind in NAMES:
            boxes = [box for known, *box in SCENE[name] if known == kind]
            mask = np.zeros(SIZE, bool)
            for y1, y2, x1, x2 in boxes:
                mask[y1:y2, x1:x2] = True
            flat = np.concatenate([[0], mask.T.ravel().astype(int), [0]])
            starts = np.flatnonzero(np.diff(flat) == 1)
            ends = np.flatnonzero(np.diff(flat) == -1)
            code = " ".join(f"{a + 1} {b - a}" for a, b in zip(starts, ends))
            rows.append(f"{name}.png,{kind},{code}")
    text(root / "train.csv", "\n".join(rows) + "\n")
    text(root / "sample_submission.csv", f"{rows[0]}\nc.png,cat,1 1 3 1\n")


def panoptic(root):
    """COCO panoptic: dogs are stuff."""
    categories = [{"id": 18, "name": "cat", "isthing": 1}]
    categories.append({"id": 200, "name": "dog", "isthing": 0})
    for number, (name, side) in enumerate(zip(SCENE, ("train2017", "val2017")), 1):
        write_image(root / f"{side}/{name}.jpg", photo(number))
        ids = label_of(name, {"cat": 1, "dog": 2}).astype(int) * 70000
        colors = np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1)
        write_image(
            root / f"annotations/panoptic_{side}/{name}.png", colors.astype("uint8")
        )
        infos = [
            {"id": 70000 * place, "category_id": category, "iscrowd": 0}
            for place, category in ((1, 18), (2, 200))
            if (ids == 70000 * place).any()
        ]
        document = {
            "images": [
                {"id": number, "file_name": f"{name}.jpg", "height": 8, "width": 12}
            ],
            "annotations": [
                {"image_id": number, "file_name": f"{name}.png", "segments_info": infos}
            ],
            "categories": categories,
        }
        text(root / f"annotations/panoptic_{side}.json", document)


def nnunet(root):
    """nnU-Net: two channels of each case."""
    for number, name in enumerate(SCENE):
        for channel in (0, 1):
            band = photo(number)[..., channel]
            write_image(root / f"Dataset001/imagesTr/{name}_000{channel}.png", band)
        write_image(
            root / f"Dataset001/labelsTr/{name}.png",
            label_of(name, {"cat": 1, "dog": 2}),
        )
    labels = {"background": 0, "cat": 1, "dog": 2}
    text(
        root / "Dataset001/dataset.json",
        {"channel_names": {"0": "a", "1": "b"}, "labels": labels, "numTraining": 2},
    )


def class_masks(root, pattern="masks/{kind}/{name}.png"):
    """A black and white mask for each class."""
    for number, name in enumerate(SCENE):
        write_image(root / f"images/{name}.jpg", photo(number))
        for kind in NAMES:
            mask = label_of(name, {"cat": 0, "dog": 0, kind: 255})
            write_image(root / pattern.format(kind=kind, name=name), mask)


def class_suffixes(root):
    """The same, told by the ends of names."""
    class_masks(root, "masks/{name}_{kind}.png")


def annotators(root):
    """Three people, of whom the third has drawn nothing."""
    for number, name in enumerate(SCENE):
        write_image(root / f"images/{name}.jpg", photo(number))
        label = label_of(name, {"cat": 1, "dog": 2})
        for who, mask in (
            ("expert1", label),
            ("expert2", label),
            ("expert3", 0 * label),
        ):
            write_image(root / f"masks/{who}/{name}.png", mask)


def stacks(root):
    """Two pages, as ImageJ writes them."""
    tifffile.imwrite(
        make(root / "train-volume.tif"), np.stack([photo(0), photo(1)])[..., 0]
    )
    pages = [label_of(name, {"cat": 1, "dog": 2}) for name in SCENE]
    tifffile.imwrite(root / "train-labels.tif", np.stack(pages))


def make(path):
    """A path whose folder is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


# Writer: the function that reads it, the ids of cat and dog, and whether the splits
# are given.
FORMS = {
    yolo: ("yolo", {"cat": 1, "dog": 2}, True),
    yolo_roboflow: ("yolo", {"cat": 1, "dog": 2}, True),
    labelme: ("labelme", {"cat": 1, "dog": 2}, False),
    labelme_embedded: ("labelme", {"cat": 1, "dog": 2}, False),
    table: ("table", {"cat": 1, "dog": 2}, True),
    cvat: ("cvat", {"cat": 1, "dog": 2}, False),
    voc: ("voc", {"cat": 8, "dog": 12}, True),
    voc_labelmap: ("voc", {"cat": 1, "dog": 2}, False),
    cityscapes: ("cityscapes", {"cat": 13, "dog": 11}, True),
    ade20k: ("ade20k", {"cat": 126, "dog": 149}, True),
    davis: ("davis", {"cat": 1, "dog": 1}, True),
    coco: ("coco", {"cat": 1, "dog": 2}, True),
    coco_roboflow: ("coco", {"cat": 1, "dog": 2}, True),
    coco_of_cvat: ("coco", {"cat": 1, "dog": 2}, False),
    label_studio: ("label_studio", {"cat": 1, "dog": 2}, False),
    via: ("via", {"cat": 1, "dog": 2}, False),
    via_table: ("via", {"cat": 1, "dog": 2}, False),
    cvat_video: ("cvat", {"cat": 1, "dog": 2}, False),
    run_lengths: ("run_lengths", {"cat": 1, "dog": 2}, False),
    panoptic: ("panoptic", {"cat": 1, "dog": 2}, True),
    nnunet: ("nnunet", {"cat": 1, "dog": 2}, False),
    class_masks: ("class_masks", {"cat": 1, "dog": 2}, False),
    class_suffixes: ("class_masks", {"cat": 1, "dog": 2}, False),
    annotators: ("annotators", {"cat": 1, "dog": 2}, False),
    stacks: ("stacks", {"cat": 1, "dog": 2}, True),
}
