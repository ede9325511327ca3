/** sha256, as the page shows and compares it. */

/** Hexadecimal. */
export async function sha256(content: Uint8Array): Promise<string> {
  return [...(await sha256Bytes(content))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function sha256Bytes(content: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content as Uint8Array<ArrayBuffer>));
}
