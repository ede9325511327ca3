/** Which face a photo of one person shows, or why that can't be said: kerasface/edge/detection/selection.py once more. */
import type { Face } from "./detector.ts";
import { KerasfaceError } from "./errors.ts";

const SIMILAR_SIDE = 0.7;

/** The one face that a photo is about; `name` is what the message calls the photo. */
export function theFace(faces: readonly Face[], name: string): Face {
  if (!faces.length) {
    throw new KerasfaceError(`No face found in ${name}. Take a photo that shows the face larger and from the front.`);
  }
  const side = ({ low, high }: Face) => Math.sqrt((high[0] - low[0]) * (high[1] - low[1]));
  const ordered = [...faces].sort((a, b) => side(b) - side(a));
  const similar = ordered.filter((face) => side(face) >= SIMILAR_SIDE * side(ordered[0]));
  if (similar.length > 1) {
    throw new KerasfaceError(
      `${similar.length} faces of similar size in ${name}: whose is meant? Crop the photo to one person.`,
    );
  }
  return ordered[0];
}
