"""Requests of the Open Inference Protocol, version 2, over HTTP: paths below `/v2`.

KServe, Triton and OpenVINO Model Server speak it: tensors by name as JSON, or as their
bytes behind the JSON (the binary tensor data extension). Here a request holds one
picture; those that wait are put together by the server.

Reference: https://github.com/kserve/open-inference-protocol
"""

import base64
import binascii
import importlib.metadata
import io
import json
import math

import numpy as np
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

LENGTH = "inference-header-content-length"  # of the JSON, where bytes follow it
DTYPES = {
    "UINT8": "u1",
    "UINT16": "<u2",
    "INT32": "<i4",
    "FP32": "<f4",
}
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
PICTURES = ("UINT8", "UINT16", "FP32")
HOW = "POST JSON to /v2/models/NAME/infer; GET /v2/models/NAME says of which tensors."


def begin(request, model):
    """Length of the JSON in the body, None for all of it.

    Args:
        request: starlette.requests.Request, whose body has not been read.
        model: `Segmenter`.

    Raises:
        HTTPException: if the path names another model, or for no length.
    """
    check_name(request, model)
    length = request.headers.get(LENGTH)
    # Python refuses numbers of more than 4,300 digits.
    fits = length is None or (length.isascii() and length.isdigit())
    if not fits or len(length or "") > 15:
        raise _bad(f"{LENGTH} must be a number of bytes", length[:100])
    return None if length is None else int(length)


def unpack(data, begun):
    """Bytes of a picture's file in the body `data`, and the request as a dict.

    Raises:
        HTTPException: if the body is no request for one picture.
    """
    length = len(data) if begun is None else begun
    try:
        document = json.loads(data[:length])
    except (ValueError, RecursionError) as error:
        raise _bad("The body must be JSON", f"{error}") from error
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not (
        isinstance(inputs, list) and len(inputs) == 1 and isinstance(inputs[0], dict)
    ):
        raise _bad(
            "`inputs` must be a list of one tensor, a picture", f"{inputs!r:.80}"
        )
    (tensor,) = inputs
    kind, name, rest = tensor.get("datatype"), tensor.get("name"), data[length:]
    if (size := _parameters(tensor).get("binary_data_size")) is not None:
        if size != len(rest):
            raise _bad(f"{size!r} bytes must follow the JSON", f"{len(rest)}")
        tensor = {**tensor, "data": rest}
    if name == "file" and kind == "BYTES":
        return _file(tensor.get("data")), document
    if name == "image" and kind in PICTURES:
        return _picture(tensor, kind), document
    wanted = f"'image' of {', '.join(PICTURES)}, or 'file' of BYTES"
    raise _bad(f"The input must be {wanted}", f"{name!r:.40} of {kind!r:.40}")


def pack(model, image, found, document):
    """The answer to the request `document`: bytes, and headers with their kind."""
    tensors = model.tensors(found)
    wanted = document.get("outputs") or [{"name": name} for name in tensors]
    try:
        wanted = {one["name"]: _parameters(one) for one in wanted}
        tensors = {name: tensors[name] for name in wanted}
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad(f"`outputs` may name {', '.join(tensors)}", f"{error}") from error
    all_binary = _parameters(document).get("binary_data_output", False)
    outputs, parts = [], []
    for name, array in tensors.items():
        shape, kind = list(array.shape), NAMES[array.dtype]
        output = {"name": name, "shape": shape, "datatype": kind}
        if wanted[name].get("binary_data", all_binary):
            parts.append(array.astype(DTYPES[kind]).tobytes())
            output["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            # JSON has no NaN; comparing with itself finds it.
            output["data"] = [x if x == x else None for x in array.ravel().tolist()]
        outputs.append(output)
    answer = {"model_name": model.name, "outputs": outputs}
    if "id" in document:
        answer["id"] = document["id"]
    content = json.dumps(answer).encode()
    if not parts:
        return content, {"content-type": "application/json"}
    headers = {"content-type": "application/octet-stream", LENGTH: f"{len(content)}"}
    return b"".join([content, *parts]), headers


def server(request):
    """Answer to GET /v2."""
    about = {"name": "kerasseg", "version": importlib.metadata.version("kerasseg")}
    return JSONResponse({**about, "extensions": ["binary_tensor_data"]})


def check_name(request, model):
    """Raise HTTPException unless the path of a request names the model."""
    if (name := request.path_params["name"]) != model.name:
        raise HTTPException(
            404, f"There is the model {model.name!r}, not {name!r:.80}."
        )


def describe(model):
    """Metadata of a model, as the protocol has it."""
    channels = model.about()["channels"]
    image = [("image", "UINT8", [1, -1, -1, channels]), ("file", "BYTES", [1])]
    found = [  # empty ones have the sizes that are not known
        (name, NAMES[array.dtype], [size or -1 for size in array.shape])
        for name, array in model.tensors().items()
    ]
    keys = ("name", "datatype", "shape")
    return {
        "name": model.name,
        "platform": "kerasseg",
        "inputs": [dict(zip(keys, one)) for one in image],
        "outputs": [dict(zip(keys, one)) for one in found],
    }


def _parameters(some):
    given = some.get("parameters") or {}
    if not isinstance(given, dict):
        raise _bad("`parameters` must be an object", f"{given!r:.80}")
    return given


def _file(given):
    """The bytes of a file from base64, or behind their length of four bytes."""
    if isinstance(given, bytes):
        if int.from_bytes(given[:4], "little") != len(given) - 4:
            raise _bad("A file must follow its length, 4 bytes", f"{len(given)} bytes")
        return given[4:]
    while isinstance(given, list) and len(given) == 1:
        (given,) = given
    try:
        return base64.b64decode(given, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise _bad("`data` must be one file in base64", f"{given!r:.40}") from error


def _picture(tensor, kind):
    """A .npy file of a tensor [1, H, W, C] or [H, W, C], which is read as any file."""
    shape, given = tensor.get("shape"), tensor.get("data")
    is_shape = isinstance(shape, list) and all(type(x) is int and x > 0 for x in shape)
    if not is_shape or len(shape) not in (3, 4) or (len(shape) == 4 and shape[0] != 1):
        raise _bad("The shape must be [1, height, width, channels]", f"{shape!r:.80}")
    dtype = np.dtype(DTYPES[kind])
    try:
        if isinstance(given, bytes):
            values = np.frombuffer(given, dtype)
        else:
            values = np.asarray(given)
            with np.errstate(over="ignore"):  # infinite then, and refused as that
                cast = values.astype(dtype)
            if values.dtype.kind not in "iuf" or (
                kind != "FP32" and (cast != values).any()
            ):
                raise ValueError(f"numbers that are not {kind}")
            values = cast
        # A flat list, or lists in lists that have the shape themselves.
        if values.size != math.prod(shape) or values.shape not in (
            (values.size,),
            (*shape,),
        ):
            raise ValueError(f"numbers of shape {values.shape} for {shape}")
    except (ValueError, TypeError, OverflowError) as error:
        raise _bad(f"`data` must be {kind} of the stated shape", f"{error}") from error
    file = io.BytesIO()
    np.save(file, values.reshape(shape[-3:]))
    return file.getvalue()


def _bad(required, received):
    return HTTPException(400, f"{required}. Received: {received}.")
