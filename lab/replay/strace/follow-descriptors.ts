/** Keeps what descriptors stand for, from the calls that make and close them. */
import { O_RDWR } from '../../../shared/abi/mman.ts';
import type { DescriptorTable } from '../machine/replay-process.ts';
import type { FlagValues } from './flag-values.ts';
import type { CallText } from './call-text.ts';

export function followDescriptors(
  table: DescriptorTable,
  name: string,
  call: CallText,
  values: FlagValues,
): void {
  const fd = call.result;
  if (!(fd >= 0)) return;
  switch (name) {
    case 'open':
    case 'openat':
    case 'creat': {
      const at = name === 'openat' ? 1 : 0;
      const path = call.path(-1) || call.argument(at).slice(1, -1);
      const flags = name === 'creat' ? O_RDWR : accessOf(values.of(call.argument(at + 1)));
      table.set(fd, { path, flags });
      return;
    }
    case 'memfd_create': {
      const path = call.path(-1) || `/memfd:${call.argument(0).slice(1, -1)} (deleted)`;
      table.set(fd, { path: path.startsWith('/') ? path : `/${path}`, flags: O_RDWR });
      return;
    }
    case 'close':
      table.delete(call.number(0));
      return;
    case 'dup':
    case 'dup2':
    case 'dup3': {
      const file = table.get(call.number(0));
      if (file !== undefined) table.set(fd, file);
      else table.delete(fd);
    }
  }
}

/** The way of access alone: the file is there, and is not to be changed. Unknown flags: both. */
function accessOf(flags: number): number {
  return Number.isNaN(flags) ? O_RDWR : flags & 3;
}
