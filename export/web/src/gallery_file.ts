/**
 * The gallery's file, as kerasface/edge/galleries/gallery_file.py lays it out: `KFGALLERY1\n`, sha256 of all that follows,
 * length of the header (8 bytes, little-endian), the header (JSON), the means (float32, little-endian). Version 2 has
 * further choices in its header; it is read where they are this page's own.
 */
import { sha256Bytes } from "./digest.ts";
import { KerasfaceError } from "./errors.ts";

const MAGIC = new TextEncoder().encode("KFGALLERY1\n");
const MAGICS = ["KFGALLERY1\n", "KFGALLERY2\n"];
const [DIGEST, LENGTH] = [32, 8];

export interface FiledPerson {
  readonly name: string;
  readonly mean: Float64Array;
  readonly count: number;
}

export interface FiledGallery {
  /** JSON of the embedder's spec. */
  readonly spec: string;
  readonly people: readonly FiledPerson[];
}

interface Header {
  readonly spec: string;
  readonly names: string[];
  readonly shape: [number, number];
  /** Version 1. */
  readonly counts: number[];
  /** Version 2. */
  readonly photos?: number[];
  readonly policy?: string;
  readonly renewal_id?: string | null;
}

export async function packGallery(spec: string, people: readonly FiledPerson[]): Promise<Uint8Array> {
  const size = people[0]?.mean.length ?? 0;
  const header = new TextEncoder().encode(
    JSON.stringify({
      counts: people.map(({ count }) => count),
      names: people.map(({ name }) => name),
      shape: [people.length, size],
      spec,
    }),
  );
  const body = new Uint8Array(LENGTH + header.length + 4 * people.length * size);
  const view = new DataView(body.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  body.set(header, LENGTH);
  people
    .flatMap(({ mean }) => [...mean])
    .forEach((value, i) => view.setFloat32(LENGTH + header.length + 4 * i, value, true));
  return new Uint8Array([...MAGIC, ...(await sha256Bytes(body)), ...body]);
}

export async function unpackGallery(content: Uint8Array): Promise<FiledGallery> {
  const start = new TextDecoder().decode(content.subarray(0, MAGIC.length));
  if (start.startsWith("KFSEALED")) {
    throw new KerasfaceError("This gallery is encrypted, and this page opens plain ones only.");
  }
  if (!MAGICS.includes(start)) {
    throw new KerasfaceError(
      start.startsWith("KFGALLERY")
        ? "This gallery was written by a newer kerasface."
        : "This is no kerasface gallery.",
    );
  }
  const digest = content.subarray(MAGIC.length, MAGIC.length + DIGEST);
  const body = content.slice(MAGIC.length + DIGEST);
  const received = await sha256Bytes(body);
  if (digest.length !== DIGEST || !digest.every((byte, i) => byte === received[i])) {
    throw new KerasfaceError(`The gallery is truncated or damaged (${content.length} bytes): take a copy.`);
  }
  const view = new DataView(body.buffer);
  const means = LENGTH + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(body.subarray(LENGTH, means))) as Header;
  if ((header.policy ?? "mean") !== "mean" || header.renewal_id) {
    throw new KerasfaceError(
      "This gallery keeps every photo apart or stands under a renewal key; this page opens galleries of plain means.",
    );
  }
  const size = header.shape[1];
  const counts = header.photos ?? header.counts;
  const people = header.names.map((name, row) => ({
    name,
    count: counts[row],
    mean: Float64Array.from({ length: size }, (_, i) => view.getFloat32(means + 4 * (row * size + i), true)),
  }));
  return { spec: header.spec, people };
}
