// Run a TensorFlow.js graph model on raw float32 pixels and write its outputs as raw float32.
//   node reference.mjs MODEL.json INPUT.f32 OUTPUT_FOLDER
// Needs @tensorflow/tfjs-core, tfjs-converter and tfjs-backend-cpu beside this file.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';

const [modelPath, inputPath, outputFolder] = process.argv.slice(2);
const description = JSON.parse(readFileSync(modelPath, 'utf8'));
const shards = description.weightsManifest.flatMap((group) => group.paths);
const weights = Buffer.concat(shards.map((shard) => readFileSync(join(dirname(modelPath), shard))));

await tf.setBackend('cpu');
const model = await loadGraphModel(
  tf.io.fromMemory({
    modelTopology: description.modelTopology,
    weightSpecs: description.weightsManifest.flatMap((group) => group.weights),
    weightData: new Uint8Array(weights).buffer,
    signature: description.signature,
  }),
);
const input = readFileSync(inputPath);
const pixels = new Float32Array(new Uint8Array(input).buffer);
const names = Object.keys(description.signature.outputs);
const outputs = model.execute(tf.tensor(pixels, model.inputs[0].shape), names);
names.forEach((name, i) => {
  writeFileSync(join(outputFolder, `${name.split(':')[0]}.f32`), new Uint8Array(outputs[i].dataSync().buffer));
});
