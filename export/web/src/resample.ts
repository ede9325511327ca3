/** Pillow's `Image.reduce` and its bilinear `Image.transform`, to the bit. */
import type { Affine, Picture } from "./geometry.ts";

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Averages blocks of `factor`×`factor` pixels of a box; blocks at the right and lower edge may be smaller. */
export function reduce(image: Picture, factor: number, box?: Box): Picture {
  const { left, top, right, bottom } = box ?? { left: 0, top: 0, right: image.width, bottom: image.height };
  const width = Math.ceil((right - left) / factor);
  const height = Math.ceil((bottom - top) / factor);
  const data = new Uint8Array(3 * width * height);
  const stride = 3 * image.width;
  for (let y = 0, at = 0; y < height; y++) {
    const first = top + y * factor;
    const last = Math.min(first + factor, bottom);
    for (let x = 0; x < width; x++, at += 3) {
      const begin = left + x * factor;
      const end = Math.min(begin + factor, right);
      const count = (last - first) * (end - begin);
      let red = count >> 1;
      let green = red;
      let blue = red;
      for (let row = first; row < last; row++) {
        for (let i = row * stride + 3 * begin, stop = row * stride + 3 * end; i < stop; i += 3) {
          red += image.data[i];
          green += image.data[i + 1];
          blue += image.data[i + 2];
        }
      }
      // Pillow divides by a whole number's multiplication, which it finds in single precision.
      const multiplier = Math.floor(Math.fround(2 ** 32 / (256 * count)));
      data[at] = Math.floor((red * multiplier) / 2 ** 24);
      data[at + 1] = Math.floor((green * multiplier) / 2 ** 24);
      data[at + 2] = Math.floor((blue * multiplier) / 2 ** 24);
    }
  }
  return { width, height, data };
}

/**
 * Samples a picture bilinearly; black outside.
 *
 * @param matrix from the result to the picture, a pixel's corner at whole numbers in both
 */
export function transform(image: Picture, [a, b, c, d, e, f]: Affine, width: number, height: number): Picture {
  const data = new Uint8Array(3 * width * height);
  const [right, bottom] = [image.width - 1, image.height - 1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      let u = a * (x + 0.5) + b * (y + 0.5) + c;
      let v = d * (x + 0.5) + e * (y + 0.5) + f;
      if (u < 0 || u >= image.width || v < 0 || v >= image.height) {
        continue;
      }
      u -= 0.5;
      v -= 0.5;
      const [column, row] = [Math.floor(u), Math.floor(v)];
      const [dx, dy] = [u - column, v - row];
      const x0 = 3 * Math.max(column, 0);
      const x1 = 3 * Math.min(column + 1, right);
      const upper = 3 * image.width * Math.max(row, 0);
      const lower = 3 * image.width * Math.min(row + 1, bottom);
      for (let channel = 0; channel < 3; channel++) {
        const first = mix(image.data[upper + x0 + channel], image.data[upper + x1 + channel], dx);
        const second = mix(image.data[lower + x0 + channel], image.data[lower + x1 + channel], dx);
        data[at + channel] = mix(first, second, dy); // cut off, not rounded
      }
    }
  }
  return { width, height, data };
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
