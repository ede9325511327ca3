/** The embedder around a runtime that tells what it was fed. */
import { expect, test } from "vitest";

import { sha256 } from "../src/digest.ts";
import { quarterTurns } from "../src/detector.ts";
import { Embedder } from "../src/embedder.ts";
import type { Picture } from "../src/geometry.ts";
import { onnxMetadata } from "../src/protobuf.ts";
import { tfliteMetadata } from "../src/flatbuffer.ts";
import type { Session } from "../src/session.ts";
import { parseSpec, type EmbedderSpec } from "../src/spec.ts";

const FACE: Picture = { width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i) };

function specWith(changes: Partial<Record<keyof EmbedderSpec, unknown>> = {}): EmbedderSpec {
  const fields = {
    format: 1,
    name: "small.test",
    embedder_id: "5eed",
    embedding_size: 3,
    input_height: 2,
    input_width: 3,
    template: "none",
    flip: "none",
    metric: "cosine",
    thresholds: [],
    ...changes,
  };
  return parseSpec(JSON.stringify(fields), "the test");
}

/** Answers the first pixel it was fed. */
function session(inputShape: number[], inputType: "uint8" | "float32" = "uint8") {
  const fed: (Uint8Array | Float32Array)[] = [];
  const made: Session = {
    inputShape,
    inputType,
    metadata: new Map(),
    run: async (values) => {
      fed.push(values);
      return [Float32Array.from([values[0] + 3, values[1], values[2]])];
    },
    close: () => undefined,
  };
  return { made, fed };
}

test("pixels are fed as the model wants them, the embedding is of unit length", async () => {
  for (const [shape, type, expected] of [
    [[1, 2, 3, 3], "uint8", [...FACE.data]],
    [[1, 2, 3, 3], "float32", [...FACE.data]],
    [[1, 3, 2, 3], "uint8", [0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17]],
  ] as const) {
    const { made, fed } = session([...shape], type);
    const embedding = await new Embedder(made, specWith(), "test").embed(FACE);
    expect([...fed[0]]).toEqual(expected);
    expect(fed[0]).toBeInstanceOf(type === "uint8" ? Uint8Array : Float32Array);
    expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
  }
});

test("the spec's flip is obeyed", async () => {
  const mirrored = [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11];
  const unit = (values: number[]) => values.map((value) => value / Math.hypot(...values));
  const [plain, other] = [unit([3, 1, 2]), unit([9, 7, 8])];
  for (const [flip, expected] of [
    ["sum", unit(plain.map((value, i) => value + other[i]))],
    ["concatenate", unit([...plain, ...other])],
  ] as const) {
    const { made, fed } = session([1, 2, 3, 3]);
    const embedding = await new Embedder(made, specWith({ flip }), "test").embed(FACE);
    expect([...fed[1]]).toEqual(mirrored);
    expect([...embedding].map((value) => value.toFixed(6))).toEqual(expected.map((value) => value.toFixed(6)));
  }
});

test("a model that isn't what its spec says is refused", async () => {
  expect(() => new Embedder(session([1, 4, 3, 3]).made, specWith(), "face.tflite")).toThrow("Received: 4×3×3");
  expect(() => new Embedder(session([8, 2, 3, 3]).made, specWith(), "face.tflite")).toThrow("8 pictures a run");
  const { made } = session([1, 2, 3, 3]);
  await expect(new Embedder(made, specWith({ embedding_size: 5 }), "f").embed(FACE)).rejects.toThrow("Received: 3");
  const zeros = { ...made, run: async () => [new Float32Array(3)] };
  await expect(new Embedder(zeros, specWith(), "f").embed(FACE)).rejects.toThrow("without a direction");
});

test("specs that can't be read are refused", () => {
  expect(() => parseSpec("{", "f")).toThrow("no JSON");
  expect(() => specWith({ format: 2 } as never)).toThrow("Received: 2");
  expect(() => specWith({ flip: "twice" })).toThrow("lacks fields");
  expect(() => specWith({ thresholds: [{ cosine: 3, far: 0.1 }] })).toThrow("lacks fields");
});

test("metadata of damaged files ends in an error", () => {
  const random = Uint8Array.from({ length: 400 }, (_, i) => (i * 7919) % 256);
  expect(() => tfliteMetadata(random)).toThrow(RangeError);
  expect(() => onnxMetadata(random)).toThrow(RangeError);
  const entry = [114, 6, 10, 1, 97, 18, 1, 98]; // field 14: {key: "a", value: "b"}
  expect([...onnxMetadata(Uint8Array.from([8, 150, 1, ...entry]))]).toEqual([["a", Uint8Array.from([98])]]);
});

test("sha256 of nothing", async () => {
  expect(await sha256(new Uint8Array())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("quarter turns are counterclockwise", () => {
  const pixel = ({ data, width }: Picture, x: number, y: number) => data[3 * (y * width + x)] / 3;
  const turned = quarterTurns(FACE, 1);
  // 0 1 2 / 3 4 5 becomes 2 5 / 1 4 / 0 3.
  expect([turned.width, turned.height]).toEqual([2, 3]);
  expect([pixel(turned, 0, 0), pixel(turned, 1, 0), pixel(turned, 0, 2)]).toEqual([2, 5, 0]);
  expect([...quarterTurns(quarterTurns(FACE, 3), 1).data]).toEqual([...FACE.data]);
  expect([...quarterTurns(quarterTurns(FACE, 2), 2).data]).toEqual([...FACE.data]);
});
