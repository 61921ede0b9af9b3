// How long it takes to zero 4 KiB of a SharedArrayBuffer, by method: the table in
// docs/performance.md. Usage: node lab/figures/zeroing.mjs
const FRAMES = 16384;
const buffer = new SharedArrayBuffer(FRAMES * 4096);
const words = new Int32Array(buffer);
const bytes = new Uint8Array(buffer);
const doubles = new Float64Array(buffer);
const zeroes = new Int32Array(1024);

const methods = {
  'Int32Array.fill(0)': (frame) => words.fill(0, frame * 1024, frame * 1024 + 1024),
  'Uint8Array.fill(0)': (frame) => bytes.fill(0, frame * 4096, frame * 4096 + 4096),
  'Int32Array.set(private zeroes)': (frame) => words.set(zeroes, frame * 1024),
  'Int32Array.copyWithin': (frame) => words.copyWithin(frame * 1024, 0, 1024),
  'unrolled Float64Array loop': (frame) => {
    const start = frame * 512;
    for (let i = start; i < start + 512; i += 4) {
      doubles[i] = 0;
      doubles[i + 1] = 0;
      doubles[i + 2] = 0;
      doubles[i + 3] = 0;
    }
  },
};

console.log(`Node ${process.version}, minimum of 7 passes over ${FRAMES} frames`);
for (const [name, zero] of Object.entries(methods)) {
  let best = Infinity;
  for (let pass = 0; pass < 7; pass++) {
    const start = performance.now();
    for (let frame = 1; frame < FRAMES; frame++) zero(frame);
    best = Math.min(best, ((performance.now() - start) / (FRAMES - 1)) * 1e6);
  }
  console.log(`${name.padEnd(32)} ${best.toFixed(0).padStart(5)} ns`);
}
