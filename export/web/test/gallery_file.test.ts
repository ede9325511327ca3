/** Galleries of version 2, which kerasface writes, and what this page can't open. */
import { expect, test } from "vitest";

import { sha256Bytes } from "../src/digest.ts";
import { unpackGallery } from "../src/gallery_file.ts";

const HEADER = {
  names: ["Ann", "Bob"],
  photos: [3, 1],
  policy: "mean",
  renewal_id: null as string | null,
  shape: [2, 4],
  spec: "{}",
};

async function packed(changes: Partial<typeof HEADER> = {}, magic = "KFGALLERY2\n"): Promise<Uint8Array> {
  const header = Buffer.from(JSON.stringify({ ...HEADER, ...changes }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const means = Buffer.from(new Float32Array([1, 0, 0, 0, 0, 0.5, 0.5, 0]).buffer);
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

test("refuses a damaged one", async () => {
  await expect(unpackGallery((await packed()).slice(0, -1))).rejects.toThrow("damaged");
});
