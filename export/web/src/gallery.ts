/** Names and face templates in the page's memory: kerasface/edge/galleries/gallery.py written once more. */
import { KerasfaceError } from "./errors.ts";
import { packGallery, unpackGallery } from "./gallery_file.ts";
import { parseSpec, type EmbedderSpec } from "./spec.ts";

/** The answer to "who is this?". */
export interface Match {
  /** undefined: unknown. */
  readonly name: string | undefined;
  /** Cosine to the nearest person's template; -1 when the gallery is empty. */
  readonly score: number;
  readonly nearest: string | undefined;
}

interface Person {
  readonly mean: Float64Array;
  readonly count: number;
}

/** People known by the normalized mean of their embeddings, bound to the one embedder that made them. */
export class Gallery {
  readonly spec: EmbedderSpec;
  readonly #people = new Map<string, Person>();

  constructor(spec: EmbedderSpec) {
    this.spec = spec;
  }

  /** Whether an embedder knows these people: all files that were exported from one model do. */
  fits(spec: EmbedderSpec): boolean {
    return this.spec.embedder_id === spec.embedder_id && this.spec.flip === spec.flip;
  }

  /** The people, sorted. */
  get names(): string[] {
    return [...this.#people.keys()].sort();
  }

  /** How many photos a person was enrolled with. */
  count(name: string): number {
    return this.#people.get(name)?.count ?? 0;
  }

  /** Adds a photo of a person; a known name's template becomes the mean of the old ones and the new one. */
  enroll(name: string, embedding: Float32Array | Float64Array): void {
    const { mean, count } = this.#people.get(name) ?? { mean: new Float64Array(embedding.length), count: 0 };
    if (mean.length !== embedding.length) {
      throw new KerasfaceError("This gallery holds embeddings of another size: was it made with another flip?");
    }
    const next = mean.map((value, i) => (value * count + embedding[i]) / (count + 1));
    if (Math.hypot(...next) < 1e-3) {
      throw new KerasfaceError(`The photos of ${name} have nothing in common: are they of one person?`);
    }
    this.#people.set(name, { mean: next, count: count + 1 });
  }

  remove(name: string): void {
    this.#people.delete(name);
  }

  /** Who a face is: the nearest person when the cosine is at least the threshold, else unknown. */
  identify(embedding: Float32Array | Float64Array, threshold: number): Match {
    let match: Match = { name: undefined, score: -1, nearest: undefined };
    for (const name of this.names) {
      const { mean } = this.#people.get(name)!;
      const dot = mean.reduce((sum, value, i) => sum + value * embedding[i], 0);
      const score = Math.max(-1, Math.min(1, dot / Math.hypot(...mean)));
      if (match.nearest === undefined || score > match.score) {
        match = { name: score >= threshold ? name : undefined, score, nearest: name };
      }
    }
    return match;
  }

  /** The file that kerasface identify --gallery reads too. */
  async save(): Promise<Uint8Array> {
    const people = this.names.map((name) => ({ name, ...this.#people.get(name)! }));
    return packGallery(this.spec.text, people);
  }

  /** Reads a gallery's file; another embedder's is refused. */
  static async open(content: Uint8Array, spec: EmbedderSpec): Promise<Gallery> {
    const { spec: text, people } = await unpackGallery(content);
    const own = parseSpec(text, "the gallery");
    if (own.embedder_id !== spec.embedder_id) {
      throw new KerasfaceError(
        `The gallery belongs to embedder ${own.embedder_id} (${own.name}): embeddings of different models can't be ` +
          `compared. Received: embedder ${spec.embedder_id}. Load that gallery's model, or enroll anew.`,
      );
    }
    const gallery = new Gallery(spec);
    const size = spec.embedding_size * (spec.flip === "concatenate" ? 2 : 1);
    for (const { name, mean, count } of people) {
      if (mean.length !== size) {
        throw new KerasfaceError(
          `The gallery's templates should have ${size} numbers, as this embedder's embeddings. Received: ` +
            `${mean.length}. Was it made with another flip? Enroll anew, or load the model that made it.`,
        );
      }
      gallery.#people.set(name, { mean, count });
    }
    return gallery;
  }
}
