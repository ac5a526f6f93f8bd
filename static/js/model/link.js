/** A program as part of an address: deflated, base64 for URLs, behind `#code=`. The part after # never reaches the server. */

export const LONGEST = 8_000; // characters: longer addresses are cut by chat programs

/** @param {string} code @returns {Promise<string>} the fragment, '' when it would be too long */
export async function pack(code) {
  const bytes = await through(new TextEncoder().encode(code), new CompressionStream('deflate-raw'));
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  const packed = `#code=${btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')}`;
  return packed.length <= LONGEST ? packed : '';
}

/** @param {string} fragment @returns {Promise<string | null>} null when it holds no program, or a damaged one */
export async function unpack(fragment) {
  const packed = /^#code=([\w-]+)$/.exec(fragment)?.[1];
  if (!packed) return null;
  try {
    const text = atob(packed.replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = await through(Uint8Array.from(text, (each) => each.charCodeAt(0)), new DecompressionStream('deflate-raw'));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** @param {Uint8Array<ArrayBuffer>} bytes @param {CompressionStream | DecompressionStream} stream */
async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
