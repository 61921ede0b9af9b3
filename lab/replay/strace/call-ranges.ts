/** The addresses that a call is about. */
import type { CallText } from './call-text.ts';

/** Gives the ranges [start, end) to `use`, as recorded; they may be nonsense. */
export function rangesOfCall(
  name: string,
  call: CallText,
  use: (start: number, end: number) => void,
): void {
  switch (name) {
    case 'mmap': {
      const isDone = call.errno === '';
      const start = isDone ? call.result : call.number(0);
      if (isDone || start !== 0) use(start, start + call.number(1));
      return;
    }
    case 'mremap': {
      const start = call.number(0);
      use(start, start + call.number(1));
      if (call.errno === '') use(call.result, call.result + call.number(2));
      return;
    }
    case 'read':
    case 'pread64':
    case 'write':
    case 'pwrite64':
      if (call.argument(0).startsWith('0x')) {
        use(call.number(1), call.number(1) + Math.max(0, call.result));
      }
      return;
    case 'prctl':
      if (call.argument(0) === 'PR_SET_VMA') use(call.number(2), call.number(2) + call.number(3));
      return;
    case 'mlockall':
    case 'munlockall':
      return;
    default: {
      const start = call.number(0);
      use(start, start + call.number(1));
    }
  }
}
