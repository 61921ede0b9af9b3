/** The runtime of the explore build: what the scheduler outside the bundle drives it by. */
export * as facade from './facade.ts';
export * as heap from './heap.ts';
export * as memory from './memory.ts';
export * as mutation from './mutation.ts';
export * as race from './race.ts';
export * as state from './state-hash.ts';
export * as unaware from './unaware.ts';
export { Task } from './task.ts';
