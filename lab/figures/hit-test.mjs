/**
 * What each part of the TLB's hit test costs, over arrays as constants, in the shape of
 * workers/cpu/memory/tlb-access.ts: nanoseconds a load, in order through a page and from page to
 * page of
 * 64. Run it: node lab/figures/hit-test.mjs
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SLOTS = 4095;
const PAGES = 64;
const FIRST_WORD = 65_536;
const GENERATION_AT = 5;
const BASE = 2 ** 41;
const LOADS = 2 ** 18;
const REPETITIONS = 25;

const words = new Int32Array(new SharedArrayBuffer(2 ** 22));
const readBase = new Float64Array(SLOTS + 1).fill(-1);
const frameAt = new Int32Array(SLOTS + 1);
const polls = Int32Array.of(2 ** 30);
for (let page = 0; page < PAGES; page++) {
  readBase[page] = BASE + page * 4096;
  frameAt[page] = FIRST_WORD + page * 1024;
}

function miss(address) {
  polls[0] = 2 ** 30;
  return words[frameAt[(address >>> 12) & SLOTS] + ((address & 0xffc) >> 2)];
}

/** Each hit test written out, as an engine needs it. */
const TESTS = {
  'as it is'(address) {
    const low = address | 0;
    const slot = (low >>> 12) & SLOTS;
    if (
      readBase[slot] + (low & 0xffc) === address &&
      words[this.generationAt] === this.generation &&
      (polls[0] = polls[0] - 1) > 0
    ) {
      return words[frameAt[slot] + ((low & 0xffc) >> 2)];
    }
    return miss(address) | 0;
  },
  'without the counter of accesses'(address) {
    const low = address | 0;
    const slot = (low >>> 12) & SLOTS;
    if (
      readBase[slot] + (low & 0xffc) === address &&
      words[this.generationAt] === this.generation
    ) {
      return words[frameAt[slot] + ((low & 0xffc) >> 2)];
    }
    return miss(address) | 0;
  },
  'without the poll of the generation'(address) {
    const low = address | 0;
    const slot = (low >>> 12) & SLOTS;
    if (readBase[slot] + (low & 0xffc) === address && (polls[0] = polls[0] - 1) > 0) {
      return words[frameAt[slot] + ((low & 0xffc) >> 2)];
    }
    return miss(address) | 0;
  },
  'the tag alone'(address) {
    const low = address | 0;
    const slot = (low >>> 12) & SLOTS;
    if (readBase[slot] + (low & 0xffc) === address) {
      return words[frameAt[slot] + ((low & 0xffc) >> 2)];
    }
    return miss(address) | 0;
  },
  'tag, and an ordered poll'(address) {
    const low = address | 0;
    const slot = (low >>> 12) & SLOTS;
    if (
      readBase[slot] + (low & 0xffc) === address &&
      Atomics.load(words, this.generationAt) === this.generation
    ) {
      return words[frameAt[slot] + ((low & 0xffc) >> 2)];
    }
    return miss(address) | 0;
  },
};

/** A loop of its own for each test: one that calls several is another loop to the engine. */
function loop(body) {
  return new Function('memory', 'base', `let sum = 0; ${body} return sum;`);
}

function fastestNs(run) {
  let best = Infinity;
  for (let i = 0; i < REPETITIONS; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return ((best * 1e6) / LOADS).toFixed(2);
}

const IN_ORDER = `for (let k = 0; k < ${LOADS}; k += 1024)
  for (let at = 0; at < 4096; at += 4) sum = (sum + LOAD) | 0;`;
const BY_PAGE = `for (let k = 0; k < ${LOADS}; k++) sum = (sum + LOAD) | 0;`;

function row(name, memory, base, inOrder, byPage) {
  const ordered = loop(IN_ORDER.replace('LOAD', inOrder));
  const paged = loop(BY_PAGE.replace('LOAD', byPage));
  const figures = [ordered, paged].map((run) => fastestNs(() => run(memory, base)).padStart(16));
  console.log(name.padEnd(36) + figures.join(''));
}

const only = process.argv[2];
if (only === undefined) {
  // A process for each: an engine that has met several tests inlines none.
  console.log(`${process.version.padEnd(36)}        in order    page to page`);
  for (const name of ['raw Int32Array', ...Object.keys(TESTS)]) {
    spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { stdio: 'inherit' });
  }
} else if (TESTS[only] === undefined) {
  row(only, words, FIRST_WORD, 'memory[base + (at >> 2)]', 'memory[base + (k & 63) * 1024]');
} else {
  const gate = { generationAt: GENERATION_AT, generation: 0, load32: TESTS[only] };
  row(only, gate, BASE, 'memory.load32(base + at)', 'memory.load32(base + (k & 63) * 4096)');
}
