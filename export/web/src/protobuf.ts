/** The metadata of an ONNX file, read from its protobuf fields; ONNX Runtime Web doesn't show it. */

/** Of ModelProto in onnx.proto3. */
const METADATA_PROPS = 14;
/** Of StringStringEntryProto. */
const [KEY, VALUE] = [1, 2];

/** The model's metadata_props. */
export function onnxMetadata(content: Uint8Array): Map<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  for (const [number, entry] of fields(content)) {
    if (number === METADATA_PROPS) {
      const parts = new Map(fields(entry));
      entries.set(new TextDecoder().decode(parts.get(KEY)), parts.get(VALUE) ?? new Uint8Array());
    }
  }
  return entries;
}

/** A message's fields of bytes, text or messages, as (number, content); numbers are stepped over. */
function* fields(message: Uint8Array): Generator<[number, Uint8Array]> {
  let position = 0;

  function varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[position++];
      if (byte === undefined || factor > 2 ** 63) {
        throw new RangeError("a number runs past the file's end");
      }
      value += (byte & 127) * factor;
      if (byte < 128) {
        return value;
      }
    }
  }

  while (position < message.length) {
    const tag = varint();
    const [number, wireType] = [Math.floor(tag / 8), tag % 8];
    if (wireType === 0) {
      varint();
    } else if (wireType === 1) {
      position += 8;
    } else if (wireType === 5) {
      position += 4;
    } else if (wireType === 2) {
      const length = varint();
      if (position + length > message.length) {
        throw new RangeError(`${length} bytes at ${position} point outside the file`);
      }
      yield [number, message.subarray(position, (position += length))];
    } else {
      throw new RangeError(`no field of protobuf begins at ${position}`);
    }
  }
}
