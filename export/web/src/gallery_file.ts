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
// As in kerasface/edge/galleries/content.py: a mean of unit vectors is no longer than they are.
const [SHORTEST, LONGEST] = [5e-4, 1.001];

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
  readonly photos: number[];
  readonly policy: string;
  readonly renewal_id: string | null;
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
  // The digest speaks against damage, not against a forger.
  try {
    return unpackBody(body, start === MAGICS[0]);
  } catch (error) {
    throw error instanceof KerasfaceError ? error : unreadable((error as Error).message);
  }
}

function unpackBody(body: Uint8Array, isFirstVersion: boolean): FiledGallery {
  const view = new DataView(body.buffer);
  const start = LENGTH + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(body.subarray(LENGTH, start))) as Header;
  const { policy, photos, renewal_id } = isFirstVersion
    ? { policy: "mean", photos: header.counts, renewal_id: null }
    : header;
  if (policy !== "mean" || renewal_id !== null) {
    throw new KerasfaceError(
      "This gallery keeps every photo apart or stands under a renewal key; this page opens galleries of plain means.",
    );
  }
  const { names, shape, spec } = header;
  check(areNames(names), "different names, none blank", names);
  check(areCounts(photos), "counts of photos, each at least 1", photos);
  check(photos.length === names.length, `${names.length} counts`, photos.length);
  check(isShape(shape) && shape[0] === names.length, `a shape of ${names.length} rows`, shape);
  const [rows, size] = shape;
  check(body.length - start === 4 * rows * size, `${4 * rows * size} bytes of means`, body.length - start);
  const people = names.map((name, row) => ({
    name,
    count: photos[row],
    mean: Float64Array.from({ length: size }, (_, i) => view.getFloat32(start + 4 * (row * size + i), true)),
  }));
  for (const { mean } of people) {
    const norm = Math.hypot(...mean);
    check(norm >= SHORTEST && norm <= LONGEST, `means of lengths in [${SHORTEST}, ${LONGEST}]`, norm);
  }
  return { spec, people };
}

function areNames(names: unknown): boolean {
  const areTexts = Array.isArray(names) && names.every((name) => typeof name === "string" && name.trim());
  return areTexts && new Set(names).size === names.length;
}

function areCounts(counts: unknown): boolean {
  return Array.isArray(counts) && counts.every((count) => Number.isSafeInteger(count) && count >= 1);
}

function isShape(shape: unknown): boolean {
  return Array.isArray(shape) && shape.length === 2 && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
}

function check(holds: boolean, expected: string, received: unknown): void {
  if (!holds) {
    // NaN has no JSON of its own.
    const told = typeof received === "number" ? String(received) : String(JSON.stringify(received));
    throw unreadable(`expected ${expected}. Received: ${told.slice(0, 100)}`);
  }
}

function unreadable(reason: string): KerasfaceError {
  return new KerasfaceError(`The gallery can't be read: ${reason}. Restore a copy.`);
}
