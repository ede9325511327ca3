/** Galleries of version 2, which kerasface writes, and what this page can't open. */
import { expect, test } from "vitest";

import { sha256Bytes } from "../src/digest.ts";
import { KerasfaceError } from "../src/errors.ts";
import { unpackGallery } from "../src/gallery_file.ts";

const HEADER = {
  names: ["Ann", "Bob"],
  photos: [3, 1],
  policy: "mean",
  renewal_id: null as string | null,
  shape: [2, 4],
  spec: "{}",
};

const MEANS = [1, 0, 0, 0, 0, 0.5, 0.5, 0];

async function packed(
  changes: Partial<Record<keyof typeof HEADER | "counts", unknown>> = {},
  magic = "KFGALLERY2\n",
  values: readonly number[] = MEANS,
): Promise<Uint8Array> {
  const header = Buffer.from(JSON.stringify({ ...HEADER, ...changes }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const means = Buffer.from(new Float32Array(values).buffer);
  const body = new Uint8Array(Buffer.concat([length, header, means]));
  return new Uint8Array(Buffer.concat([Buffer.from(magic), await sha256Bytes(body), body]));
}

test("means of version 2", async () => {
  const { spec, people } = await unpackGallery(await packed());
  expect(spec).toBe("{}");
  expect(people.map(({ name, count, mean }) => [name, count, [...mean]])).toEqual([
    ["Ann", 3, [1, 0, 0, 0]],
    ["Bob", 1, [0, 0.5, 0.5, 0]],
  ]);
});

test.each([
  [{ policy: "max" }, "KFGALLERY2\n", "plain means"],
  [{ renewal_id: "a1" }, "KFGALLERY2\n", "plain means"],
  [{}, "KFGALLERY9\n", "newer kerasface"],
  [{}, "KFSEALED1\n\n", "encrypted"],
  [{}, "PNG\n\n\n\n\n\n\n\n", "no kerasface gallery"],
])("refuses %j %j", async (changes, magic, reason) => {
  await expect(unpackGallery(await packed(changes, magic))).rejects.toThrow(reason);
});

test("version 1 has means and counts alone", async () => {
  const { people } = await unpackGallery(await packed({ counts: [2, 5], policy: "max" }, "KFGALLERY1\n"));
  expect(people.map(({ count }) => count)).toEqual([2, 5]);
});

test.each([
  [{ names: ["Ann"] }, "expected 1 counts. Received: 2"],
  [{ names: ["Ann", "Ann"] }, "different names"],
  [{ names: ["Ann", " "] }, "none blank"],
  [{ names: ["Ann", 7] }, "different names"],
  [{ names: "AB" }, "different names"],
  [{ photos: [3] }, "expected 2 counts. Received: 1"],
  [{ photos: [3, 0] }, "at least 1. Received: \\[3,0\\]"],
  [{ photos: [3, 1.5] }, "at least 1"],
  [{ photos: [3, "1"] }, "at least 1"],
  [{ photos: null }, "at least 1. Received: null"],
  [{ shape: [1, 8] }, "a shape of 2 rows. Received: \\[1,8\\]"],
  [{ shape: [2, 2, 2] }, "a shape of 2 rows"],
  [{ shape: [2] }, "a shape of 2 rows"],
  [{ shape: [2, 3] }, "24 bytes of means. Received: 32"],
  [{ shape: [2, 5] }, "40 bytes of means. Received: 32"],
  [{ names: [], photos: [], shape: [0, 4] }, "0 bytes of means"],
])("refuses a header that doesn't fit: %j", async (changes, reason) => {
  await expect(unpackGallery(await packed(changes))).rejects.toThrow(
    new RegExp(`^The gallery can't be read: .*${reason}.*Restore a copy\\.$`),
  );
});

test.each([
  [0, false],
  [4.9e-4, false],
  [5.1e-4, true],
  [1.0009, true],
  [1.0011, false],
  [NaN, false],
  [Infinity, false],
])("a mean of length %d: taken %j", async (norm, isTaken) => {
  const opened = unpackGallery(await packed({}, "KFGALLERY2\n", [1, 0, 0, 0, 0, 0.6 * norm, 0, 0.8 * norm]));
  if (isTaken) {
    expect((await opened).people.map(({ name }) => name)).toEqual(["Ann", "Bob"]);
  } else {
    await expect(opened).rejects.toThrow("can't be read: expected means of lengths in [0.0005, 1.001]. Received: ");
  }
});

test("an empty one has no means", async () => {
  const changes = { names: [], photos: [], shape: [0, 0] };
  expect((await unpackGallery(await packed(changes, "KFGALLERY2\n", []))).people).toEqual([]);
});

test("refuses one without a header", async () => {
  for (const body of [new Uint8Array(3), new Uint8Array(8), new Uint8Array(8).fill(255)]) {
    const content = Buffer.concat([Buffer.from("KFGALLERY2\n"), await sha256Bytes(body), body]);
    const error: unknown = await unpackGallery(new Uint8Array(content)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KerasfaceError);
    expect(String(error)).toContain("can't be read");
  }
});

test("refuses a damaged one", async () => {
  await expect(unpackGallery((await packed()).slice(0, -1))).rejects.toThrow("damaged");
});
