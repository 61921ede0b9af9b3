/** The page's end of the channel to processes that are driven by hand. */
import type { HandCall, HandHello, HandReply, HandRequest } from './hand-messages.ts';

/** A process that is asked and does not answer has ended, or its CPU is busy. */
const ANSWER_MS = 5000;

export class HandDriver {
  readonly channelName: string;
  readonly #channel: BroadcastChannel;
  readonly #pending = new Map<number, (reply: HandReply) => void>();
  readonly #listening = new Set<number>();
  readonly #onHello: () => void;
  #nextId = 1;

  constructor(onHello: () => void) {
    this.#onHello = onHello;
    this.channelName = `faultline-hand-${crypto.randomUUID()}`;
    this.#channel = new BroadcastChannel(this.channelName);
    this.#channel.onmessage = ({ data }: MessageEvent<HandReply | HandHello>) => this.#hear(data);
  }

  /** Whether that process is driven by hand. */
  has(pid: number): boolean {
    return this.#listening.has(pid);
  }

  ask(pid: number, what: HandCall): Promise<HandReply> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const answer = (reply: HandReply): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(reply);
      };
      const late = (): void => answer({ id, result: -1, error: 'no answer' });
      const timer = setTimeout(late, ANSWER_MS);
      this.#pending.set(id, answer);
      this.#channel.postMessage({ to: pid, id, what } satisfies HandRequest);
    });
  }

  close(): void {
    this.#channel.close();
    for (const [id, answer] of this.#pending) answer({ id, result: -1, error: 'no answer' });
  }

  #hear(message: HandReply | HandHello): void {
    if ('hello' in message) {
      this.#listening.add(message.hello);
      this.#onHello();
    } else this.#pending.get(message.id)?.(message);
  }
}
