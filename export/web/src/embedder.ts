/** An exported face embedder: an aligned crop in, a unit-length embedding out. */
import { sha256 } from "./digest.ts";
import { KerasfaceError } from "./errors.ts";
import type { Picture } from "./geometry.ts";
import { openSession, type Session } from "./session.ts";
import { parseSpec, SPEC_KEY, type EmbedderSpec } from "./spec.ts";

export class Embedder {
  readonly spec: EmbedderSpec;
  readonly #session: Session;
  readonly #name: string;

  constructor(session: Session, spec: EmbedderSpec, name: string) {
    this.#session = session;
    this.spec = spec;
    this.#name = name;
    const { input_height: height, input_width: width } = spec;
    const dimensions = session.inputShape.slice(1);
    if (![`${height},${width},3`, `3,${height},${width}`].includes(dimensions.join())) {
      throw new KerasfaceError(
        `${name} is not an embedder as its spec says: expected pictures of ${height}×${width}×3. ` +
          `Received: ${dimensions.join("×")}`,
      );
    }
    if ((session.inputShape[0] ?? 1) !== 1) {
      throw new KerasfaceError(`${name} takes ${session.inputShape[0]} pictures a run; export it without --batch.`);
    }
  }

  /**
   * Opens a file that kerasface export wrote.
   *
   * @param sidecar the JSON beside it; its spec wins over the one in the file, since thresholds are calibrated on the
   * finished file
   */
  static async open(content: Uint8Array, name: string, sidecar?: string): Promise<Embedder> {
    const beside = sidecar === undefined ? undefined : await readSidecar(sidecar, content, name);
    const session = await openSession(content, name);
    const entry = session.metadata.get(SPEC_KEY);
    const inside = entry && parseSpec(new TextDecoder().decode(entry), name);
    const spec = beside ?? inside;
    if (!spec) {
      throw new KerasfaceError(
        `${name} carries no EmbedderSpec, so its preprocessing and its identity are unknown. Choose its .json file ` +
          "together with it, or export it with kerasface export; bring in an embedder of others with kerasface zoo " +
          "import first.",
      );
    }
    if (inside && inside.embedder_id !== spec.embedder_id) {
      throw new KerasfaceError(`${name} and its .json file are of two models. Export it again.`);
    }
    return new Embedder(session, spec, name);
  }

  /** Embeds an aligned face; obeys the spec's flip. */
  async embed(face: Picture): Promise<Float32Array> {
    const embedding = await this.#run(face);
    const { flip } = this.spec;
    if (flip === "none") {
      return embedding;
    }
    const mirrored = await this.#run(mirror(face));
    return this.#unit(
      flip === "sum" ? embedding.map((value, i) => value + mirrored[i]) : new Float32Array([...embedding, ...mirrored]),
    );
  }

  close(): void {
    this.#session.close();
  }

  async #run(face: Picture): Promise<Float32Array> {
    const planar = this.#session.inputShape[1] === 3;
    const pixels = planar ? planes(face) : face.data;
    const outputs = await this.#session.run(this.#session.inputType === "uint8" ? pixels : Float32Array.from(pixels));
    if (outputs.length !== 1 || outputs[0].length !== this.spec.embedding_size) {
      throw new KerasfaceError(
        `${this.#name} is not an embedder as its spec says: expected ${this.spec.embedding_size} numbers. ` +
          `Received: ${outputs.map(({ length }) => length).join(", ")}`,
      );
    }
    return this.#unit(outputs[0]);
  }

  #unit(values: Float32Array): Float32Array {
    const norm = Math.hypot(...values);
    if (!(norm > 0 && norm < Infinity)) {
      throw new KerasfaceError(`${this.#name} gave an embedding without a direction: it is damaged. Export it again.`);
    }
    return values.map((value) => value / norm);
  }
}

async function readSidecar(text: string, content: Uint8Array, name: string): Promise<EmbedderSpec> {
  let fields: { spec?: unknown; sha256?: unknown } | null;
  try {
    fields = JSON.parse(text) as typeof fields;
  } catch {
    fields = null;
  }
  if (!fields?.spec || !fields.sha256) {
    throw new KerasfaceError(`The .json file of ${name} is none of kerasface export: it lacks spec or sha256.`);
  }
  if (fields.sha256 !== (await sha256(content))) {
    throw new KerasfaceError(`${name} is not the file that its .json file was written for. Copy both again.`);
  }
  return parseSpec(JSON.stringify(fields.spec), `the .json file of ${name}`);
}

function mirror({ width, height, data }: Picture): Picture {
  const mirrored = new Uint8Array(data.length);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = 3 * (pixel - (pixel % width) + (width - 1 - (pixel % width)));
    mirrored.set(data.subarray(from, from + 3), 3 * pixel);
  }
  return { width, height, data: mirrored };
}

/** (H, W, 3) to (3, H, W). */
function planes({ data }: Picture): Uint8Array {
  const size = data.length / 3;
  return Uint8Array.from(data, (_, i) => data[3 * (i % size) + Math.floor(i / size)]);
}
