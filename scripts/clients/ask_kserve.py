"""Mask by a server of KServe's protocol: ask_kserve.py URL MODEL photo.jpg mask.png"""

import asyncio
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from PIL import Image

url, model, photo, mask = sys.argv[1:]
image = np.asarray(Image.open(photo).convert("RGB"))[None]
tensor = InferInput("image", list(image.shape), "UINT8")
tensor.set_data_from_numpy(image, binary_data=True)
output = RequestedOutput("mask", {"binary_data": True})
request = InferRequest(model, [tensor], request_outputs=[output])
client = InferenceRESTClient(RESTConfig(protocol="v2"))
answer = asyncio.run(client.infer(url, request, model_name=model))
Image.fromarray(answer.outputs[0].as_numpy()[0]).save(mask)
