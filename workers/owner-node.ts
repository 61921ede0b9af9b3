/**
 * Which process of a thread a piece of asynchronous work belongs to: a timer, a promise, a callback
 * of the host's. Node carries it along from where the work was begun.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Owners } from './platform.ts';

const storage = new AsyncLocalStorage<unknown>();

export const owners: Owners = {
  run: (owner, work) => storage.run(owner, work),
  current: () => storage.getStore(),
};
