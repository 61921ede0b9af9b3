/**
 * Goal: processes have the capabilities that boot and spawn give them, and children theirs; without
 * them the limits on locked memory count as on Linux. Method: whole machines; programs print what a
 * locking call answers.
 */
import { describe, expect, it } from 'vitest';
import { expectClean, start, threads } from '../support/worker-programs.ts';

/** Locks 9 MiB, one more than RLIMIT_MEMLOCK; then its child of fork does. */
const locker = threads(
  async (proc) => {
    const answer = (code: string, call: () => unknown): string => {
      try {
        call();
        return `${code} ok`;
      } catch (error) {
        return `${code} ${(error as { code?: string }).code}`;
      }
    };
    const at = proc.sync.mmap(0, 9 * 2 ** 20, RW, ANON);
    proc.print(answer('mlock', () => proc.sync.mlock(at, 9 * 2 ** 20)));
    proc.print(answer('mmap', () => proc.sync.mmap(0, 9 * 2 ** 20, RW, ANON | 0x2000)));
    proc.print(answer('nice', () => proc.sync.setpriority(0, 0, -1)));
    const child = await proc.fork('child', at);
    await proc.wait(child);
  },
  {
    child: (proc, at: number) => {
      try {
        proc.sync.mlock(at, 9 * 2 ** 20);
        proc.print('child ok');
      } catch (error) {
        proc.print(`child ${(error as { code?: string }).code}`);
      }
    },
  },
);

/** Spawns `module` with a capability that it may not have itself. */
const giver = threads(async (proc, module: string) => {
  try {
    const pid = await proc.spawn(module, { capabilities: ['CAP_IPC_LOCK'] });
    await proc.wait(pid);
    proc.print('given');
  } catch (error) {
    proc.print(String((error as { code?: string }).code));
  }
}, {});

const free = ['mlock ok', 'mmap ok', 'nice ok', 'child ok'];
const bound = ['mlock ENOMEM', 'mmap EAGAIN', 'nice EACCES', 'child ENOMEM'];

describe('capabilities', () => {
  it('are all there unless boot says otherwise, and spawn may take them away', async () => {
    const { machine, lines } = await start();
    await (await machine.spawn(locker)).wait();
    expect(lines.splice(0)).toEqual(free);
    await (await machine.spawn(locker, { capabilities: [] })).wait();
    expect(lines.splice(0)).toEqual(bound);
    await (await machine.spawn(locker, { capabilities: ['CAP_IPC_LOCK'] })).wait();
    expect(lines).toEqual(['mlock ok', 'mmap ok', 'nice EACCES', 'child ok']);
    await expectClean(machine);
  });

  it('are those given to boot; the host may give more, a program may not', async () => {
    const { machine, lines } = await start({ capabilities: [] });
    await (await machine.spawn(locker)).wait();
    expect(lines.splice(0)).toEqual(bound);
    await (await machine.spawn(giver, { args: [locker] })).wait();
    expect(lines.splice(0)).toEqual(['EPERM']);
    const process = await machine.spawn(giver, { args: [locker], capabilities: ['CAP_IPC_LOCK'] });
    await process.wait();
    expect(lines).toEqual(['mlock ok', 'mmap ok', 'nice EACCES', 'child ok', 'given']);
    await expectClean(machine);
  });

  it('are named as Linux names them', async () => {
    await expect(start({ capabilities: ['CAP_CHOWN' as never] })).rejects.toThrow(
      /^boot: capabilities must be among CAP_IPC_LOCK, .*CAP_SYS_RESOURCE, got 'CAP_CHOWN'$/,
    );
    const { machine } = await start();
    await expect(machine.spawn(locker, { capabilities: 'CAP_IPC_LOCK' as never })).rejects.toThrow(
      TypeError,
    );
    await expectClean(machine);
  });
});
