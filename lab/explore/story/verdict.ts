/** What went wrong, in a sentence that needs no knowledge of the explorer. */
import type { Failure, FailureKind } from '../engine/failure.ts';
import type { MachineView } from './machine-view.ts';

const SENTENCES: Readonly<Record<FailureKind, string>> = {
  panic: 'The kernel itself noticed that one of its rules is broken',
  deadlock: 'No CPU can go on, though not all are done',
  'lost wake-up': 'A CPU sleeps although what it waits for has happened',
  livelock: 'The CPUs go on for ever without an end',
  race: 'Two CPUs use one word, one of them to write it, and nothing says who comes first',
  'stale translation': 'A program uses a translation that was taken away before',
  'freed while mapped': 'A frame is freed while the TLB of a running program still leads to it',
  audit: "At the end the kernel's own records contradict each other",
  'not linearizable': 'No order of whole operations returns or leaves this',
};

/** `view`: the machine at the end. */
export function describeFailure(failure: Failure | null, view: MachineView): string {
  if (failure === null) return 'Nothing goes wrong.';
  const sentence = SENTENCES[failure.kind];
  // What happened, and what was expected instead, is told at length.
  if (failure.kind === 'not linearizable') return `${sentence}.`;
  const [first = ''] = failure.message.split('\n');
  return `${sentence}: ${first.replace(/\bspace (\d+)\b/g, (text, at: string) => {
    const owner = view.spaces.find(({ space }) => space === Number(at))?.owner;
    return owner === undefined ? text : `the address space of ${owner}`;
  })}.`;
}
