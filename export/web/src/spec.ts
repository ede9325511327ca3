/** EmbedderSpec: the one truth about an embedder, as kerasface/spec.py writes it. */
import { KerasfaceError } from "./errors.ts";

/** The name under which the spec's JSON stands in TFLite's metadata and in ONNX's metadata_props. */
export const SPEC_KEY = "kerasface.EmbedderSpec";

const FORMAT = 1;

export interface Threshold {
  readonly cosine: number;
  readonly far: number;
  readonly calibrated_on: string;
}

export interface EmbedderSpec {
  readonly name: string;
  readonly embedder_id: string;
  readonly embedding_size: number;
  readonly input_height: number;
  readonly input_width: number;
  readonly template: string;
  readonly flip: "none" | "sum" | "concatenate";
  readonly thresholds: readonly Threshold[];
  readonly training_data: string;
  readonly licence: string;
  /** The JSON that it was read from. */
  readonly text: string;
}

/** Reads what kerasface wrote; `source` is what the message calls it. */
export function parseSpec(text: string, source: string): EmbedderSpec {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new KerasfaceError(`The spec in ${source} is no JSON. Export the model again with kerasface export.`);
  }
  if (fields?.format !== FORMAT) {
    throw new KerasfaceError(
      `The spec in ${source} should be of format ${FORMAT}; a newer kerasface wrote it. Received: ${fields?.format}`,
    );
  }
  const spec = { ...fields, text } as unknown as EmbedderSpec;
  const isPositive = (value: unknown) => Number.isInteger(value) && (value as number) > 0;
  const isWhole =
    typeof spec.name === "string" &&
    typeof spec.embedder_id === "string" &&
    [spec.embedding_size, spec.input_height, spec.input_width].every(isPositive) &&
    ["none", "sum", "concatenate"].includes(spec.flip) &&
    fields.metric === "cosine" &&
    Array.isArray(spec.thresholds) &&
    spec.thresholds.every(({ cosine, far }) => Math.abs(cosine) <= 1 && far > 0 && far < 1);
  if (!isWhole) {
    throw new KerasfaceError(`The spec in ${source} lacks fields. Export the model again with kerasface export.`);
  }
  return spec;
}

/** The threshold that decides: the strictest FAR's, since a false accept is the worse mistake; undefined: none. */
export function calibratedThreshold(spec: EmbedderSpec): Threshold | undefined {
  const strictest = Math.min(...spec.thresholds.map(({ far }) => far));
  return spec.thresholds
    .filter(({ far }) => far === strictest)
    .reduce<Threshold | undefined>((kept, next) => (kept && kept.cosine >= next.cosine ? kept : next), undefined);
}
