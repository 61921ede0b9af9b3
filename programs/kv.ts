/**
 * A key-value store in shared memory, served by several processes and checked against a model. The
 * parent sends requests through one mailbox per server, waits on futexes, and knows what every
 * acknowledged write must have left behind. A server that dies is replaced; its open request is
 * carried out again by its successor, which is safe because all requests are idempotent.
 *
 * The table needs no lock: it uses open addressing, a key is claimed by compare-exchange and never
 * given up, and a value is one word. So a server may die between any two instructions.
 */
import {
  defineProgram,
  MAP_ANONYMOUS,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  SyscallError,
} from '../workers/program.ts';
import type { Proc, Program } from '../workers/program.ts';

interface Options {
  /** Servers, 1 to 64. */
  readonly processes?: number;
  /** Requests of the parent, 1 to 10000000. */
  readonly operations?: number;
  /** Different keys, 1 to 100000. */
  readonly keys?: number;
}

// A mailbox: a state, then the request and its result.
const STATE = 0;
const OPERATION = 4;
const KEY = 8;
const VALUE = 12;
const RESULT = 16;
const BOX_BYTES = 64;

const REQUESTED = 1;
const DONE = 2;

const GET = 1;
const PUT = 2;
const DELETE = 3;
const STOP = 4;

/** The answer for a missing key; also what a slot without a value holds. */
const ABSENT = 0;
/** Longest wait before the answer is checked again: a dead server sends no wake-up. */
const PATIENCE_MS = 50;

interface Table {
  readonly at: number;
  /** Slots of {key, value}; a power of two. */
  readonly slots: number;
}

function makeRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** The address of the key's slot, claimed for it if it has none. Keys are from 1. */
function slotOf(proc: Proc, table: Table, key: number): number {
  let index = Math.imul(key, 0x9e3779b1) >>> 0;
  for (let probe = 0; probe < table.slots; probe++, index++) {
    const at = table.at + (index & (table.slots - 1)) * 8;
    const found = proc.mem.atomicLoad32(at);
    if (found === key) return at;
    if (found !== 0) continue;
    const winner = proc.mem.atomicCompareExchange32(at, 0, key);
    if (winner === 0 || winner === key) return at;
  }
  throw new Error('kv: the table is full');
}

/** Entry of a server: carries out requests from its mailbox until it is told to stop. */
export async function serve(proc: Proc, table: Table, box: number): Promise<number> {
  const { mem } = proc;
  for (;;) {
    const state = mem.atomicLoad32(box + STATE);
    if (state !== REQUESTED) {
      await waitWhile(proc, box + STATE, state);
      continue;
    }
    const operation = mem.load32(box + OPERATION);
    if (operation !== STOP) {
      const value = slotOf(proc, table, mem.load32(box + KEY)) + 4;
      if (operation === PUT) mem.atomicStore32(value, mem.load32(box + VALUE));
      if (operation === DELETE) mem.atomicStore32(value, ABSENT);
      mem.store32(box + RESULT, mem.atomicLoad32(value));
    }
    mem.atomicStore32(box + STATE, DONE);
    proc.local.futexWake(box + STATE);
    if (operation === STOP) return 0;
  }
}

/** Sleeps while the word has that value, but not for long. */
async function waitWhile(proc: Proc, address: number, value: number): Promise<void> {
  try {
    await proc.futexWait(address, value, PATIENCE_MS);
  } catch (error) {
    // Changed already, or time to look again.
    const code = error instanceof SyscallError ? error.code : '';
    if (code !== 'EAGAIN' && code !== 'ETIMEDOUT') throw error;
  }
}

/** The parent's side of one server. */
class Client {
  readonly #proc: Proc;
  readonly #table: Table;
  readonly #box: number;
  #stopping = false;
  restarts = 0;
  /** Settles when the last server has ended. */
  ended: Promise<void> = Promise.resolve();

  constructor(proc: Proc, table: Table, box: number) {
    this.#proc = proc;
    this.#table = table;
    this.#box = box;
  }

  start(): void {
    this.ended = this.#keepServing();
  }

  async ask(operation: number, key: number, value: number): Promise<number> {
    const { mem } = this.#proc;
    const box = this.#box;
    if (operation === STOP) this.#stopping = true;
    mem.store32(box + OPERATION, operation);
    mem.store32(box + KEY, key);
    mem.store32(box + VALUE, value);
    mem.atomicStore32(box + STATE, REQUESTED);
    this.#proc.local.futexWake(box + STATE);
    while (mem.atomicLoad32(box + STATE) !== DONE) {
      await waitWhile(this.#proc, box + STATE, REQUESTED);
    }
    return mem.load32(box + RESULT);
  }

  async #keepServing(): Promise<void> {
    for (;;) {
      const pid = await this.#spawn();
      const { status } = await this.#proc.wait(pid);
      const done = this.#proc.mem.atomicLoad32(this.#box + STATE) === DONE;
      if (this.#stopping && done) return;
      if (status.code !== undefined)
        throw new Error(`kv: a server ended by itself with ${status.code}`);
      this.restarts++;
    }
  }

  /** A new server; the machine may be out of room for one for a moment. */
  async #spawn(): Promise<number> {
    for (;;) {
      try {
        return await this.#proc.fork('serve', this.#table, this.#box);
      } catch (error) {
        const code = error instanceof SyscallError ? error.code : '';
        if (code !== 'ENOMEM' && code !== 'EAGAIN') throw error;
        await this.#proc.nanosleep(1e6);
      }
    }
  }
}

interface Load {
  readonly keys: number;
  /** This load uses only keys k with k % parts === part. */
  readonly part: number;
  readonly parts: number;
  readonly operations: number;
  readonly random: (bound: number) => number;
}

/** Random requests, each checked against the model. Returns how many answers were wrong. */
async function run(client: Client, model: Map<number, number>, load: Load): Promise<number> {
  const { keys, part, parts, operations, random } = load;
  const own = Math.max(1, Math.floor((keys - part + parts - 1) / parts));
  let wrong = 0;
  for (let i = 0; i < operations; i++) {
    const key = 1 + part + random(own) * parts;
    const kind = random(4);
    if (kind === 0) {
      if ((await client.ask(GET, key, 0)) !== (model.get(key) ?? ABSENT)) wrong++;
    } else if (kind === 1) {
      if ((await client.ask(DELETE, key, 0)) !== ABSENT) wrong++;
      model.delete(key);
    } else {
      const value = 1 + random(2 ** 30);
      if ((await client.ask(PUT, key, value)) !== value) wrong++;
      model.set(key, value);
    }
  }
  await client.ask(STOP, 0, 0);
  await client.ended;
  return wrong;
}

/** Keys whose value in the table is not the model's. */
function countDifferent(proc: Proc, table: Table, model: Map<number, number>): number {
  const seen = new Set<number>();
  let different = 0;
  for (let i = 0; i < table.slots; i++) {
    const key = proc.mem.load32(table.at + i * 8);
    if (key === 0) continue;
    if (proc.mem.load32(table.at + i * 8 + 4) !== (model.get(key) ?? ABSENT)) different++;
    if (seen.has(key)) different++;
    seen.add(key);
  }
  for (const key of model.keys()) if (!seen.has(key)) different++;
  return different;
}

const kv: Program = defineProgram(async (proc, options: Options) => {
  const { processes = 4, operations = 10_000, keys = 500 } = options;
  const shared = MAP_SHARED | MAP_ANONYMOUS;
  const slots = 2 ** Math.ceil(Math.log2(2 * (keys + processes)));
  const rw = PROT_READ | PROT_WRITE;
  const table: Table = { at: await proc.mmap(0, slots * 8, rw, shared), slots };
  const boxes = await proc.mmap(0, processes * BOX_BYTES, rw, shared);
  const model = new Map<number, number>();
  const clients = Array.from(
    { length: processes },
    (_, i) => new Client(proc, table, boxes + i * BOX_BYTES),
  );
  for (const client of clients) client.start();
  const share = Math.ceil(operations / processes);
  const wrong = await Promise.all(
    clients.map((client, part) =>
      run(client, model, {
        keys,
        part,
        parts: processes,
        operations: share,
        random: makeRandom(proc.seed * 64 + part),
      }),
    ),
  );
  const wrongAnswers = wrong.reduce((sum, count) => sum + count, 0);
  const restarts = clients.reduce((sum, client) => sum + client.restarts, 0);
  const different = countDifferent(proc, table, model);
  proc.print(
    `${share * processes} requests to ${processes} servers, ${restarts} of them replaced; ` +
      `${wrongAnswers} wrong answers; ${model.size} keys, ${different} differ from the model`,
  );
  return wrongAnswers + different === 0 ? 0 : 1;
});

export default kv;
