/** Reading photos and camera frames into upright RGB, whatever they were saved as. */
import { KerasfaceError } from "./errors.ts";
import type { Picture } from "./geometry.ts";

/**
 * Decodes an image file as a person would see it: EXIF orientation applied, what is transparent on white. Pixels stay
 * as the file holds them, without conversion by a color profile, as Python reads them.
 */
export async function readPhoto(file: File): Promise<Picture> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new KerasfaceError(`${file.name} is no photo that this browser can read. Save it as JPEG or PNG.`);
  }
  const picture = pixels(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return picture;
}

/** The frame that a video shows now. */
export function readFrame(video: HTMLVideoElement): Picture {
  return pixels(video, video.videoWidth, video.videoHeight);
}

/** Draws a picture into a canvas of its size. */
export function draw(canvas: HTMLCanvasElement, { width, height, data }: Picture): CanvasRenderingContext2D {
  const rgba = new ImageData(width, height);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba.data.set(data.subarray(from, from + 3), to);
    rgba.data[to + 3] = 255;
  }
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d")!;
  context.putImageData(rgba, 0, 0);
  return context;
}

function pixels(source: CanvasImageSource, width: number, height: number): Picture {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) {
    throw new KerasfaceError(`A picture of ${width}×${height} pixels is too large for this browser.`);
  }
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from];
    data[to + 1] = rgba[from + 1];
    data[to + 2] = rgba[from + 2];
  }
  return { width, height, data };
}
