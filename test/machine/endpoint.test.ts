/** Goal: calls between Workers settle whatever happens, and errors arrive as what they were. */
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EINVAL } from '../../shared/abi/errno.ts';
import { KernelPanic } from '../../shared/panic.ts';
import { connect } from '../../workers/wire/endpoint.ts';
import type { Connection } from '../../workers/wire/endpoint.ts';
import { MemoryFault, SyscallError, WorkerDied } from '../../workers/wire/errors.ts';
import { describeThrown } from '../../workers/wire/thrown.ts';
import { bundleWorker } from '../support/worker-bundle.ts';
import type { WorkerBundle } from '../support/worker-bundle.ts';

interface PeerApi {
  add(a: number, b: number): number;
  throwSyscall(): void;
  throwFault(): void;
  throwPanic(): void;
  throwRange(): void;
  throwForeign(): void;
  throwText(): void;
  relay(): Promise<void>;
  hang(): Promise<void>;
  crash(): void;
  rings(): number;
}

interface HostApi {
  refuse(): void;
}

const peerSource = `
import { parentPort } from 'node:worker_threads';
import { connect } from '../../workers/wire/endpoint.ts';
import { MemoryFault, SyscallError } from '../../workers/wire/errors.ts';
import { panic } from '../../shared/panic.ts';
let rings = 0;
parentPort.once('message', (port) => {
  const host = connect(port, {
    add: (a, b) => a + b,
    throwSyscall() { throw new SyscallError('mmap', 22); },
    throwFault() {
      const cause = { signal: 'SIGSEGV', code: 'SEGV_ACCERR' };
      throw new MemoryFault({ ...cause, address: 2 ** 40, access: 'write' });
    },
    throwPanic() { panic('mapRange: remap', 255); },
    throwRange() { throw new RangeError('too far'); },
    throwForeign() {
      throw Object.assign(new Error('x'), { name: 'AbortError', code: 7, more: {} });
    },
    throwText() { throw 'plain text'; },
    relay: () => host.remote.refuse(),
    hang: () => new Promise(() => {}),
    crash() { setTimeout(() => { throw new Error('boom'); }); return new Promise(() => {}); },
    rings: () => rings,
  }, () => rings++);
});
`;

let bundle: WorkerBundle;
let worker: Worker | undefined;

beforeAll(async () => {
  bundle = await bundleWorker(peerSource);
});
afterAll(() => bundle.remove());
afterEach(async () => {
  await worker?.terminate();
});

function start(local: HostApi | object = {}): { peer: Connection<PeerApi>; worker: Worker } {
  const started = new Worker(bundle.url);
  worker = started;
  const { port1, port2 } = new MessageChannel();
  started.postMessage(port2, [port2 as never]);
  const peer = connect<PeerApi>(port1, local);
  // As the pool does: the Worker's end is the connection's end.
  started.on('error', (error) => peer.close(new WorkerDied(describeThrown(error))));
  started.on('exit', () => peer.close(new WorkerDied('it ended')));
  return { peer, worker: started };
}

/** What a call rejects with; fails when it does not reject. */
async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => expect.unreachable(`resolved to ${String(value)}`),
    (error: unknown) => error,
  );
}

describe('a connection between Workers', () => {
  it('carries calls in both directions over one port', async () => {
    const { peer } = start({
      refuse() {
        throw new SyscallError('munmap', EINVAL);
      },
    });
    expect(await peer.remote.add(2, 3)).toBe(5);
    const error = await thrownBy(peer.remote.relay());
    expect(error).toBeInstanceOf(SyscallError);
    expect(error).toMatchObject({ code: 'EINVAL', errno: 22, syscall: 'munmap' });
  });

  it('keeps the class and fields of errors', async () => {
    const { peer } = start();
    const syscall = await thrownBy(peer.remote.throwSyscall());
    expect(syscall).toBeInstanceOf(SyscallError);
    expect(syscall).toMatchObject({
      name: 'SyscallError',
      message: 'mmap: EINVAL, invalid argument',
      code: 'EINVAL',
      errno: 22,
      syscall: 'mmap',
    });
    const fault = await thrownBy(peer.remote.throwFault());
    expect(fault).toBeInstanceOf(MemoryFault);
    expect(fault).toMatchObject({ code: 'SEGV_ACCERR', address: 2 ** 40, access: 'write' });
    expect(await thrownBy(peer.remote.throwPanic())).toBeInstanceOf(KernelPanic);
    const range = await thrownBy(peer.remote.throwRange());
    expect(range).toBeInstanceOf(RangeError);
    expect((range as Error).stack).toContain('worker.mjs');
    const foreign = await thrownBy(peer.remote.throwForeign());
    expect(foreign).toMatchObject({ name: 'AbortError', message: 'x', code: 7 });
    expect(foreign).not.toHaveProperty('more');
    expect(await thrownBy(peer.remote.throwText())).toBe('plain text');
  });

  it('rejects what is pending when the Worker is terminated, and everything after', async () => {
    const { peer, worker: started } = start();
    expect(await peer.remote.add(1, 1)).toBe(2);
    const hanging = [thrownBy(peer.remote.hang()), thrownBy(peer.remote.hang())];
    await started.terminate();
    for (const error of await Promise.all(hanging)) expect(error).toBeInstanceOf(WorkerDied);
    expect(await thrownBy(peer.remote.add(1, 1))).toBeInstanceOf(WorkerDied);
  });

  it('rejects what is pending when the Worker crashes, with the cause', async () => {
    const { peer } = start();
    const error = await thrownBy(peer.remote.crash());
    expect(error).toBeInstanceOf(WorkerDied);
    expect((error as Error).message).toBe('Error: boom');
  });

  it('rejects an argument that cannot be cloned, and goes on', async () => {
    const { peer } = start();
    const error = await thrownBy(peer.remote.add((() => 1) as never, 1));
    expect((error as Error).name).toBe('DataCloneError');
    expect(await peer.remote.add(1, 1)).toBe(2);
  });

  it('rings a doorbell in order with the calls', async () => {
    const { peer } = start();
    peer.ring();
    peer.ring();
    expect(await peer.remote.rings()).toBe(2);
  });

  it('says in one line what was thrown', () => {
    expect(describeThrown(new RangeError('a\nb'))).toBe('RangeError: a');
    expect(describeThrown('text')).toBe('text');
    expect(describeThrown(undefined)).toBe('thrown: undefined');
    expect(describeThrown({ a: 1 })).toBe('thrown: [object Object]');
  });
});
