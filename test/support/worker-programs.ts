/** Programs written inside a test: a function's own text becomes a module that Workers load. */
import type { BootOptions, MachineHandle, Proc } from 'faultline';
import { boot } from 'faultline';
import { afterEach, expect } from 'vitest';

/** Numbers that programs use; a function that travels as text cannot see the test's imports. */
const prelude = `
const PROT_READ = 1, PROT_WRITE = 2, RW = 3;
const MAP_SHARED = 1, MAP_PRIVATE = 2, ANON = 0x22, SHARED_ANON = 0x21, POPULATE = 0x8000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
`;

declare global {
  const PROT_READ: 1;
  const PROT_WRITE: 2;
  const RW: 3;
  const MAP_SHARED: 1;
  const MAP_PRIVATE: 2;
  /** MAP_PRIVATE | MAP_ANONYMOUS. */
  const ANON: 0x22;
  /** MAP_SHARED | MAP_ANONYMOUS. */
  const SHARED_ANON: 0x21;
  const POPULATE: 0x8000;
  const sleep: (ms: number) => Promise<void>;
}

/** A module whose default export is `main`, which may use the names above and nothing else. */
export function program(
  main: (proc: Proc, ...args: never[]) => Promise<number | void> | number | void,
): string {
  return module(`export default ${main.toString()};`);
}

type Main = (proc: Proc, ...args: never[]) => unknown;

/** A module with a main function and, by name, the entry functions of its threads. */
export function threads(main: Main, entries: Readonly<Record<string, Main>>): string {
  const exported = Object.entries(entries).map(
    ([name, entry]) => `export const ${name} = ${entry.toString()};`,
  );
  return module(`export default ${main.toString()};\n${exported.join('\n')}`);
}

export function module(source: string): string {
  return `data:text/javascript,${encodeURIComponent(prelude + source)}`;
}

const machines: MachineHandle[] = [];

/** A checked machine whose printed lines are kept, shut down after the test. */
export async function start(
  options: BootOptions = {},
): Promise<{ machine: MachineHandle; lines: string[] }> {
  const lines: string[] = [];
  const machine = await boot({ checked: true, onPrint: (line) => lines.push(line), ...options });
  machines.push(machine);
  return { machine, lines };
}

/** Every invariant kept, and every frame back but `expectedFrames` and tables that wait to go. */
export async function expectClean(machine: MachineHandle, expectedFrames = 0): Promise<void> {
  const { violations, checked } = await machine.audit();
  expect(violations).toEqual([]);
  expect(checked['frames']).toBeGreaterThan(0);
  const retired = checked['retiredTables'] ?? 0;
  expect((checked['framesInUse'] ?? NaN) - retired).toBe(expectedFrames);
}

afterEach(async () => {
  await Promise.all(machines.splice(0).map((machine) => machine.shutdown()));
});
