/** ONNX files in ONNX Runtime Web, on the CPU. */
import * as ort from "onnxruntime-web/wasm";

import { onnxMetadata } from "./protobuf.ts";
import { inTurn, notStarted, type Session } from "./session.ts";

// More threads need a page that is isolated from other origins by its server's headers.
ort.env.wasm.numThreads = 1;

export async function openOnnx(content: Uint8Array): Promise<Session> {
  const metadata = onnxMetadata(content);
  const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] }).catch((error: Error) => {
    throw error.message.startsWith("no available backend") ? notStarted("ONNX Runtime Web", error) : error;
  });
  const [input, ...others] = session.inputMetadata;
  if (others.length || !input?.isTensor || (input.type !== "uint8" && input.type !== "float32")) {
    throw new Error(`expected one input, a picture. Received: ${session.inputMetadata.map(({ name }) => name)}.`);
  }
  const shape = input.shape.map((size) => (typeof size === "number" ? size : undefined));
  const type = input.type;
  return {
    inputShape: shape,
    inputType: type,
    metadata,
    run: inTurn(async (values) => {
      const tensor = new ort.Tensor(type, values, [1, ...shape.slice(1).map((size) => size ?? 1)]);
      const outputs = await session.run({ [input.name]: tensor });
      return session.outputNames.map((name) => outputs[name].data as Float32Array);
    }),
    close: () => void session.release(),
  };
}
