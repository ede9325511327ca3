/** MediaPipe's face mesh and the five of its points that alignment needs: kerasface/edge/detection/landmarks.py once more. */
import { invert, squareView, transformPoint, warp, type Picture, type Point } from "./geometry.ts";
import type { Session } from "./session.ts";

const SIZE = 192;
/** Of the square the mesh looks at, over the longer side of the face's box. */
const EXPANSION = 1.5;
/** Both corners and three points on each lid; image-left eye first. */
const EYES = [
  [33, 160, 158, 133, 153, 144, 159, 145],
  [263, 387, 385, 362, 380, 373, 386, 374],
] as const;
/** Of the eyes; they give the mesh's turn. */
const OUTER_CORNERS = [33, 263] as const;
const NOSE = 4;
const MOUTH_CORNERS = [61, 291] as const;

export interface Mesh {
  readonly points: readonly Point[];
  /** The probability that there is a face. */
  readonly presence: number;
}

export class FaceMesh {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Places the mesh, first where the detector saw the face, then again where the first mesh did.
   *
   * @param low, high the face's top-left and bottom-right corner
   * @param eyeLine from the image-left to the image-right eye
   */
  async points(image: Picture, low: Point, high: Point, eyeLine: Point): Promise<Mesh> {
    const { points } = await this.#look(image, low, high, eyeLine);
    const [x, y] = [points.map((point) => point[0]), points.map((point) => point[1])];
    const [left, right] = OUTER_CORNERS.map((index) => points[index]);
    return this.#look(
      image,
      [Math.min(...x), Math.min(...y)],
      [Math.max(...x), Math.max(...y)],
      [right[0] - left[0], right[1] - left[1]],
    );
  }

  async #look(image: Picture, low: Point, high: Point, eyeLine: Point): Promise<Mesh> {
    const center: Point = [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    const side = EXPANSION * Math.max(high[0] - low[0], high[1] - low[1]);
    const view = squareView(center, side, Math.atan2(eyeLine[1], eyeLine[0]), SIZE);
    const pixels = Float32Array.from(warp(image, view, SIZE, SIZE).data, (value) => value / 255);
    const outputs = await this.#session.run(pixels);
    const mesh = outputs.find((output) => output.length > 1)!;
    const logit = outputs.find((output) => output.length === 1)![0];
    const back = invert(view);
    const points: Point[] = [];
    for (let i = 0; i < mesh.length; i += 3) {
      // The model's pixels have whole numbers on their corners.
      points.push(transformPoint(back, [mesh[i] - 0.5, mesh[i + 1] - 0.5]));
    }
    return { points, presence: 1 / (1 + Math.exp(-logit)) };
  }
}

/** Reduces a mesh of 468 points to image-left eye, image-right eye, nose, image-left and image-right mouth corner. */
export function fivePoints(mesh: readonly Point[]): Point[] {
  const eyes = EYES.map((eye): Point => {
    const sum = eye.reduce<Point>(([x, y], index) => [x + mesh[index][0], y + mesh[index][1]], [0, 0]);
    return [sum[0] / eye.length, sum[1] / eye.length];
  });
  return [...eyes, mesh[NOSE], ...MOUTH_CORNERS.map((index) => mesh[index])];
}
