/** From a mapping record to its backend. */
import { peek } from '../../shared/atomics.ts';
import * as OBJECT from '../../shared/layout/object.ts';
import * as RECORD from '../../shared/layout/record.ts';
import { panic } from '../../shared/panic.ts';
import type { Machine } from '../machine/machine.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import type { MachineBackend } from './backend.ts';
import { DeviceBackend } from './device.ts';
import { LazyBackend } from './lazy.ts';
import { LinearBackend } from './linear.ts';
import { FileBackend, SharedBackend } from './paged.ts';
import { UserBackend } from './user.ts';

/** The backend of a record. A value: made when needed, never kept. */
export function backendOf(machine: Machine, record: number, anon = 0, delta = 0): MachineBackend {
  if (record === ANONYMOUS) return new LazyBackend(anon, delta);
  const kind = peek(machine.words, recordAt(machine, record) + RECORD.KIND);
  switch (kind) {
    case OBJECT.SHARED:
      return new SharedBackend(record, anon);
    case OBJECT.FILE:
      return new FileBackend(record, anon);
    case OBJECT.USER:
      return new UserBackend(record, anon);
    case OBJECT.DEVICE:
      return new DeviceBackend(record);
    case OBJECT.LINEAR:
      return new LinearBackend(record);
    default:
      return panic('backendOf: kind', record, kind);
  }
}
