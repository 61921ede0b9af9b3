/** The head of every report: host, options and bare costs, as lines of text. */
import type { BenchDocument, BenchOptions } from '../document.ts';
import type { Contended } from '../protocols/contention.ts';
import type { Spread } from '../statistics.ts';

export function describeHost(document: BenchDocument): string[] {
  const { host, options, pinned, bare, wallMs } = document;
  const memoryGiB = (host.memoryBytes / 2 ** 30).toFixed(1);
  const seconds = (wallMs / 1000).toFixed(0);
  const lines = [
    `host     ${host.cpuModel}, ${host.cores} cores, ${memoryGiB} GiB, ${host.system}`,
    `engine   Node ${host.node}, V8 ${host.v8}; threads ${pinned ? '' : 'not '}pinned`,
    `load     ${host.loadBefore.toFixed(2)} before the run, which took ${seconds} s`,
  ];
  if (bare === null) return lines;
  lines.push(
    `options  ${describeOptions(options)}`,
    `clock    ${bare.clockNs.toFixed(0)} ns a look, contained in each request's latency`,
  );
  for (const { cpus, privateNs, sharedNs } of bare.exchanges) {
    lines.push(
      `floor    ${countCpus(cpus)}: bare load + compare-exchange ` +
        `${privateNs.median.toFixed(1)} ns on its own word (${describeSpread(privateNs, 1)}), ` +
        `${sharedNs.median.toFixed(1)} ns on one word (${describeSpread(sharedNs, 1)})`,
    );
  }
  const most = Math.max(...options.cpus);
  if (most > host.cores) {
    const warning = `${most} CPUs take turns on ${host.cores} cores`;
    lines.push(`warning  ${warning}: only counts mean something there`);
  }
  return lines;
}

export function countCpus(cpus: number): string {
  return `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;
}

function describeOptions(options: BenchOptions): string {
  const { runs, repeat, iterations, doubledStrides, seed } = options;
  const strides = doubledStrides ? 'doubled' : 'published';
  const loops = iterations === null ? 'own' : String(iterations);
  return (
    `${repeat} repetitions of ${runs} thread runs (cortenmm) or ${loops} iterations, ` +
    `${strides} strides, seed ${seed}`
  );
}

/** '120–180' */
export function describeSpread({ min, max }: Spread, decimals = 0): string {
  return `${min.toFixed(decimals)}–${max.toFixed(decimals)}`;
}

/** 'space RESIDENT 1.0, space FAULTS_MINOR 1.0', most written first. */
export function describeHottest(contended: Contended | null, count: number): string {
  const hottest = contended?.hottest.slice(0, count) ?? [];
  return hottest.map(({ name, writes }) => `${name} ${writes.toFixed(1)}`).join(', ');
}
