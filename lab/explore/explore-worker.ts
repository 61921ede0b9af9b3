/** A Worker that explores what it is told to: the other end of side-by-side.ts. */
import { parentPort } from 'node:worker_threads';
import { connect } from '../../workers/wire/endpoint.ts';
import { Laboratory } from './laboratory.ts';
import type { ExplorerApi } from './side-by-side.ts';

const laboratory = new Laboratory();
const api: ExplorerApi = {
  explore: (experiment, search) => laboratory.explore(experiment, search),
};

parentPort?.once('message', (port: MessagePort) => {
  connect<object>(port, api);
});
