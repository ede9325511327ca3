/**
 * Affine maps between pictures, and the one resampler that detector, mesh and crops share: kerasface/edge/geometry.py
 * written once more. A pixel's center has whole coordinates.
 */
import { reduce, transform } from "./resample.ts";

/** (x, y) in pixels. */
export type Point = readonly [number, number];

/** (2, 3), row after row: `(x, y) → (a·x + b·y + c, d·x + e·y + f)`. */
export type Affine = readonly [number, number, number, number, number, number];

/** RGB bytes, row after row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

export function transformPoint([a, b, c, d, e, f]: Affine, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

export function determinant([a, b, , d, e]: Affine): number {
  return a * e - b * d;
}

/** The map that undoes `matrix`. */
export function invert(matrix: Affine): Affine {
  const [a, b, c, d, e, f] = matrix;
  const det = determinant(matrix);
  const [ia, ib, id, ie] = [e / det, -b / det, -d / det, a / det];
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

/** The map that does `first`, then `second`. */
export function compose(second: Affine, first: Affine): Affine {
  const [a, b, , d, e] = second;
  const [x, y] = transformPoint(second, [first[2], first[5]]);
  return [
    a * first[0] + b * first[3],
    a * first[1] + b * first[4],
    x,
    d * first[0] + e * first[3],
    d * first[1] + e * first[4],
    y,
  ];
}

/**
 * The map from a picture to a square view of it.
 *
 * @param center of the square, pixels of the picture
 * @param side of the square, in pixels of the picture
 * @param angle radians by which the square is turned, from x towards y (clockwise to the eye)
 * @param size of the view, in its own pixels
 */
export function squareView([x, y]: Point, side: number, angle: number, size: number): Affine {
  const scale = size / side;
  const cosine = scale * Math.cos(angle);
  const sine = scale * Math.sin(angle);
  const middle = (size - 1) / 2;
  return [cosine, sine, middle - (cosine * x + sine * y), -sine, cosine, middle - (-sine * x + cosine * y)];
}

/**
 * Resamples a picture through a similarity: bilinear, with antialiasing where it shrinks, black outside.
 *
 * Whole-number shrinking is done first by averaging blocks of the region that is needed; what remains, less than 2, by
 * averaging 2×2 bilinear samples per pixel.
 *
 * @param matrix pixels of `image` to pixels of the result; a similarity
 */
export function warp(image: Picture, matrix: Affine, width: number, height: number): Picture {
  const back = invert(matrix);
  const shrink = Math.sqrt(Math.abs(determinant(back)));
  const block = Math.max(1, Math.trunc(shrink * (1 + 1e-9))); // rounding makes no 3 of a 4
  const corners: Point[] = [
    [-0.5, -0.5],
    [width - 0.5, -0.5],
    [-0.5, height - 0.5],
    [width - 0.5, height - 0.5],
  ];
  const needed = corners.map((corner) => transformPoint(back, corner));
  const margin = 2 * block; // one block for the bilinear neighbor, one for the rounding to whole blocks
  const [left, right] = span(
    needed.map(([x]) => x),
    margin,
    image.width,
  );
  const [top, bottom] = span(
    needed.map(([, y]) => y),
    margin,
    image.height,
  );
  if (left >= right || top >= bottom) {
    return { width, height, data: new Uint8Array(3 * width * height) };
  }
  const region = reduce(image, block, { left, top, right, bottom });
  // A crop that lies on the template is copied: its transform is the identity but for rounding.
  const samples = shrink > block * (1 + 1e-9) ? 2 : 1;
  // From the corner-based result to the corner-based region.
  const toResult: Affine = [1 / samples, 0, -0.5, 0, 1 / samples, -0.5];
  const toRegion: Affine = [1 / block, 0, (0.5 - left) / block, 0, 1 / block, (0.5 - top) / block];
  // Rounded, since what is interpolated is cut off: a turn of 1e-17 would make one pixel in twenty darker by one.
  const data = compose(toRegion, compose(back, toResult)).map((v) => Math.round(v * 1e12) / 1e12) as unknown as Affine;
  const result = transform(region, data, width * samples, height * samples);
  return samples > 1 ? reduce(result, samples) : result;
}

function span(values: number[], margin: number, limit: number): [number, number] {
  const clip = (value: number) => Math.min(Math.max(value, 0), limit);
  return [clip(Math.floor(Math.min(...values)) - margin), clip(Math.ceil(Math.max(...values)) + margin)];
}
