// The worker that Python runs in: it loads the interpreter and the project's wheel, and then calls laboratory.py.

import { loadPyodide } from "./python/pyodide.mjs";

const FILES = ["python/pyodide.asm.wasm", "python/python_stdlib.zip", "scalar_autograd.whl"];

/** The file, and while it comes in, how much of all the files is here. */
async function fetched(path, arrived) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  const parts = [];
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    arrived(value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function started() {
  const sizes = await (await fetch(new URL("sizes.json", import.meta.url))).json();
  const total = FILES.reduce((sum, path) => sum + sizes[path], 0);
  let here = 0;
  const arrived = (bytes) => postMessage({ kind: "progress", share: 0.9 * Math.min(1, (here += bytes) / total) });
  // What is fetched here the interpreter finds in the browser's cache.
  const [, , wheel] = await Promise.all(FILES.map((path) => fetched(path, arrived)));
  const program = await (await fetch(new URL("laboratory.py", import.meta.url))).text();
  const python = await loadPyodide({ indexURL: new URL("python/", import.meta.url).href });
  const decoder = new TextDecoder();
  const write = (bytes) => {
    postMessage({ kind: "printed", text: decoder.decode(bytes, { stream: true }) });
    return bytes.length;
  };
  python.setStdout({ write });
  python.setStderr({ write });
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
  try {
    const result = JSON.parse(python.globals.get("answer")(data.name, data.given));
    postMessage({ kind: "result", result });
  } catch (error) {
    postMessage({ kind: "failed", text: String(error.message ?? error) });
  }
};
