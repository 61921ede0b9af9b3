/** From a mapping record to its backend. */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import type { RecordId } from '../../shared/units.ts';
import type { Machine } from '../machine/machine.ts';
import { kindNumbered } from '../objects/kinds.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import { ArrangedBackend } from './arranged.ts';
import type { MachineBackend } from './backend.ts';
import { LazyBackend } from './lazy.ts';
import { LinearBackend } from './linear.ts';
import { ObjectBackend } from './paged.ts';
import { UserBackend } from './user.ts';

/** The backend of a record. A value: made when needed, never kept. */
export function backendOf(machine: Machine, record: RecordId, anon = 0, delta = 0): MachineBackend {
  if (record === ANONYMOUS) return new LazyBackend(anon, delta);
  const number = peek(machine.words, recordAt(machine, record) + RECORD.KIND);
  const kind = kindNumbered(number);
  switch (number) {
    case OBJECT.USER:
      return new UserBackend(kind, record, anon);
    case OBJECT.ARRANGED:
      return new ArrangedBackend(kind, record);
    case OBJECT.LINEAR:
      return new LinearBackend(kind, record);
    default:
      return new ObjectBackend(kind, record, anon);
  }
}
