/** A Worker that judges mutants: the other end of worker-mutator.ts. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { connect } from '../../../workers/wire/endpoint.ts';
import { Judge } from '../mutate/judge.ts';
import { buildSchemata } from '../mutate/schemata-build.ts';
import { PROTOCOLS, SCENARIOS, pairNames, walkNames } from '../model/index.ts';
import { PROTOCOL_DEFAULT, protocolsFor } from '../plan.ts';
import { nodeHost } from './node-host.ts';
import type { MutatorApi } from './worker-mutator.ts';

/** Of the pairs, one of so many judges mutants; under other protocols, one of so many of these. */
const PAIRS_EVERY = 3;
const OTHERS_EVERY = 8;

const host = nodeHost();
let judge: Judge | null = null;

const api: MutatorApi = {
  async prepare() {
    const build = await buildSchemata(host);
    const { mutants } = build;
    judge = new Judge(await build.load(), await build.load(), host.pause);
    const all = Object.keys(PROTOCOLS);
    const places = SCENARIOS.flatMap((scenario) =>
      protocolsFor(scenario, all).map((protocol) => ({ scenario: scenario.name, protocol })),
    );
    const names = pairNames().filter((_, i) => i % PAIRS_EVERY === 0);
    const pairs = names.flatMap((scenario, i) => {
      const isSample = i % OTHERS_EVERY === 0;
      const protocols = isSample ? all : [PROTOCOL_DEFAULT];
      return protocols.map((protocol) => ({ scenario, protocol }));
    });
    const walks = walkNames().map((scenario) => ({ scenario, protocol: PROTOCOL_DEFAULT }));
    const generated = [...pairs, ...walks];
    const [kernel, scenarios] = [keyOf(build.kernel), keyOf(build.scenarios)];
    return { mutants, places, generated, kernel, scenarios };
  },
  coverage: async (place, bounds) => prepared().coverage(place, bounds),
  visit: async (number, visit) => prepared().visit(number, visit),
};

function keyOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function prepared(): Judge {
  if (judge === null) throw new Error('a mutant came before the build');
  return judge;
}

parentPort?.once('message', (port: MessagePort) => {
  connect<object>(port, api);
});
