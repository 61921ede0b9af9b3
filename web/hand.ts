/**
 * The program that is driven by hand: it does what the page asks for, call by call, by the same
 * `proc` that every program has. Its children do the same under their own pid.
 */
import {
  MADV_DONTNEED,
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  MAP_SHARED,
  MemoryFault,
  SyscallError,
  defineProgram,
} from 'faultline/program';
import type { Proc, Program } from 'faultline/program';
import type { HandCall, HandHello, HandReply, HandRequest } from './hand/hand-messages.ts';

const PAGE_SIZE = 4096;
/** Stores between two looks at the clock. */
const STORES = 1000;

/** Stores to one word all the time, as a program does that computes; how often it did. */
function keepBusy(proc: Proc, address: number, ms: number): number {
  const endMs = performance.now() + ms;
  let stores = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < STORES; i++) proc.mem.store32(address, ++stores);
  }
  return stores;
}

async function carryOut(proc: Proc, channelName: string, what: HandCall): Promise<number> {
  switch (what.call) {
    case 'mmap': {
      const flags = (what.shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS;
      return proc.mmap(0, what.bytes, what.prot, flags);
    }
    case 'read':
      return proc.mem.load32(what.address);
    case 'write':
      proc.mem.store32(what.address, what.value);
      return 0;
    case 'mprotect':
      return proc.mprotect(what.address, what.bytes, what.prot);
    case 'munmap':
      return proc.munmap(what.address, what.bytes);
    case 'discard':
      return proc.madvise(what.address, what.bytes, MADV_DONTNEED);
    case 'fill':
      for (let at = what.address; at < what.address + what.bytes; at += PAGE_SIZE) {
        proc.mem.store32(at, at / PAGE_SIZE);
      }
      return what.bytes / PAGE_SIZE;
    case 'busy':
      return keepBusy(proc, what.address, what.ms);
    case 'thread':
      return proc.clone('hand', { args: [channelName], name: 'hand thread' });
    case 'fork':
      return proc.fork('hand', channelName);
    case 'exit':
      return 0;
  }
}

function messageOf(error: unknown): string {
  if (error instanceof MemoryFault) return `${error.signal} ${error.code}`;
  if (error instanceof SyscallError) return error.code;
  throw error;
}

/** Serves the page until it asks for the end. Children are named after this function. */
export async function hand(proc: Proc, channelName: string): Promise<number> {
  const channel = new BroadcastChannel(channelName);
  const requests: HandRequest[] = [];
  let awake = (): void => {};
  channel.onmessage = ({ data }: MessageEvent<HandRequest>) => {
    if (data.to !== proc.pid) return;
    requests.push(data);
    awake();
  };
  channel.postMessage({ hello: proc.pid } satisfies HandHello);
  try {
    for (;;) {
      const request = requests.shift();
      if (request === undefined) {
        await new Promise<void>((resolve) => (awake = resolve));
        continue;
      }
      const { id, what } = request;
      let reply: HandReply;
      try {
        reply = { id, result: await carryOut(proc, channelName, what), error: null };
      } catch (error) {
        reply = { id, result: -1, error: messageOf(error) };
      }
      channel.postMessage(reply);
      if (what.call === 'exit') return 0;
    }
  } finally {
    channel.close();
  }
}

const program: Program = defineProgram(hand);

export default program;
