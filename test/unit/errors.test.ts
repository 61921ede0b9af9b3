/** Goal: what errors say is whole: an errno's text, an address as 64 bits, an exit code's rule. */
import { describe, expect, it } from 'vitest';
import { ERRNO_NAMES } from '../../shared/abi/errno.ts';
import { exitCodeOf } from '../../workers/cpu/runtime/exit-code.ts';
import { openHostFile } from '../../workers/kernel/files/host-file.ts';
import { ERRNO_TEXTS } from '../../workers/wire/errno-texts.ts';
import { MemoryFault, SyscallError } from '../../workers/wire/errors.ts';
import { hexAddress } from '../../workers/wire/hex-address.ts';

describe('messages', () => {
  it('have a text for each errno', () => {
    expect(Object.keys(ERRNO_TEXTS)).toEqual(Object.keys(ERRNO_NAMES));
    expect(new SyscallError('nanosleep', 4).message).toBe(
      'nanosleep: EINTR, interrupted system call',
    );
  });

  it('show addresses as registers hold them', () => {
    expect([0, 4096, 2 ** 47, -4].map(hexAddress)).toEqual([
      '0x0',
      '0x1000',
      '0x800000000000',
      '0xfffffffffffffffc',
    ]);
    expect([NaN, 1.5, Infinity].map(hexAddress)).toEqual(['NaN', '1.5', 'Infinity']);
    const info = { signal: 'SIGSEGV', code: 'SEGV_MAPERR', access: 'read', address: -4 } as const;
    expect(new MemoryFault(info).message).toBe('SIGSEGV (SEGV_MAPERR): read at 0xfffffffffffffffc');
  });

  it('name the file that could not be opened, and its errno once', async () => {
    await expect(openHostFile('input', '/nowhere/at/all')).rejects.toMatchObject({
      code: 'ENOENT',
      message: "open: ENOENT, file 'input': no such file or directory, stat '/nowhere/at/all'",
    });
  });
});

describe('an exit code', () => {
  it('is an integer that a status holds, or nothing', () => {
    expect([undefined, null, 0, 7, 255].map(exitCodeOf)).toEqual([0, 0, 0, 7, 255]);
  });

  it.each([300, -1, 1.5, NaN, '1', true, {}])('is not %j', (returned) => {
    expect(() => exitCodeOf(returned)).toThrow(/^the program returned .*from 0 to 255/);
  });
});
