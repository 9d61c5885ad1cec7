// Mask of a picture by ONNX Runtime in Node: npm install onnxruntime-node
// node run_onnx.mjs model.onnx photo.ppm mask.pgm [onnxruntime-web]
import fs from "fs";
import { createRequire } from "module";

const [model, photo, mask, runtime = "onnxruntime-node"] = process.argv.slice(2);
const ort = createRequire(`${process.cwd()}/`)(runtime);
const file = fs.readFileSync(photo); // "P6 WIDTH HEIGHT 255", then red, green, blue
const [head, width, height] = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(file.toString("latin1"));
const shape = [1, +height, +width, 3];
const images = new ort.Tensor("uint8", new Uint8Array(file.subarray(head.length)), shape);
const session = await ort.InferenceSession.create(new Uint8Array(fs.readFileSync(model)));
const { class_ids } = await session.run({ images }, ["class_ids"]);
const pixels = Buffer.from(Uint8Array.from(class_ids.data));
fs.writeFileSync(mask, Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), pixels]));
