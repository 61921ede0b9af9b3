/**
 * Backends over a memory object whose pages are found on demand: the anonymous shared object and
 * the host file.
 *
 * Mapping writes reserved entries that name the record; a fault looks the page up in the object's
 * index. `Shared` pages that are missing are zero pages; `File` pages are supplied by the kernel
 * worker, which alone may read a file, so their faults can wait.
 *
 * Called under the areas' lock with the range locked; see backend.ts.
 */
import { RESERVED_OBJECT, makeReserved, rwxOfProt } from '../../shared/pte.ts';
import { AREA_PROT, AREA_SHARED } from '../machine/area-flags.ts';
import { MachineBackend } from './backend.ts';

export abstract class ObjectBackend extends MachineBackend {
  reserved(flags: number): number {
    const shared = (flags & AREA_SHARED) !== 0;
    return makeReserved(RESERVED_OBJECT, this.record, rwxOfProt(flags & AREA_PROT), shared);
  }
}

/** Anonymous memory shared by the processes that inherit it. */
export class SharedBackend extends ObjectBackend {
  readonly kind = 'shared';
}

/** A host file, read on demand; privately mapped, a written page is copied first. */
export class FileBackend extends ObjectBackend {
  readonly kind = 'file';
}
