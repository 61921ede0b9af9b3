/**
 * The host's own figures: a C program, compiled when there is a `cc`, that faults, maps, touches,
 * unmaps and forks. Nanoseconds an operation, each the fastest of its rounds.
 *
 * MADV_NOHUGEPAGE everywhere: the simulated kernel has 4 KiB pages too.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CYCLES, FAULT_PAGES, FORK_BYTES, ROUNDS } from './sizes.ts';

const source = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static double each(const double *rounds, double operations) {
  double best = rounds[0];
  for (int r = 1; r < ${ROUNDS}; r++) if (rounds[r] < best) best = rounds[r];
  return best / operations;
}

static char *map(size_t bytes) {
  char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) exit(1);
  madvise(p, bytes, MADV_NOHUGEPAGE);
  return p;
}

static char *touched(size_t pages) {
  char *p = map(pages * 4096);
  for (size_t i = 0; i < pages; i++) *(volatile int *)(p + i * 4096) = 1;
  return p;
}

int main(void) {
  double rounds[${ROUNDS}];
  for (int r = -1; r < ${ROUNDS}; r++) {
    char *p = map(${FAULT_PAGES} * 4096ul);
    double start = now();
    for (size_t i = 0; i < ${FAULT_PAGES}; i++) *(volatile int *)(p + i * 4096) = 1;
    if (r >= 0) rounds[r] = now() - start;
    munmap(p, ${FAULT_PAGES} * 4096ul);
  }
  double fault = each(rounds, ${FAULT_PAGES});
  for (int r = -1; r < ${ROUNDS}; r++) {
    double start = now();
    for (int i = 0; i < ${CYCLES}; i++) {
      char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      *(volatile int *)p = 1;
      munmap(p, 4096);
    }
    if (r >= 0) rounds[r] = now() - start;
  }
  double cycle = each(rounds, ${CYCLES});
  char *p = touched(${FORK_BYTES / 4096});
  for (int r = -1; r < ${ROUNDS}; r++) {
    double start = now();
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (r >= 0) rounds[r] = now() - start;
    waitpid(child, NULL, 0);
  }
  double fork_ns = each(rounds, 1);
  printf("{ \\"fault\\": %.3f, \\"cycle\\": %.3f, \\"fork\\": %.3f }", fault, cycle, fork_ns);
  return 0;
}
`;

/** Nanoseconds of a fault, of a page mapped, touched and unmapped, and of a fork. */
export type HostFigures = Readonly<Record<'fault' | 'cycle' | 'fork', number>>;

export interface HostProgram {
  /** Figures of one run; throws when the program fails. */
  run(): HostFigures;
  dispose(): void;
}

/** Null when there is no C compiler. `hostCpu` is the host CPU to run on, null for any. */
export function compileHostProgram(hostCpu: number | null): HostProgram | null {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  const file = join(folder, 'host');
  writeFileSync(`${file}.c`, source);
  if (spawnSync('cc', ['-O2', '-o', file, `${file}.c`]).status !== 0) {
    dispose();
    return null;
  }
  const command = hostCpu === null ? [file] : ['taskset', '-c', String(hostCpu), file];
  const run = (): HostFigures => {
    const { status, stdout } = spawnSync(command[0] ?? file, command.slice(1), {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the host's floor program failed with status ${status}`);
    return JSON.parse(stdout) as HostFigures;
  };
  return { run, dispose };
}
