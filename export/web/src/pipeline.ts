/** Photo to faces: detect, align, embed. */
import { crop, TEMPLATES, type Template } from "./align.ts";
import type { Face, FaceDetector } from "./detector.ts";
import type { Embedder } from "./embedder.ts";
import { KerasfaceError } from "./errors.ts";
import type { Picture } from "./geometry.ts";
import { theFace } from "./selection.ts";

export interface EmbeddedFace {
  readonly face: Face;
  readonly crop: Picture;
  /** Of unit length. It is biometric data of the person shown. */
  readonly embedding: Float32Array;
}

export class FacePipeline {
  readonly embedder: Embedder;
  readonly #detector: FaceDetector;
  readonly #template: Template;

  constructor(embedder: Embedder, detector: FaceDetector) {
    const { spec } = embedder;
    const template = TEMPLATES[spec.template];
    if (template?.width !== spec.input_width || template.height !== spec.input_height) {
      throw new KerasfaceError(
        `${spec.name} takes no faces of a known template: expected ${Object.keys(TEMPLATES).join(" or ")}. ` +
          `Received: ${spec.template}, ${spec.input_height}×${spec.input_width}`,
      );
    }
    this.embedder = embedder;
    this.#detector = detector;
    this.#template = template;
  }

  /** Finds and embeds every face, largest first, also small ones beside large ones. */
  async faces(photo: Picture): Promise<EmbeddedFace[]> {
    return this.#embedAll(photo, await this.#detector.detectAll(photo));
  }

  /** The same for one frame of a video. */
  async facesOfFrame(frame: Picture): Promise<EmbeddedFace[]> {
    return this.#embedAll(frame, await this.#detector.detectUpright(frame));
  }

  /** Finds and embeds the one face that the photo is about; `name` is what messages call the photo. */
  async face(photo: Picture, name: string): Promise<EmbeddedFace> {
    return this.#embed(photo, theFace(await this.#detector.detect(photo), name));
  }

  async #embedAll(photo: Picture, faces: readonly Face[]): Promise<EmbeddedFace[]> {
    const embedded: EmbeddedFace[] = [];
    for (const face of faces) {
      embedded.push(await this.#embed(photo, face));
    }
    return embedded;
  }

  async #embed(photo: Picture, face: Face): Promise<EmbeddedFace> {
    const aligned = crop(photo, face.points, this.#template);
    return { face, crop: aligned, embedding: await this.embedder.embed(aligned) };
  }
}
