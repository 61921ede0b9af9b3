/**
 * Goal: whatever strace prints is understood, and whatever it is not does no harm. Method: lines as
 * strace prints them with its options, and lines that nothing would print, replayed.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CallText } from '../../lab/replay/strace/call-text.ts';
import { StraceLine } from '../../lab/replay/strace/strace-line.ts';
import { replayLines, replayed, sourceOf } from '../support/recordings.ts';

const AT = 0x7f00_0000_0000;
const hex = (address: number): string => `0x${address.toString(16)}`;
const ANON = 'MAP_PRIVATE|MAP_ANONYMOUS';
const mmap = (at: number, pages = 1): string =>
  `mmap(NULL, ${pages * 4096}, PROT_READ|PROT_WRITE, ${ANON}, -1, 0) = ${hex(at)}`;
const mprotect = (at: number, result = '0'): string =>
  `mprotect(${hex(at)}, 4096, PROT_READ) = ${result}`;
const munmap = (at: number, pages = 1): string => `munmap(${hex(at)}, ${pages * 4096}) = 0`;
const SEGV = (code: string, at: number): string =>
  `--- SIGSEGV {si_signo=SIGSEGV, si_code=${code}, si_addr=${hex(at)}} ---`;
const FORK = 'clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD';
const THREAD =
  'clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM, ' +
  'child_tid=0x7f0000ffe990, exit_signal=0, stack=0x7f0000000000, stack_size=0x7fff00}';

describe('a line of strace', () => {
  const line = new StraceLine();
  const read = (text: string): readonly [string, number, string] => {
    line.read(text, 0, text.length);
    return [line.kind, line.pid, line.name];
  };

  it.each([
    ['brk(NULL) = 0x2878a000', 'call', 0, 'brk'],
    ['19785 brk(NULL)                         = 0x2878a000', 'call', 19785, 'brk'],
    ['[pid 19785] brk(NULL) = 0x1000', 'call', 19785, 'brk'],
    ['[pid   785] 12:34:56 brk(NULL) = 0x1000', 'call', 785, 'brk'],
    ['1795247082.761360 brk(NULL) = 0x1000 <0.000084>', 'call', 0, 'brk'],
    ['19803 1795247082.761360 brk(NULL) = 0x1000 <0.000084>', 'call', 19803, 'brk'],
    ['     0.000123 brk(NULL) = 0x1000', 'call', 0, 'brk'],
    ['123      0.000123 brk(NULL) = 0x1000', 'call', 123, 'brk'],
    ['7 mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0 <unfinished ...>', 'unfinished', 7, 'mmap'],
    ['7 <... mmap resumed>)               = 0x7fc928000000', 'resumed', 7, 'mmap'],
    ['7 --- SIGCHLD {si_signo=SIGCHLD} ---', 'signal', 7, ''],
    ['+++ exited with 0 +++', 'end', 0, ''],
    ['strace: Process 12 attached', 'bad', 0, ''],
    [' > /usr/lib/libc.so.6(brk+0xb) [0xf]', 'other', 0, ''],
    ['', 'other', 0, ''],
    ['hello, world', 'bad', 0, ''],
    ['#maps 7 exec', 'mark', 0, ''],
  ])('%s', (text, kind, pid, name) => {
    const expected = text.startsWith('strace: ') ? 'other' : kind;
    expect(read(text)).toEqual([expected, pid, name]);
  });

  it.each([
    ['openat(AT_FDCWD</a>, "a, b) = \\"c", O_RDONLY) = 3</a, (b)>', 3, '3', ''],
    ['mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, 3</a, b>, 0x1000) = 0x7fc93802a000', 6, '3', ''],
    ['clone3({flags=CLONE_VM, stack=0x1} => {parent_tid=[5]}, 88) = 5', 2, '', ''],
    ['close(-1) = -1 EBADF (Bad file descriptor)', 1, '', 'EBADF'],
    ['x(3<TCP:[127.0.0.1:5->127.0.0.1:6]>, [1, 2], {a=1, b=[2, 3]} /* ), " */) = 0', 3, '3', ''],
    ['munlockall() = 0', 0, '', ''],
  ])('%s', (text, count, fd, errno) => {
    const call = new CallText();
    expect(call.split(text, text.indexOf('(') + 1, text.length)).toBe(true);
    expect([call.count, call.errno]).toEqual([count, errno]);
    if (fd !== '') {
      const at = Array.from({ length: count }, (_, i) => i).find((i) => call.path(i) !== '') ?? -1;
      expect(call.path(at)).not.toBe('');
    }
  });
});

describe('processes', () => {
  it('a child may speak before its parent’s clone returns', async () => {
    const report = await replayLines([
      `10 ${mmap(AT)}`,
      `10 ${FORK} <unfinished ...>`,
      `11 ${mprotect(AT)}`,
      `11 ${munmap(AT)}`,
      `10 <... clone resumed>, child_tidptr=0x7f0000000a10) = 11`,
      `10 ${mprotect(AT)}`,
      `10 ${FORK}, child_tidptr=0x7f0000000a10) = 12`,
      `12 ${munmap(AT)}`,
      `11 +++ exited with 0 +++`,
      `12 +++ exited with 0 +++`,
      `10 ${munmap(AT)}`,
      `10 ${mmap(AT)}`,
    ]);
    expect(report).toMatchObject({ differences: [], compared: 7, inferredPages: 0 });
    expect(report.processesTotal).toBe(3);
    expect(report.violations).toEqual([]);
  });

  it('a thread uses its maker’s memory, though its lines come first', async () => {
    const report = await replayLines([
      `10 ${mmap(AT)}`,
      `10 ${THREAD} <unfinished ...>`,
      `11 ${munmap(AT)}`,
      `10 <... clone3 resumed> => {parent_tid=[11]}, 88) = 11`,
      `10 ${mmap(AT)}`,
      `11 ${mmap(AT - 4096)}`,
      `11 +++ exited with 0 +++`,
      `10 ${munmap(AT - 4096, 2)}`,
    ]);
    expect(report).toMatchObject({ differences: [], inferredPages: 0, violations: [] });
    expect(report.processesTotal).toBe(1);
  });

  it('vfork shares memory until execve', async () => {
    const report = await replayLines([
      `10 ${mmap(AT)}`,
      `10 vfork( <unfinished ...>`,
      `11 ${munmap(AT)}`,
      `11 ${mmap(AT + 8192)}`,
      `11 execve("/bin/x", ["x"], 0x1 /* 0 vars */) = 0`,
      `11 ${mmap(AT + 8192)}`,
      `10 <... vfork resumed>) = 11`,
      `10 ${mprotect(AT + 8192)}`,
      `11 +++ exited with 0 +++`,
      `10 ${mmap(AT)}`,
    ]);
    expect(report).toMatchObject({ differences: [], inferredPages: 0, violations: [] });
  });

  it('a thread that calls execve goes on under its leader’s number', async () => {
    const report = await replayLines([
      `10 ${THREAD} => {parent_tid=[11]}, 88) = 11`,
      `11 ${mmap(AT)}`,
      `11 execve("/bin/x", ["x"], 0x1 /* 0 vars */ <unfinished ...>`,
      `10 +++ superseded by execve in pid 11 +++`,
      `10 <... execve resumed>) = 0`,
      `10 ${mmap(AT)}`,
      `10 +++ exited with 0 +++`,
    ]);
    expect(report).toMatchObject({ differences: [], inferredPages: 0, violations: [] });
    expect(report.processes.map(({ process }) => process)).toContain(10);
  });

  it('on a terminal, the first one has no number until there are others', async () => {
    const report = await replayLines([
      mmap(AT),
      `${FORK}, child_tidptr=0x7f0000000a10) = 11`,
      'strace: Process 11 attached',
      `[pid 11] ${munmap(AT)}`,
      `[pid 10] ${mprotect(AT)}`,
      '[pid 11] +++ exited with 0 +++',
      munmap(AT),
      '+++ exited with 0 +++',
    ]);
    expect(report).toMatchObject({ differences: [], inferredPages: 0, violations: [] });
    expect(report.processesTotal).toBe(2);
  });

  it('on a terminal, a notice may break a line', async () => {
    const report = await replayLines([
      mmap(AT),
      `${FORK}strace: Process 11 attached`,
      ', child_tidptr=0x7f0000000a10) = 11',
      `[pid 11] ${munmap(AT)}`,
      '[pid 10] wait4(-1, strace: Process 12 attached',
      ' <unfinished ...>',
      `[pid 10] <... wait4 resumed>NULL, 0, NULL) = 11`,
      `[pid 10] ${munmap(AT)}`,
    ]);
    expect(report).toMatchObject({ differences: [], compared: 3, inferredPages: 0 });
    expect(report.notReplayed).toEqual([
      { reason: 'wait4: not about memory', count: 1, firstLine: 0 },
    ]);
  });

  it('what frees an address has done so when it begins', async () => {
    const report = await replayLines([
      `10 ${THREAD} => {parent_tid=[11]}, 88) = 11`,
      `10 ${mmap(AT)}`,
      `10 munmap(${hex(AT)}, 4096 <unfinished ...>`,
      `11 ${mmap(AT)}`,
      `10 <... munmap resumed>) = 0`,
      `11 ${mprotect(AT)}`,
    ]);
    expect(report).toMatchObject({ differences: [], compared: 4, violations: [] });
  });

  it('more at a time than the machine has room for are left out, and counted', async () => {
    const births = Array.from({ length: 400 }, (_, i) => `10 fork() = ${i + 11}`);
    const lines = [`10 ${mmap(AT)}`, ...births, `400 ${mprotect(AT)}`];
    const report = await replayLines(lines, { memoryBytes: 2 ** 20 });
    expect(report).toMatchObject({ differences: [], violations: [] });
    const reasons = report.notReplayed.map(({ reason }) => reason).join();
    expect(reasons).toContain('no room');
  });
});

describe('a long life', () => {
  it('in little memory: tables that are freed are used again', async () => {
    const cycle = [mmap(AT, 16), mprotect(AT), munmap(AT, 16)];
    const lines = Array.from({ length: 1000 }, () => cycle).flat();
    const report = await replayLines(lines, { memoryBytes: 2 ** 20 });
    expect(report).toMatchObject({ differences: [], compared: 3000, violations: [] });
  });
});

describe('what is compared', () => {
  it('faults, by their codes', async () => {
    const lines = [mmap(AT), mprotect(AT), SEGV('SEGV_ACCERR', AT), SEGV('SEGV_MAPERR', AT + 4096)];
    expect(await replayLines(lines)).toMatchObject({ differences: [], compared: 4 });
    const wrong = await replayLines([mmap(AT), SEGV('SEGV_MAPERR', AT)]);
    expect(wrong.differences).toMatchObject([
      { line: 2, recorded: 'SEGV_MAPERR', here: 'allowed', what: `access of ${hex(AT)}` },
    ]);
  });

  it('errnos, and addresses as the recording has them', async () => {
    const report = await replayLines([
      mmap(AT, 2),
      `mmap(${hex(AT + 100)}, 4096, PROT_READ, MAP_FIXED|${ANON}, -1, 0) = -1 EINVAL (no)`,
      `madvise(${hex(AT)}, 4096, MADV_DONTNEED) = -1 ENOMEM (Cannot allocate memory)`,
      `mremap(${hex(AT)}, 8192, 12288, MREMAP_MAYMOVE) = ${hex(AT + 65536)}`,
      munmap(AT + 65536, 3),
      mmap(AT),
    ]);
    expect(report.differences).toMatchObject([{ line: 3, recorded: 'ENOMEM', here: '0' }]);
    expect(report).toMatchObject({ compared: 6, equal: 5, violations: [] });
  });

  it('the address of a mapping that the machine cannot have there', async () => {
    const report = await replayLines([mmap(AT), mmap(AT), munmap(AT)]);
    expect(report.differences).toMatchObject([
      { line: 2, what: 'mmap', recorded: hex(AT), here: 'EEXIST' },
    ]);
  });

  it('the areas of --check-maps', async () => {
    const area = { start: AT, end: AT + 4096, permissions: 'rw-p', offset: '00000000', name: '' };
    const lines = [mmap(AT), '+++ exited with 0 +++'];
    expect(await replayLines(lines, { checkMaps: [area] })).toMatchObject({ mapsEqual: 1 });
    const other = await replayLines(lines, { checkMaps: [{ ...area, permissions: 'r--p' }] });
    expect(other).toMatchObject({ mapsEqual: 0, differencesTotal: 2 });
  });

  it('memory with a name, and what mincore says', async () => {
    const report = await replayLines(
      [
        mmap(AT),
        `prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, ${hex(AT)}, 4096, "glibc: malloc") = 0`,
        `mincore(${hex(AT)}, 4096, [0]) = 0`,
        `mincore(${hex(AT + 8192)}, 4096, 0x1000) = -1 ENOMEM (Cannot allocate memory)`,
        '+++ exited with 0 +++',
      ],
      { maps: true },
    );
    expect(report).toMatchObject({ differences: [], compared: 4, violations: [] });
    expect(report.maps[0]?.text).toContain('[anon:glibc: malloc]');
  });

  it('files: of the size that is recorded', async () => {
    const second = hex(AT + 4096);
    const report = await replayLines([
      'openat(AT_FDCWD, "/lib/x", O_RDONLY|O_CLOEXEC) = 3',
      'fstat(3</lib/x>, {st_mode=S_IFREG|0755, st_size=5000, ...}) = 0',
      `mmap(NULL, 12288, PROT_READ, MAP_PRIVATE, 3</lib/x>, 0) = ${hex(AT)}`,
      'close(3) = 0',
      // SIGBUS beyond what is mapped is told by the mapping itself: it counts as the file's size.
      `mmap(${second}, 4096, PROT_READ, MAP_PRIVATE|MAP_FIXED, 3</lib/x>, 0x1000) = ${second}`,
      `mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 4, 0) = -1 EACCES (Permission denied)`,
    ]);
    expect(report).toMatchObject({ differences: [], compared: 2, violations: [] });
    expect(report.notReplayed).toContainEqual({
      ...{ reason: 'mmap: depends on the host', count: 1, firstLine: 6 },
    });
  });
});

describe('bad input', () => {
  it.each([
    ['nothing', '', "'test' is empty"],
    ['no text', '\u0000\u0001\u0002', "'test' is no text"],
    ['another text', 'hello\nworld\n', "'test' has no line of strace"],
  ])('%s is refused', async (_, content, message) => {
    await expect(replayed(sourceOf(content))).rejects.toThrow(message);
    await expect(replayed(sourceOf(gzipSync(content)))).rejects.toThrow(message);
  });

  it('lines that cannot be read are skipped and counted, the others replayed', async () => {
    const report = await replayLines([
      mmap(AT),
      'mmap(NULL, 4096, PROT_READ',
      'mmap(NULL, 4096, "unclosed',
      'mprotect(',
      '99 <... mmap resumed>) = 0x1000',
      'nonsense',
      `unheard_of(1, 2) = 3`,
      'mmap() = 0x7f0000000000',
      'brk(NULL) = ?',
      `madvise(${hex(AT)}, 4096, 0x63 /* MADV_??? */) = -1 EINVAL (Invalid argument)`,
      `madvise(${hex(AT)}, 4096, MADV_UNHEARD_OF) = 0`,
      munmap(AT),
    ]);
    expect(report).toMatchObject({ differences: [], compared: 3, violations: [] });
    expect(report.notReplayed).toEqual(
      expect.arrayContaining([
        {
          reason: 'lines that are not of strace, or not complete',
          ...{ count: 5, firstLine: 2 },
        },
        { reason: 'unheard_of: not about memory', count: 1, firstLine: 0 },
        { reason: 'madvise: not understood', count: 1, firstLine: 11 },
      ]),
    );
  });

  it('impossible results are differences, or beyond the machine', async () => {
    const report = await replayLines([
      `mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7`,
      `mmap(NULL, 99999999999999999999, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ${hex(AT)}`,
      `mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0xffffffffffffffff`,
      `mmap(NULL, -5, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ${hex(AT)}`,
      `munmap(0xfffffffffffff000, 18446744073709551615) = 0`,
      `mremap(0xffffffffffff0000, 1e9, -1, MREMAP_MAYMOVE) = 0x3`,
      `brk(0xffffffffffffffff) = 0xffffffffffffffff`,
      `mincore(${hex(AT)}, 99999999999999, 0) = 0`,
      'fork() = -77',
      'fork() = 99999999999999999999',
      SEGV('SEGV_MAPERR', -1),
      mmap(AT + 65536),
    ]);
    expect(report.violations).toEqual([]);
    expect(report.equal).toBeGreaterThan(0);
    expect(report.lines).toBe(12);
  });

  it('a line of megabytes is skipped', async () => {
    const report = await replayLines([mmap(AT), `write(1, "${'x'.repeat(3e6)}"`, munmap(AT)]);
    expect(report).toMatchObject({ compared: 2, equal: 2, lines: 3 });
    expect(report.notReplayed).toContainEqual({
      ...{ reason: 'lines of more than a mebibyte', count: 1, firstLine: 2 },
    });
  });

  it('more addresses than fit are refused, with the line of the program', async () => {
    const map = (at: number): string =>
      `mmap(NULL, ${2 ** 41}, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = ${hex(at)}`;
    const lines = [mmap(AT), map(0x1000_0000_0000), map(0x2000_0000_0000), map(0x3000_0000_0000)];
    await expect(replayLines(lines)).rejects.toThrow('begins in line 1 maps more than fits');
  });

  it('text that is drawn at random does no harm', async () => {
    let seed = 7;
    const draw = (n: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % n;
    };
    const parts = ['10 ', '11 ', 'mmap(', 'munmap(', '0x7f0000001000', '4096', ', ', ') = ', '0'];
    parts.push('fork(', ' <unfinished ...>', '<... fork resumed>', '11', '+++ exited', '#m ', '"');
    parts.push(
      'MAP_PRIVATE',
      '|',
      '-1 ENOMEM (x)',
      'execve("a"',
      '#maps 10 exec',
      '[',
      '}',
      'brk(',
    );
    const lines = Array.from({ length: 3000 }, () =>
      Array.from({ length: 1 + draw(9) }, () => parts[draw(parts.length)]).join(''),
    );
    const report = await replayLines([mmap(AT), ...lines]);
    expect(report.violations).toEqual([]);
  });
});

describe('accesses', () => {
  it('perf’s page faults touch their pages, each process its own', async () => {
    const report = await replayLines([
      '# a comment',
      'ls 32229/32229 34836.749231: page-faults:     55c76d0385c0 ffffffff81775dda',
      'ls 32229/32230 34836.749261: page-faults:u:     7f047cca2110 ffffffff81775dda',
      'cat 7 34836.749279: page-faults:     7f047cca2110     7f047cc88b70',
      'nothing of that kind',
    ]);
    expect(report).toMatchObject({ format: 'perf', accesses: { faults: 3 }, processesTotal: 2 });
    expect(report).toMatchObject({ inferredPages: 3, violations: [] });
    expect(report.notReplayed).toContainEqual({
      ...{ reason: 'lines that are no access', count: 1, firstLine: 5 },
    });
  });

  it('strace -r is recognised, though its lines begin with spaces', async () => {
    const report = await replayLines([`     0.000000 ${mmap(AT)}`, `     0.000123 ${munmap(AT)}`]);
    expect(report).toMatchObject({ format: 'strace', compared: 2, differences: [] });
  });

  it('lackey’s cross pages, and what is no access is counted', async () => {
    const report = await replayLines([
      '==7== Lackey, an example Valgrind tool',
      'I  0401ab70,3',
      ' S 1fff000ffe,8',
      ' M 7f0000000000,4',
      ' L 1fff0,',
      ' X 1fff000,1',
      'I  g,1',
      'output of the program',
    ]);
    expect(report).toMatchObject({
      format: 'lackey',
      accesses: { instructions: 1, stores: 1, modifies: 1 },
      violations: [],
      inferredPages: 4,
    });
    expect(report.processes[0]?.residentPages).toBe(3);
    expect(report.notReplayed).toMatchObject([{ count: 4, firstLine: 5 }]);
  });

  it('lackey’s are the same in pieces of any size, and with other line ends', async () => {
    const lines = [
      '==7== Lackey, an example Valgrind tool',
      'I  0401ab70,3',
      'x',
      ' S 1fff000ff0,8',
    ];
    const text = [...lines, ' L 0401ab70,4', ''].join('\n');
    for (const content of [text, text.replaceAll('\n', '\r\n'), text.trimEnd()]) {
      for (const bytes of [1, 2, 5, 64, 1000]) {
        const report = await replayed(sourceOf(content, bytes));
        const accesses = { instructions: 1, stores: 1, loads: 1 };
        expect(report).toMatchObject({ accesses, lines: 5, violations: [] });
        expect(report.notReplayed).toMatchObject([{ count: 1, firstLine: 3 }]);
      }
    }
    const stopped = await replayed(sourceOf(text), { stopAt: 3 });
    expect(stopped).toMatchObject({ accesses: { instructions: 1 }, stoppedAt: 3, lines: 3 });
  });
});
