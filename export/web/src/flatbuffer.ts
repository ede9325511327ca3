/** The metadata of a TFLite file, read from its FlatBuffers tables: kerasface/edge/flatbuffer.py once more. */

/** Field numbers in tensorflow/compiler/mlir/lite/schema/schema.fbs. */
const [MODEL_BUFFERS, MODEL_METADATA] = [4, 6];
const [METADATA_NAME, METADATA_BUFFER] = [0, 1];
const BUFFER_DATA = 0;

/** The named metadata buffers; a DataView refuses what points outside the file with a RangeError. */
export function tfliteMetadata(content: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const unsigned = (position: number) => view.getUint32(position, true);
  const follow = (position: number) => position + unsigned(position);

  /** Where a table's field stands, or 0 when the table leaves it out. */
  function field(table: number, number: number): number {
    const vtable = table - view.getInt32(table, true);
    const slot = 4 + 2 * number;
    const offset = slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0;
    return offset ? table + offset : 0;
  }

  function tables(table: number, number: number): number[] {
    const position = field(table, number);
    if (!position) {
      return [];
    }
    const start = follow(position);
    const count = unsigned(start);
    bytes(start + 4, 4 * count);
    return Array.from({ length: count }, (_, i) => follow(start + 4 + 4 * i));
  }

  function vector(position: number): Uint8Array {
    const start = follow(position);
    return bytes(start + 4, unsigned(start));
  }

  function bytes(start: number, length: number): Uint8Array {
    if (start + length > content.length) {
      throw new RangeError(`${length} bytes at ${start} point outside the file`);
    }
    return content.subarray(start, start + length);
  }

  const model = follow(0);
  const buffers = tables(model, MODEL_BUFFERS);
  const entries = new Map<string, Uint8Array>();
  for (const entry of tables(model, MODEL_METADATA)) {
    const name = new TextDecoder().decode(vector(field(entry, METADATA_NAME)));
    const number = field(entry, METADATA_BUFFER);
    // FlatBuffers leaves a field out that has its default, here 0.
    const data = field(buffers[number ? unsigned(number) : 0], BUFFER_DATA);
    entries.set(name, data ? vector(data) : new Uint8Array());
  }
  return entries;
}
