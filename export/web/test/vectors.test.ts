/** The page's arithmetic answers what kerasface.edge answers: export/vectors. */
import { describe, expect, test } from "vitest";

import cropVectors from "../../vectors/crop.json";
import decisionVectors from "../../vectors/decisions.json";
import detectionVectors from "../../vectors/detection.json";
import similarityVectors from "../../vectors/similarity.json";
import warpVectors from "../../vectors/warp.json";
import { crop, similarityTransform, TEMPLATES } from "../src/align.ts";
import { anchors, weightedNms } from "../src/blazeface.ts";
import type { Face } from "../src/detector.ts";
import { Gallery } from "../src/gallery.ts";
import { invert, squareView, warp, type Affine, type Picture, type Point } from "../src/geometry.ts";
import { fivePoints } from "../src/landmarks.ts";
import { theFace } from "../src/selection.ts";
import { calibratedThreshold, parseSpec } from "../src/spec.ts";

/** As export/vectors/make.py says. */
function picture({ width, height }: { width: number; height: number }): Picture {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        data[at++] = (3 * x * x + 5 * y * y + 7 * x * y + 4099 * c) >> 6;
      }
    }
  }
  return { width, height, data };
}

function expectClose(received: unknown, expected: unknown, tolerance = 1e-9): void {
  const [left, right] = [received, expected].map((value) => (value as number[]).flat(Infinity) as number[]);
  expect(left.length).toBe(right.length);
  left.forEach((value, i) => {
    expect(Math.abs(value - right[i])).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(right[i])));
  });
}

function expectPixels({ data }: Picture, base64: string): void {
  expect(Buffer.compare(Buffer.from(data), Buffer.from(base64, "base64"))).toBe(0);
}

const points = (rows: number[][]) => rows as unknown as Point[];
const affine = (rows: number[][]) => rows.flat() as unknown as Affine;

describe("alignment", () => {
  test("templates", () => {
    expect(Object.keys(TEMPLATES)).toEqual(Object.keys(similarityVectors.templates));
    for (const [name, template] of Object.entries(similarityVectors.templates)) {
      expectClose(TEMPLATES[name].points, template.points);
      expect([TEMPLATES[name].width, TEMPLATES[name].height]).toEqual([template.width, template.height]);
    }
  });

  test.each(similarityVectors.cases)("similarity transform %#", ({ source, target, matrix }) => {
    expectClose(similarityTransform(points(source), points(target)), matrix);
  });

  test.each(warpVectors.cases)("warp %#, to the bit", ({ matrix, width, height, rgb }) => {
    expectPixels(warp(picture(warpVectors.picture), affine(matrix), width, height), rgb);
  });

  test.each(cropVectors.cases)("crop %#, to the bit", (vector) => {
    expectPixels(crop(picture(cropVectors.picture), points(vector.points), TEMPLATES[vector.template]), vector.rgb);
  });

  test("refuses points that determine nothing", () => {
    const { points: target } = TEMPLATES.arcface_112x112;
    expect(() =>
      similarityTransform(
        target.map(() => [3, 4] as const),
        target,
      ),
    ).toThrow("coincide");
    expect(() =>
      similarityTransform(
        target.map(() => [3, NaN] as const),
        target,
      ),
    ).toThrow("finite");
  });
});

describe("detection", () => {
  test.each(detectionVectors.views)("square view %#", ({ center, side, angle, size, matrix, inverse }) => {
    const view = squareView(center as unknown as Point, side, angle, size);
    expectClose(view, matrix);
    expectClose(invert(view), inverse);
  });

  test("anchors", () => {
    const { count, rows, centers } = detectionVectors.anchors;
    expect(anchors().length).toBe(count);
    expectClose(
      rows.map((row) => anchors()[row]),
      centers,
    );
  });

  test("merging", () => {
    const { merging } = detectionVectors;
    const merged = weightedNms(merging.scores.map((score, i) => ({ score, points: points(merging.points[i]) })));
    expectClose(
      merged.map(({ score }) => score),
      merging.merged_scores,
    );
    expectClose(
      merged.map((candidate) => candidate.points),
      merging.merged,
    );
  });

  test("five points of a mesh", () => {
    expectClose(fivePoints(points(detectionVectors.five_points.mesh)), detectionVectors.five_points.points);
  });
});

describe("decisions", () => {
  const spec = parseSpec(JSON.stringify(decisionVectors.spec), "the vectors");

  function enrolled(): Gallery {
    const gallery = new Gallery(spec);
    for (const { name, embeddings } of decisionVectors.enrolled) {
      embeddings.forEach((embedding) => gallery.enroll(name, Float64Array.from(embedding)));
    }
    return gallery;
  }

  test("the strictest threshold decides", () => {
    expect(calibratedThreshold(spec)?.cosine).toBe(decisionVectors.threshold);
    expect(calibratedThreshold({ ...spec, thresholds: [] })).toBeUndefined();
  });

  test.each(decisionVectors.probes)("who is it %#", ({ embedding, name, score, nearest, threshold }) => {
    const match = enrolled().identify(Float64Array.from(embedding), threshold);
    expect([match.name ?? null, match.nearest]).toEqual([name, nearest]);
    expectClose([match.score], [score]);
  });

  test("an empty gallery knows nobody", () => {
    const match = new Gallery(spec).identify(new Float64Array(8), -1);
    expect(match).toEqual({ name: undefined, score: -1, nearest: undefined });
  });

  test("a gallery's file holds it", async () => {
    const file = await enrolled().save();
    const gallery = await Gallery.open(file, spec);
    expect(gallery.names).toEqual(enrolled().names);
    for (const name of gallery.names) {
      expect(gallery.count(name)).toBe(enrolled().count(name));
    }
    const { embedding, score } = decisionVectors.probes[0];
    expectClose([gallery.identify(Float64Array.from(embedding), 0.5).score], [score], 1e-6);
    await expect(Gallery.open(file, { ...spec, embedder_id: "other" })).rejects.toThrow("Received: embedder other");
    file[file.length - 1] ^= 1;
    await expect(Gallery.open(file, spec)).rejects.toThrow("damaged");
    await expect(Gallery.open(file.slice(3), spec)).rejects.toThrow("no kerasface gallery");
  });

  test("a gallery of embeddings of another size is refused", async () => {
    const file = await enrolled().save();
    const size = spec.embedding_size;
    await expect(Gallery.open(file, { ...spec, flip: "concatenate" })).rejects.toThrow(`have ${2 * size} numbers`);
    await expect(Gallery.open(file, { ...spec, embedding_size: size - 1 })).rejects.toThrow(`Received: ${size}.`);
    await expect(Gallery.open(file, { ...spec, flip: "sum" })).resolves.toBeInstanceOf(Gallery);
    const halves = { ...spec, embedding_size: size / 2, flip: "concatenate" as const };
    await expect(Gallery.open(file, halves)).resolves.toBeInstanceOf(Gallery);
  });

  test.each(decisionVectors.selection)("which face is meant %#", ({ sides, meant }) => {
    const faces = sides.map((side): Face => ({ low: [0, 0], high: [side, side], score: 0.9, points: [] }));
    if (meant === null) {
      expect(() => theFace(faces, "photo")).toThrow(sides.length ? "similar size" : "No face");
    } else {
      expect(theFace(faces, "photo")).toBe(faces[meant]);
    }
  });
});
