// The worker that Python runs in: it loads the interpreter and the project's wheel, and then calls laboratory.py.

import { loadPyodide } from "./python/pyodide.mjs";

const MOST_PRINTED = 100_000; // characters of one program: more would keep the page busy, and nobody reads it
const BETWEEN = 50; // milliseconds between two messages of what was printed,
const AT_ONCE = 2_000; // after these characters, which are sent at once: nothing can be sent later than it is printed
const FILES = ["python/pyodide.asm.wasm", "python/python_stdlib.zip", "scalar_autograd.whl"];

/** The response to the request for a file. Throws an Error that names the file if it cannot be had. */
async function response(path) {
  const unavailable = (reason) => new Error(`${path} could not be loaded: ${reason}`);
  const found = await fetch(new URL(path, import.meta.url)).catch((error) => { throw unavailable(error.message); });
  if (!found.ok) throw unavailable(`${found.status} ${found.statusText}`);
  return found;
}

/** The file, and while it comes in, how much of all the files is here. */
async function fetched(path, arrived) {
  const { body } = await response(path);
  const parts = [];
  for (const reader = body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    arrived(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

let printed = 0; // characters, by the program that runs
let waiting = "";
let sent = 0; // when

/** A stream of Python's: it collects what is printed, and sends it now and then. */
function output() {
  const decoder = new TextDecoder();
  return {
    write(bytes) {
      if (printed <= MOST_PRINTED) {
        const text = decoder.decode(bytes, { stream: true });
        waiting += text.slice(0, MOST_PRINTED - printed);
        printed += text.length;
        if (printed > MOST_PRINTED) waiting += "\n… and more, which is not shown.";
        if (printed <= AT_ONCE || performance.now() - sent > BETWEEN) send();
      }
      return bytes.length;
    },
  };
}

function send() {
  if (waiting) postMessage({ kind: "printed", text: waiting });
  waiting = "";
  sent = performance.now();
}

/** Python. Of itself it never answers where its WebAssembly is refused; and not every server knows the type of that. */
function interpreter(wasm) {
  return new Promise((resolve, reject) => {
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (response, imports) => {
      try {
        return await instantiateStreaming(response, imports).catch(() => WebAssembly.instantiate(wasm, imports));
      } catch (error) {
        reject(error);
        throw error;
      }
    };
    loadPyodide({ indexURL: new URL("python/", import.meta.url).href }).then(resolve, reject);
  });
}

async function started() {
  const sizes = await (await response("sizes.json")).json();
  const total = FILES.reduce((sum, path) => sum + sizes[path], 0);
  let here = 0;
  const arrived = (bytes) => postMessage({ kind: "progress", share: 0.9 * Math.min(1, (here += bytes) / total) });
  // What is fetched here the interpreter finds in the browser's cache.
  const [wasm, , wheel] = await Promise.all(FILES.map((path) => fetched(path, arrived)));
  const program = await (await response("laboratory.py")).text();
  const python = await interpreter(wasm);
  python.setStdout(output());
  python.setStderr(output());
  python.setStdin({ stdin: () => null }); // nobody can type: input() raises EOFError
  python.unpackArchive(wheel, "zip");
  python.runPython(program, { filename: "laboratory.py" });
  postMessage({ kind: "progress", share: 1 });
  return python;
}

const ready = started();
ready.then(
  () => postMessage({ kind: "ready" }),
  (error) => postMessage({ kind: "failed", text: String(error.message ?? error) }),
);

onmessage = async ({ data }) => {
  const python = await ready;
  printed = 0;
  try {
    const result = JSON.parse(python.globals.get("answer")(data.name, data.given));
    send();
    postMessage({ kind: "result", result });
  } catch (error) {
    postMessage({ kind: "failed", text: String(error.message ?? error) });
  }
};
