/** An access in words: 'changes the entry of page 0 to empty', 'takes the lock of the areas'. */
import type { NamedWords } from '../../../shared/layout/names.ts';
import type { MachineView } from './machine-view.ts';
import { frameOf } from './word-labels.ts';
import type { Label } from './word-labels.ts';
import { describeLock, wordValue } from './word-value.ts';

/** Spinlocks: somebody sleeps until it is free. */
const CONTENDED = 1 << 30;

/** An access as the façade's trace has it. */
export interface Access {
  readonly cpu: number;
  /** 'load', 'compareExchange fails', 'poke', … */
  readonly kind: string;
  readonly at: number;
  /** What was read, or is there now. */
  readonly value: number;
}

/** Kinds that leave their word as it is. */
export function isRead(kind: string): boolean {
  return /^(load|peek|poll|user load|compareExchange fails|read)/.test(kind);
}

export function phraseOf(
  machine: NamedWords,
  view: MachineView,
  { cpu, kind, at, value }: Access,
  label: Label,
): string {
  if (label.isLock) return lockPhrase(cpu, kind, value, label);
  const { text } = label;
  const shown = wordValue(machine, view, label.name, value);
  if (label.name === `cpu ${cpu} MODE` && !isRead(kind)) return ownMode(shown);
  switch (kind) {
    case 'user load':
      return `the program loads ${value} from frame ${frameOf(machine, at)}`;
    case 'user store':
      return `the program stores ${value} to frame ${frameOf(machine, at)}`;
    case 'load':
    case 'peek':
    case 'read':
      return `reads ${text}: ${shown}`;
    case 'poll':
      return `polls ${text}: ${shown}`;
    case 'poll, old value':
      return `polls ${text}, and still gets the old value: ${shown}`;
    case 'compareExchange fails':
      return `fails to change ${text}: it is ${shown} by now`;
    case 'notify':
      return `wakes who sleeps on ${text}`;
    case 'store':
    case 'poke':
    case 'fill':
      return `sets ${text} to ${shown}`;
    case 'copy':
      return `copies what is at ${text}`;
    case 'read bytes':
      return `reads ${value} bytes of ${text}`;
    case 'write bytes':
      return `writes ${value} bytes to ${text}`;
    case 'add':
      if (/_GEN$/.test(label.name)) return `advances ${text}`;
      return `changes ${text} to ${shown}`;
    default:
      return `changes ${text} to ${shown}`;
  }
}

function ownMode(mode: string): string {
  if (mode === 'kernel mode') return 'enters the kernel';
  return mode.startsWith('user mode') ? `goes to ${mode}` : `is ${mode} from now on`;
}

function lockPhrase(cpu: number, kind: string, value: number, { text }: Label): string {
  if (kind === 'notify') return `wakes who waits for ${text}`;
  if (isRead(kind)) return `finds ${text} ${describeLock(value)}`;
  if (value === 0) return `releases ${text}`;
  const owner = value & ~CONTENDED;
  return owner === cpu + 1 ? `takes ${text}` : `marks ${text} as waited for`;
}
