/** A model of one input, run in the page: pixels in, numbers out, by what the file holds. */
import { KerasfaceError } from "./errors.ts";

export interface Session {
  /** undefined where a dimension is free. */
  readonly inputShape: readonly (number | undefined)[];
  readonly inputType: "uint8" | "float32";
  readonly metadata: ReadonlyMap<string, Uint8Array>;
  /** Runs the model on one picture; the outputs in the model's order. */
  run(values: Uint8Array | Float32Array): Promise<Float32Array[]>;
  close(): void;
}

/** Opens a TFLite file in LiteRT.js or an ONNX file in ONNX Runtime Web; only the one that is needed is loaded. */
export async function openSession(content: Uint8Array, name: string): Promise<Session> {
  try {
    // A FlatBuffers file carries its identifier at bytes 4…8; an ONNX file begins with field 1, a varint.
    if (new TextDecoder().decode(content.subarray(4, 8)) === "TFL3") {
      const { openTflite } = await import("./litert.ts");
      return await openTflite(content);
    }
    if (content[0] === 8) {
      const { openOnnx } = await import("./onnx.ts");
      return await openOnnx(content);
    }
  } catch (error) {
    if (error instanceof KerasfaceError) {
      throw error;
    }
    throw new KerasfaceError(
      `${name} (${content.length} bytes) doesn't open: ${firstLine(error)} Is it whole? Export or copy it again.`,
    );
  }
  throw new KerasfaceError(
    `${name} is neither a TFLite nor an ONNX model: kerasface export MODEL --to tflite --out FILE writes one.`,
  );
}

/** What to say where the runtime, not the model, is at fault. */
export function notStarted(runtime: string, error: unknown): KerasfaceError {
  return new KerasfaceError(
    `${runtime} doesn't start: ${firstLine(error)} Are all files of the build on the server, and does its policy allow ` +
      "WebAssembly (script-src 'wasm-unsafe-eval')?",
  );
}

function firstLine(error: unknown): string {
  // A script that doesn't come is told as an event.
  return error instanceof Error ? error.message.split("\n")[0] : "its script doesn't come.";
}

/** Pictures come one at a time and no runtime may start a second run before the first has ended. */
export function inTurn<Input, Output>(run: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  let last: Promise<unknown> = Promise.resolve();
  return (input) => {
    const next = last.then(() => run(input));
    last = next.catch(() => undefined);
    return next;
  };
}
