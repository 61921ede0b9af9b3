/**
 * The host's resident memory over a storm of processes: `node scripts/storm-memory.mjs [N]` starts
 * N processes (5000), eight at a time, and kills those that do not end by themselves: they spin,
 * touch memory, sleep beside timers, and fork. Every 500 ends it prints the resident memory in MiB,
 * last the growth since the first 500; with N up to 1000, every 100.
 */
import { boot } from '../dist/index.js';

const count = Number(process.argv[2] ?? 5000);
const step = count > 1000 ? 500 : 100;
const program = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const map = 'const at = await proc.mmap(0, 2 ** 20, 3, 0x22);';
const programs = [
  `export default async (proc) => {
    ${map} for (let i = 0; ; i++) proc.mem.store32(at + (i % 256) * 4096, i); }`,
  `export default async (proc) => {
    ${map} setInterval(() => proc.mem.store32(at, 1), 1); for (;;) await proc.nanosleep(1e6); }`,
  `export default async (proc) => { ${map} for (;;) proc.mem.load32(at); }`,
  `export const child = () => 3;
   export default async (proc) => { for (;;) await proc.wait(await proc.fork('child')); }`,
  'export default () => 0;',
].map(program);
const endsByItself = programs.length - 1;

const machine = await boot({ memory: '16MiB', cpus: 2 });
const resident = [];
let [started, ended] = [0, 0];

async function oneAfterAnother() {
  while (started < count) {
    const kind = started++ % programs.length;
    const handle = await machine.spawn(programs[kind]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (kind !== endsByItself) await handle.kill();
    await handle.wait();
    if (++ended % step !== 0) continue;
    resident.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
    console.log(`${ended} ${resident.at(-1)}`);
  }
}

await Promise.all(Array.from({ length: 8 }, oneAfterAnother));
const { clean, notes } = await machine.audit();
const { processes } = await machine.stats();
await machine.shutdown();
for (const note of notes) console.log(note);
const growth = Math.max(...resident) - (resident[0] ?? 0);
console.log(JSON.stringify({ clean, growth, remembered: processes.length }));
process.exitCode = clean ? 0 : 1;
