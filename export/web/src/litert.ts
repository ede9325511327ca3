/** TFLite files in LiteRT.js, on the CPU. */
import { loadAndCompile, loadLiteRt, Tensor, type TypedArray } from "@litertjs/core";
// LiteRT.js loads one pair of these by name, from the folder that it is given; both go where their folder is.
import "@litertjs/core/wasm/litert_wasm_compat_internal.js?url";
import "@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url";
import script from "@litertjs/core/wasm/litert_wasm_internal.js?url";
import "@litertjs/core/wasm/litert_wasm_internal.wasm?url";

import { tfliteMetadata } from "./flatbuffer.ts";
import { inTurn, type Session } from "./session.ts";

let runtime: Promise<unknown> | undefined;

export async function openTflite(content: Uint8Array): Promise<Session> {
  const metadata = tfliteMetadata(content);
  runtime ??= loadLiteRt(new URL("./", new URL(script, document.baseURI)).href);
  await runtime;
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
