/** What the page holds in memory: nothing else does. */
import { KerasfaceError } from "./errors.ts";
import { Gallery } from "./gallery.ts";
import type { Picture } from "./geometry.ts";
import { element } from "./page.ts";
import type { FacePipeline } from "./pipeline.ts";

export interface State {
  readonly pipeline: FacePipeline;
  gallery: Gallery;
  /** The last crop enrolled of each person; a gallery from a file has none. */
  readonly faces: Map<string, Picture>;
}

/** The cosine that decides. */
export function threshold(): number {
  const input = element<HTMLInputElement>("threshold");
  if (!input.value || !input.checkValidity()) {
    throw new KerasfaceError(
      "The decision needs a threshold: this embedder carries no calibrated one. Give a cosine between -1 and 1, chosen " +
        "on your own pairs of photos.",
    );
  }
  return input.valueAsNumber;
}
