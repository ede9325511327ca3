/** TFLite files in LiteRT.js, on the CPU. */
import { loadAndCompile, loadLiteRt, supportsFeature, Tensor, type TypedArray } from "@litertjs/core";
import compatScript from "@litertjs/core/wasm/litert_wasm_compat_internal.js?url";
import compatBinary from "@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url";
import script from "@litertjs/core/wasm/litert_wasm_internal.js?url";
import binary from "@litertjs/core/wasm/litert_wasm_internal.wasm?url";

import { tfliteMetadata } from "./flatbuffer.ts";
import { inTurn, notStarted, type Session } from "./session.ts";

let runtime: Promise<unknown> | undefined;

/** Each file by the address that the bundler gave it: LiteRT.js would look for its own names. */
async function start(): Promise<void> {
  const files = (await supportsFeature("relaxedSimd")) ? [script, binary] : [compatScript, compatBinary];
  const [scriptUrl, binaryUrl] = files.map((file) => new URL(file, document.baseURI).href);
  self.Module = { locateFile: () => binaryUrl };
  await loadLiteRt(scriptUrl);
}

export async function openTflite(content: Uint8Array): Promise<Session> {
  const metadata = tfliteMetadata(content);
  runtime ??= start();
  await runtime.catch((error: unknown) => {
    throw notStarted("LiteRT.js", error);
  });
  const model = await loadAndCompile(content, { accelerator: "wasm" });
  const inputs = model.getInputDetails();
  if (inputs.length !== 1 || inputs[0].dtype === "int32") {
    throw new Error(`expected one input, a picture. Received: ${inputs.map(({ dtype }) => dtype).join(", ")}.`);
  }
  const shape = [...inputs[0].shape];
  return {
    inputShape: shape,
    inputType: inputs[0].dtype,
    metadata,
    run: inTurn(async (values) => {
      const input = new Tensor(values as TypedArray, shape);
      try {
        const outputs = await model.run([input]);
        return outputs.map((output) => {
          // The runtime's memory is used again once the tensor is deleted.
          const copy = Float32Array.from(output.toTypedArray());
          output.delete();
          return copy;
        });
      } finally {
        input.delete();
      }
    }),
    close: () => model.delete(),
  };
}
