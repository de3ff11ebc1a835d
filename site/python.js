// Python in a worker of its own: programs run one at a time, and can be stopped whatever they do.

/** What this browser lacks, in words; nothing if Python can run here. */
export function missing() {
  const needed = {
    "WebAssembly, in which Python is compiled": typeof WebAssembly === "object",
    "workers, in which Python runs": typeof Worker === "function",
    "large integers (BigInt)": typeof BigInt === "function",
    "streams of compressed data (DecompressionStream)": typeof DecompressionStream === "function",
  };
  return Object.keys(needed).filter((name) => !needed[name]);
}

export class Python {
  /**
   * @param {object} on - starting(), progress(share), ready(), failed(message): called while Python starts.
   */
  constructor(on) {
    this.on = on;
    this.start();
  }

  start() {
    this.running = null;
    this.isReady = false;
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    const ifCurrent = (hear) => (event) => { if (worker === this.worker) hear(event); }; // one that was ended may have spoken
    worker.onmessage = ifCurrent(({ data }) => this.hear(data ?? {}));
    worker.onerror = ifCurrent((event) => this.fail(event.message || "worker.js, in which Python runs, or a file that it imports could not be loaded"));
    this.worker = worker;
    this.on.starting();
  }

  /** A program may have sent the message: it can do all that a worker can. */
  hear(message) {
    if (message.kind === "progress") this.on.progress(message.share);
    if (message.kind === "ready") {
      this.isReady = true;
      this.on.ready();
    }
    if (message.kind === "failed") this.fail(message.text);
    if (message.kind === "printed") this.running?.printed(message.text);
    if (message.kind === "result") {
      const running = this.running;
      this.running = null;
      running?.resolve(message.result ?? {});
    }
  }

  /** Where a program has broken Python, there is another one; where Python cannot start, there is none. */
  fail(text) {
    if (this.isReady) return this.stop(text);
    this.worker.terminate();
    this.on.failed(text);
  }

  /**
   * Calls a function of laboratory.py, and resolves with what it returns; an object must be made of JSON.
   *
   * @param {string} name - of the function
   * @param {object} given - its argument
   * @param {function} printed - is told what the program prints
   */
  call(name, given, printed = () => {}) {
    if (this.running) return Promise.reject(new Error("a program is running already: stop it first"));
    return new Promise((resolve, reject) => {
      this.running = { resolve, reject, printed };
      this.worker.postMessage({ name, given: JSON.stringify(given) });
    });
  }

  /** Ends the program, with all that Python knew, and starts Python anew. The call is rejected with the reason. */
  stop(reason = "stopped") {
    const running = this.running;
    this.worker.terminate();
    this.start();
    running?.reject(new Error(reason));
  }
}
