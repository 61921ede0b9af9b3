/**
 * Lazy: private anonymous memory, zero on demand. Mapping writes reserved entries only, a whole
 * 4 MiB or 4 GiB span as one, however large the range; the first touch of a page allocates it.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { PRIVATE_MEMORY } from '../objects/kinds.ts';
import { ANONYMOUS } from '../objects/record.ts';
import { MachineBackend } from './backend.ts';

/** Private anonymous memory: nothing but empty entries until a page is touched. */
export class LazyBackend extends MachineBackend {
  constructor(anon = 0, delta = 0) {
    super(PRIVATE_MEMORY, ANONYMOUS, anon, delta);
  }

  override withAnon(anon: number): LazyBackend {
    return new LazyBackend(anon, this.delta);
  }
}
