/** Mutants judged on Worker threads (mutate-worker.ts is their other end), and files for a host. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connect } from '../../../workers/wire/endpoint.ts';
import type { Budget, Covered, Place, Visit, Visited } from '../mutate/judge.ts';
import type { MutationHost, Mutator, Prepared } from '../mutate/mutator.ts';

/** What the Worker offers. */
export interface MutatorApi {
  prepare(): Promise<Prepared>;
  coverage(place: Place, bounds: readonly Budget[]): Promise<Covered>;
  visit(number: number, visit: Visit): Promise<Visited>;
}

/** A visit takes seconds at most; one that takes this long does not end. */
const VISIT_MAX_MS = 600_000;

export function mutationHost(): MutationHost {
  return {
    startMutator,
    recall(name) {
      try {
        return readFileSync(fileOf(name), 'utf8');
      } catch {
        return null;
      }
    },
    remember(name, text) {
      // Renamed, so that nobody reads half of it.
      const half = `${fileOf(name)}.${process.pid}`;
      writeFileSync(half, text);
      renameSync(half, fileOf(name));
    },
  };
}

function fileOf(name: string): string {
  return join(tmpdir(), `faultline-mutants-${name}.json`);
}

function startMutator(): Mutator {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(new URL('./mutate-worker.js', import.meta.url));
  const connection = connect<MutatorApi>(port1, {});
  const { remote } = connection;
  worker.on('error', (error: Error) => connection.close(error));
  worker.on('exit', () => connection.close(new Error('a Worker that judges mutants has ended')));
  worker.postMessage(port2, [port2] as never);
  return {
    prepare: () => remote.prepare(),
    coverage: (place, bounds) => remote.coverage(place, bounds),
    visit: (number, visit) => inTime(remote.visit(number, visit)),
    end: async () => void (await worker.terminate()),
  };
}

async function inTime(visited: Promise<Visited>): Promise<Visited> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const what = `no end after ${VISIT_MAX_MS / 1000} s`;
    timer = setTimeout(() => reject(new Error(what)), VISIT_MAX_MS);
  });
  try {
    return await Promise.race([visited, late]);
  } finally {
    clearTimeout(timer);
  }
}
