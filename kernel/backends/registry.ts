/** From a mapping record to its backend. */
import { peek } from '../../shared/atomics.ts';
import {
  OBJECT_DEVICE,
  OBJECT_FILE,
  OBJECT_LINEAR,
  OBJECT_SHARED,
  OBJECT_USER,
  R_KIND,
} from '../../shared/layout/regions.ts';
import { panic } from '../../shared/panic.ts';
import type { Machine } from '../machine/machine.ts';
import { ANONYMOUS, recordAt } from '../objects/record.ts';
import type { MachineBackend } from './backend.ts';
import { DeviceBackend } from './device.ts';
import { LazyBackend } from './lazy.ts';
import { LinearBackend } from './linear.ts';
import { FileBackend, SharedBackend } from './object.ts';
import { UserBackend } from './user.ts';

/** The backend of a record. A value: made when needed, never kept. */
export function backendOf(machine: Machine, record: number, anon = 0, delta = 0): MachineBackend {
  if (record === ANONYMOUS) return new LazyBackend(anon, delta);
  const kind = peek(machine.words, recordAt(machine, record) + R_KIND);
  switch (kind) {
    case OBJECT_SHARED:
      return new SharedBackend(record, anon);
    case OBJECT_FILE:
      return new FileBackend(record, anon);
    case OBJECT_USER:
      return new UserBackend(record, anon);
    case OBJECT_DEVICE:
      return new DeviceBackend(record);
    case OBJECT_LINEAR:
      return new LinearBackend(record);
    default:
      return panic('backendOf: kind', record, kind);
  }
}
