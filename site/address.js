// A program in the address of the page: compressed, after the #, which browsers send to no server.

const START = "#program=";
const LONGEST = 100_000; // bytes of a program: more was not written by hand
const checked = (length) => { if (length > LONGEST) throw new RangeError(`it has more than ${LONGEST} bytes`); };

/** What stands behind the # for a program. Throws an Error if that is too long. */
export async function packed(code) {
  const program = new TextEncoder().encode(code);
  checked(program.length);
  const bytes = await through(new CompressionStream("deflate-raw"), program);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return START + text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The program in what stands behind the #, or null if there is none. Throws an Error if it cannot be read. */
export async function unpacked(hash) {
  if (!hash.startsWith(START)) return null;
  const text = hash.slice(START.length).replaceAll("-", "+").replaceAll("_", "/");
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const program = await through(new DecompressionStream("deflate-raw"), bytes);
    return new TextDecoder("utf-8", { fatal: true }).decode(program);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new Error("it is damaged or was cut off"); // browsers say it in words of their own, each in others
  }
}

async function through(stream, bytes) {
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  written.catch(() => {}); // the reader is told of it, too
  const parts = [];
  let length = 0;
  for (const reader = stream.readable.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    checked(length += value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
