/** Goal: the report says what the run found, aligned, and names every reason for a failure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { counted } from '../../cli/counted.ts';
import { largestInstalledTextFile, largestTextFile } from '../../cli/largest-text-file.ts';
import { formatReport } from '../../cli/run-report.ts';
import type { RunDocument } from '../../cli/run-document.ts';
import { describeStatus, findProblems } from '../../cli/run-document.ts';
import { formatMicroseconds, formatTable } from '../../cli/text-table.ts';

const process = {
  pid: 1,
  tgid: 1,
  name: 'hello',
  cpu: 1,
  status: { code: 0 },
  wallMs: 12.34,
  cpuMs: 5,
  faultsMinor: 1234,
  faultsMajor: 5,
  tlbHits: 1_000_000,
  tlbMisses: 7,
  shootdowns: 8,
  residentPages: 0,
  residentPagesPeak: 9,
  memoryGroup: null,
};

const document: RunDocument = {
  program: 'hello',
  args: [],
  options: {},
  exitStatus: 0,
  problems: [],
  status: { code: 0 },
  timedOut: false,
  interrupted: false,
  wallMs: 45.6,
  host: { cores: 2, load: 0.5 },
  result: { output: [], check: null },
  processes: [process, { ...process, pid: 12, name: 'hello/1', status: { signal: 'SIGKILL' } }],
  machine: {
    memoryBytes: 2 ** 26,
    cpus: 2,
    protocol: 'rcu',
    kernel: 'javascript',
    shootdown: 'batched',
    faults: 'local',
    framesTotal: 16384,
    framesUsed: 3,
    framesUsedPeak: 1500,
    tableFrames: 0,
    injected: {},
    processesForgotten: 0,
    swapPages: 0,
    swapPagesUsed: 0,
    memoryWaitMs: 0,
    tableFramesPeak: 4,
    counters: {},
  },
  syscalls: [
    { name: 'mmap', count: 1000, p50Us: 0.5, p99Us: 1234 },
    { name: 'kill', count: 0, p50Us: 0, p99Us: 0 },
  ],
  audit: {
    clean: true,
    violations: [],
    notes: [],
    checked: { frames: 16384, framesInUse: 2, areas: 0 },
  },
  dmesg: ['[0.001] booted'],
};

describe('report', () => {
  it('shows processes, machine, syscalls and the audit', () => {
    expect(formatReport(document, { all: false })).toMatchInlineSnapshot(`
      "PID  NAME     CPU     WALL   MINOR   MAJOR        TLB     TLB  SHOOT-   PEAK  STATUS
                                  FAULTS  FAULTS       HITS  MISSES   DOWNS  PAGES
        1  hello      1  12.3 ms   1,234       5  1,000,000       7       8      9  exit 0
       12  hello/1    1  12.3 ms   1,234       5  1,000,000       7       8      9  SIGKILL

      machine  2 CPUs, 64MiB, rcu locking, batched shootdown, local faults
      time     45.6 ms from boot to the program's end
      frames   1,500 of 16,384 used at peak; page tables: 4 of them at their peak
               3 used now; page tables: 0

      SYSCALL  COUNT      P50      P99
      mmap     1,000  0.50 us  1.23 ms

      audit    clean (16,384 frames, 2 frames in use)

      dmesg
        [0.001] booted

      terms: docs/glossary.md"
    `);
  });

  it('says that the host is busy, and which CPUs came on top', () => {
    const host = { cores: 2, load: 12.4 };
    const processes = [{ ...process, cpu: 3 }];
    const report = formatReport({ ...document, host, processes }, { all: false });
    expect(report).toContain("from boot to the program's end; the host is busy (load 12)\n");
    expect(report).toContain('machine  2 CPUs and 1 extra, 64MiB');
  });

  it('has few rows, those of failures before others, unless all are asked for', () => {
    const failed = [40, 70];
    const processes = Array.from({ length: 100 }, (_, index) => ({
      ...process,
      pid: index + 1,
      status: failed.includes(index + 1) ? { signal: 'SIGABRT' } : { code: 0 },
    }));
    const pids = (report: string): number[] =>
      [...report.matchAll(/^ *(\d+) {2}hello/gm)].map(([, pid]) => Number(pid));
    const short = formatReport({ ...document, processes }, { all: false });
    expect(pids(short)).toHaveLength(16);
    expect(pids(short)).toEqual(expect.arrayContaining([1, ...failed]));
    expect(short).toContain('and 84 more processes, exit 0 for each; --all shows them');
    expect(pids(formatReport({ ...document, processes }, { all: true }))).toHaveLength(100);
  });

  it('is at most 100 columns wide, whatever a program is called or throws', () => {
    const reason = `Error: ${'it went wrong, '.repeat(20)}`;
    const status = { signal: 'SIGABRT', reason };
    const processes = [{ ...process, name: 'n'.repeat(300), status, tlbHits: 1e12 }];
    const report = formatReport({ ...document, processes }, { all: false });
    expect(Math.max(...report.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(report.replace(/\s+/g, ' ')).toContain(reason.trim());
  });

  it('lists what the audit found', () => {
    const violations = ['frame 7 leaked', 'frame 9 leaked'];
    const audit = { clean: false, violations, notes: ['CPU 1 got a new Worker'], checked: {} };
    const report = formatReport({ ...document, audit, dmesg: [] }, { all: false });
    expect(report).toContain(
      'audit    2 violations\n  frame 7 leaked\n  frame 9 leaked\n  CPU 1 got',
    );
  });

  it('describes how a process ended', () => {
    expect(describeStatus(null)).toBe('running');
    expect(describeStatus({ code: 3 })).toBe('exit 3');
    expect(
      describeStatus({ signal: 'SIGSEGV', faultCode: 'SEGV_MAPERR', address: 0, reason: 'a\n b' }),
    ).toBe('SIGSEGV SEGV_MAPERR at 0x0: a');
  });

  it('names every reason for exit status 1, and only those', () => {
    const good = {
      ...{
        program: 'p',
        status: { code: 0 },
        timedOut: false,
        interrupted: false,
        timeoutMs: 1500,
      },
      ...{ audit: document.audit, check: { words: 2, wcWords: 2, agrees: true } },
    };
    const leak = { clean: false, violations: ['frame 7 leaked', 'b', 'c'], notes: [], checked: {} };
    expect(findProblems(good)).toEqual([]);
    expect(findProblems({ ...good, check: null })).toEqual([]);
    expect(findProblems({ ...good, check: { words: 2, wcWords: null, agrees: null } })).toEqual([]);
    expect(findProblems({ ...good, status: { code: 3 } })).toEqual(['p failed: exit 3']);
    expect(findProblems({ ...good, status: { signal: 'SIGKILL' }, timedOut: true })).toEqual([
      'p did not end within 1.5 s',
    ]);
    expect(
      findProblems({ ...good, audit: leak, check: { words: 2, wcWords: 3, agrees: false } }),
    ).toEqual([
      'p counted 2 words, wc -w counts 3',
      'the audit found: frame 7 leaked (and 2 more)',
    ]);
  });
});

describe('counts', () => {
  it('have their nouns in the singular and in the plural', () => {
    const nouns = ['frames in use', 'retired tables', 'processes', 'entries', 'CPUs', 'accesses'];
    expect(nouns.map((noun) => counted(1, noun))).toEqual([
      '1 frame in use',
      '1 retired table',
      '1 process',
      '1 entry',
      '1 CPU',
      '1 access',
    ]);
    expect(nouns.map((noun) => counted(1200, noun))).toEqual(nouns.map((noun) => `1,200 ${noun}`));
    expect(counted(0, 'violations')).toBe('0 violations');
  });
});

describe('tables', () => {
  it('aligns columns and leaves no spaces at line ends', () => {
    const rows = [
      ['a', '10'],
      ['long', '9'],
    ];
    expect(formatTable(['K', 'N'], rows, 'lr')).toBe('K      N\na     10\nlong   9');
    expect(formatTable(['K', 'N'], rows, 'rl')).toBe('   K  N\n   a  10\nlong  9');
  });

  it('writes durations with three digits', () => {
    expect([0, 0.456, 12.34, 999, 1240, 99_940, 3_100_000].map(formatMicroseconds)).toEqual([
      '0.00 us',
      '0.46 us',
      '12.3 us',
      '999 us',
      '1.24 ms',
      '99.9 ms',
      '3.10 s',
    ]);
  });
});

describe('largest text file', () => {
  it('is found among the packages; ties go by path, and binaries do not count', () => {
    const root = mkdtempSync(join(tmpdir(), 'faultline-test-'));
    try {
      const write = (path: string, content: string): void => {
        mkdirSync(join(root, path, '..'), { recursive: true });
        writeFileSync(join(root, path), content);
      };
      write('node_modules/a/lib/b.js', 'x'.repeat(20));
      write('node_modules/a/lib/a.js', 'y'.repeat(20));
      write('node_modules/a/binary.js', `${'z'.repeat(30)}\0`);
      write('node_modules/a/image.png', 'z'.repeat(40));
      write('node_modules/faultline/dist/index.js', 'z'.repeat(50));
      write('outside.js', 'z'.repeat(60));
      expect(largestInstalledTextFile(join(root, 'node_modules/faultline'))).toBe(
        join(root, 'node_modules/faultline/dist/index.js'),
      );
      expect(largestTextFile(join(root, 'node_modules/a'))).toBe(
        join(root, 'node_modules/a/lib/a.js'),
      );
      expect(largestInstalledTextFile(root)).toBe(
        join(root, 'node_modules/faultline/dist/index.js'),
      );
      expect(largestTextFile(join(root, 'node_modules/none'))).toBe(null);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
