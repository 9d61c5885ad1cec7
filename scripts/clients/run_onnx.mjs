const USAGE = `Mask of a picture by ONNX Runtime in Node. The picture is a PPM file:

  ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node  # skip CUDA's libraries
  python -c "from PIL import Image; Image.open('photo.jpg').convert('RGB').save('photo.ppm')"
  node run_onnx.mjs model.onnx photo.ppm mask.pgm [onnxruntime-web]`;

import fs from "fs";
import { createRequire } from "module";

const stop = (words) => {
  console.error(words);
  process.exit(1);
};
process.on("uncaughtException", ({ code, message }) =>
  stop(code === "MODULE_NOT_FOUND" ? `${runtime} is not in this folder.\n\n${USAGE}` : message),
);
const [model, photo, mask, runtime = "onnxruntime-node"] = process.argv.slice(2);
if (!mask) stop(USAGE);
const require = createRequire(`${process.cwd()}/`); // the packages of this folder
const file = fs.readFileSync(photo); // "P6 WIDTH HEIGHT 255", then red, green, blue
const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(file.toString("latin1"));
if (!head) stop(`${photo} is no PPM file of 8 bits.\n\n${USAGE}`);
const [{ length }, width, height] = head; // length of the text before the pixels
const ort = require(runtime);
const shape = [1, +height, +width, 3];
const images = new ort.Tensor("uint8", new Uint8Array(file.subarray(length)), shape);
const session = await ort.InferenceSession.create(new Uint8Array(fs.readFileSync(model)));
const names = session.outputNames;
if (!names.includes("class_ids")) stop(`${model} answers with ${names}, not with a map of classes.`);
const { class_ids } = await session.run({ images }, ["class_ids"]);
const pixels = Buffer.from(Uint8Array.from(class_ids.data));
fs.writeFileSync(mask, Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), pixels]));
