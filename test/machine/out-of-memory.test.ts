/**
 * Goal: who is killed for want of memory says so, wherever it was when it was chosen. Method: the
 * largest process or thread sits somewhere, and another one needs memory.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, module, program, start } from '../support/worker-programs.ts';

const PAGES = 300;

/** Fills its pages, says so, and then does `body`. */
function large(body: string): string {
  return module(`
  export const spinner = (proc, at) => { for (;;) proc.mem.load32(at); };
  export default async (proc) => {
    const at = await proc.mmap(0, ${PAGES} * 4096, RW, ANON);
    for (let page = 0; page < ${PAGES}; page++) proc.mem.store32(at + page * 4096, page);
    proc.print('large');
    ${body}
  }`);
}

const hungry = program(async (proc) => {
  const at = await proc.mmap(0, 250 * 4096, RW, ANON);
  for (let page = 0; page < 250; page++) proc.mem.store32(at + page * 4096, page);
  return 7;
});

const outOfMemory = { signal: 'SIGKILL', reason: 'out of memory' };

describe.each([
  ['awaits', 'for (;;) await proc.nanosleep(1e7);'],
  ['sleeps in a call', 'proc.sync.futexWait(at, 0, 20_000);'],
  ['runs in user mode', 'for (;;) proc.mem.load32(at);'],
  ['computes, and loses its Worker', 'await proc.nanosleep(1e6); for (;;);'],
])('a process that %s when it is killed for want of memory', (_what, body) => {
  it('says so, on another CPU than the fault', async () => {
    const { machine, lines } = await start({ cpus: 2, memory: '2MiB', swap: 0 });
    const victim = await machine.spawn(large(body));
    while (!lines.includes('large')) await new Promise((resolve) => setTimeout(resolve, 1));
    const other = await machine.spawn(hungry);
    expect(await victim.wait()).toEqual(outOfMemory);
    expect(await other.wait()).toEqual({ code: 7 });
    expect((await machine.stats()).counters['oomKills']).toBe(1);
    while ((await machine.stats()).processes.some(({ status }) => status === null));
    await expectClean(machine);
  });
});

it('a thread whose memory is needed says so, and so do its siblings', async () => {
  const { machine, lines } = await start({ cpus: 3, memory: '2MiB', swap: 0 });
  const body = `await proc.clone('spinner', { args: [at] });
    proc.print('cloned');
    await proc.nanosleep(1e11);`;
  await machine.spawn(large(body));
  while (!lines.includes('cloned')) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(await (await machine.spawn(hungry)).wait()).toEqual({ code: 7 });
  const { processes } = await machine.stats();
  expect(processes.map(({ status }) => status)).toEqual([outOfMemory, outOfMemory, { code: 7 }]);
  await expectClean(machine);
});
