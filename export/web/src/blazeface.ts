/** BlazeFace, short range: where faces are in a picture; kerasface/edge/detection/blazeface.py written once more. */
import { invert, squareView, transformPoint, warp, type Picture, type Point } from "./geometry.ts";
import type { Session } from "./session.ts";

const SIZE = 128;
/** (stride, anchors per cell) of the model's two output grids. */
const GRIDS: readonly Point[] = [
  [8, 2],
  [16, 6],
];
/** Of an anchor: two corners of the box, then six keypoints, the first two of which are the eyes, image-left first. */
const POINTS = 8;
/** MediaPipe's min_suppression_threshold. */
const SAME_FACE_IOU = 0.3;

/** A score and eight points in pixels of the photo. */
export interface Candidate {
  readonly score: number;
  readonly points: readonly Point[];
}

/** A square of the photo, in its pixels. */
export interface View {
  readonly center: Point;
  readonly side: number;
}

export class BlazeFace {
  readonly #session: Session;
  readonly #anchors = anchors();

  constructor(session: Session) {
    this.#session = session;
  }

  /** Scores and places all anchors of one view; what lies outside the image is black. */
  async candidates(image: Picture, { center, side }: View): Promise<Candidate[]> {
    const view = squareView(center, side, 0, SIZE);
    const pixels = Float32Array.from(warp(image, view, SIZE, SIZE).data, (value) => value / 127.5 - 1);
    const outputs = await this.#session.run(pixels);
    const logits = outputs.find((output) => output.length === this.#anchors.length)!;
    const regressors = outputs.find((output) => output.length === 2 * POINTS * this.#anchors.length)!;
    const back = invert(view);
    return this.#anchors.map(([x, y], index) => {
      const values = regressors.subarray(2 * POINTS * index, 2 * POINTS * (index + 1));
      const [halfWidth, halfHeight] = [values[2] / 2, values[3] / 2];
      const offsets: Point[] = [
        [values[0] - halfWidth, values[1] - halfHeight],
        [values[0] + halfWidth, values[1] + halfHeight],
      ];
      for (let i = 4; i < 2 * POINTS; i += 2) {
        offsets.push([values[i], values[i + 1]]);
      }
      return {
        score: 1 / (1 + Math.exp(-logits[index])),
        // The model's pixels have whole numbers on their corners.
        points: offsets.map(([dx, dy]) => transformPoint(back, [x + dx - 0.5, y + dy - 0.5])),
      };
    });
  }
}

/** The 896 anchor centers in pixels of the 128×128 view, whole numbers on pixel corners. */
export function anchors(): Point[] {
  const centers: Point[] = [];
  for (const [stride, perCell] of GRIDS) {
    for (let y = stride / 2; y < SIZE; y += stride) {
      for (let x = stride / 2; x < SIZE; x += stride) {
        for (let i = 0; i < perCell; i++) {
          centers.push([x, y]);
        }
      }
    }
  }
  return centers;
}

/** Merges the anchors that saw the same face: their mean, weighted by score, under the best one's score. */
export function weightedNms(candidates: readonly Candidate[]): Candidate[] {
  let rest = [...candidates].sort((a, b) => b.score - a.score);
  const kept: Candidate[] = [];
  while (rest.length) {
    const best = rest[0];
    // A box without area overlaps nothing, not even itself.
    const isSame = (other: Candidate) => other === best || sameFace(best, other);
    const same = rest.filter(isSame);
    const total = same.reduce((sum, { score }) => sum + score, 0);
    const average = (axis: 0 | 1, i: number) =>
      same.reduce((sum, { score, points }) => sum + (score / total) * points[i][axis], 0);
    kept.push({ score: best.score, points: best.points.map((_, i) => [average(0, i), average(1, i)] as const) });
    rest = rest.filter((other) => !isSame(other));
  }
  return kept;
}

/** Whether two boxes, given by their first two points, overlap as those of one face do. */
export function sameFace(first: Candidate, second: Candidate): boolean {
  return overlap(first.points, second.points) > SAME_FACE_IOU;
}

/** Intersection over union of two boxes, given by their first two points. */
function overlap(first: readonly Point[], second: readonly Point[]): number {
  const shared = area(
    [Math.max(first[0][0], second[0][0]), Math.max(first[0][1], second[0][1])],
    [Math.min(first[1][0], second[1][0]), Math.min(first[1][1], second[1][1])],
  );
  const union = area(first[0], first[1]) + area(second[0], second[1]) - shared;
  return shared / Math.max(union, 1e-12);
}

function area([left, top]: Point, [right, bottom]: Point): number {
  return Math.max(right - left, 0) * Math.max(bottom - top, 0);
}
