/** A Worker that explores what it is told to: the other end of worker-explorer.ts. */
import { parentPort } from 'node:worker_threads';
import { connect } from '../../../workers/wire/endpoint.ts';
import { Laboratory } from '../laboratory.ts';
import { nodeHost } from './node-host.ts';
import type { ExplorerApi } from './worker-explorer.ts';

const laboratory = new Laboratory(nodeHost());
const api: ExplorerApi = {
  explore: (job) => laboratory.explore(job),
  exploreUnit: (job, unit) => laboratory.exploreUnit(job, unit),
  stop: async () => laboratory.stop(),
};

parentPort?.once('message', (port: MessagePort) => {
  connect<object>(port, api);
});
