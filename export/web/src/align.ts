/** Five points to an aligned crop: kerasface/edge/align.py written once more. */
import { KerasfaceError } from "./errors.ts";
import { determinant, warp, type Affine, type Picture, type Point } from "./geometry.ts";

/** Where the five points lie in a crop: image-left eye, image-right eye, nose, image-left and -right mouth corner. */
export interface Template {
  readonly points: readonly Point[];
  readonly width: number;
  readonly height: number;
}

const ARCFACE: readonly Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
];

export const TEMPLATES: Readonly<Record<string, Template>> = {
  arcface_112x112: { points: ARCFACE, width: 112, height: 112 },
  arcface_112x96: { points: ARCFACE.map(([x, y]) => [x - 8, y] as const), width: 96, height: 112 },
};

/**
 * The turn, scale and shift that bring points onto others with the least squared error.
 *
 * With points as complex numbers, `t ≈ a·s + b`: `a = Σ conj(s - s̄)(t - t̄) / Σ|s - s̄|²`, `b = t̄ - a·s̄`: Umeyama's
 * solution without reflection (TPAMI 1991, eq. 40–42).
 */
export function similarityTransform(source: readonly Point[], target: readonly Point[]): Affine {
  const [center, aim] = [mean(source), mean(target)];
  let [real, imaginary, spread] = [0, 0, 0];
  source.forEach(([x, y], i) => {
    const [sx, sy] = [x - center[0], y - center[1]];
    const [tx, ty] = [target[i][0] - aim[0], target[i][1] - aim[1]];
    real += sx * tx + sy * ty;
    imaginary += sx * ty - sy * tx;
    spread += sx * sx + sy * sy;
  });
  if (!(spread > 0)) {
    throw new KerasfaceError(`Points must be finite and not all coincide. Received: ${JSON.stringify(source)}`);
  }
  const [a, b] = [real / spread, imaginary / spread];
  return [a, -b, aim[0] - (a * center[0] - b * center[1]), b, a, aim[1] - (b * center[0] + a * center[1])];
}

/** Cuts an aligned face out of a photo: bilinear, antialiased where it shrinks, black outside the photo. */
export function crop(image: Picture, points: readonly Point[], template: Template): Picture {
  const matrix = similarityTransform(points, template.points);
  if (!(determinant(matrix) > 0)) {
    throw new KerasfaceError(`Points don't lie as a face's do. Received: ${JSON.stringify(points)}`);
  }
  return warp(image, matrix, template.width, template.height);
}

function mean(points: readonly Point[]): Point {
  const sum = points.reduce<Point>(([x, y], [px, py]) => [x + px, y + py], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
