// The operator sets that an ONNX file asks for, read from its head without a library: fields 8 (`opset_import`) of the message
// `ModelProto` (ONNX, onnx.proto), each with field 1 `domain` and field 2 `version`, in protocol buffers' wire format.

const OPSET_IMPORT = 8;
const [DOMAIN, VERSION] = [1, 2];
const [VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES] = [0, 1, 2, 5];

/** Versions by domain, "" for the standard operators; null: this is no such message. */
export function opsetsOf(file: Uint8Array): Map<string, number> | null {
  const opsets = new Map<string, number>();
  const whole = readMessage(file, (field, value) => {
    if (field !== OPSET_IMPORT || typeof value === "number") return;
    let [domain, version] = ["", 0];
    readMessage(value, (inner, content) => {
      if (inner === DOMAIN && typeof content !== "number") domain = Buffer.from(content).toString();
      if (inner === VERSION && typeof content === "number") version = content;
    });
    opsets.set(domain === "ai.onnx" ? "" : domain, version);
  });
  return whole && opsets.size > 0 ? opsets : null;
}

/** @returns false where the bytes end within a field, or are of no known kind. */
function readMessage(bytes: Uint8Array, take: (field: number, value: number | Uint8Array) => void): boolean {
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    while (at < bytes.length) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, kind] = [Math.floor(tag / 8), tag % 8];
    if (kind === VARINT) take(field, varint());
    else if (kind === BYTES) {
      const length = varint();
      if (!(at + length <= bytes.length)) return false;
      take(field, bytes.subarray(at, at + length));
      at += length;
    } else if (kind === EIGHT_BYTES) at += 8;
    else if (kind === FOUR_BYTES) at += 4;
    else return false;
  }
  return at === bytes.length;
}
