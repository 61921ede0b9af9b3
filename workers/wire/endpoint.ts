/**
 * Typed comlink over a MessagePort, in both directions at once.
 *
 * Guarantees: a call settles exactly once: with the peer's answer, or with the error given to
 * `fail` when the peer has died (comlink alone leaves such calls pending for ever). Errors keep
 * their class and fields (error-transfer.ts). Messages of one port arrive in the order sent.
 * Not guaranteed: that a call which was rejected by `fail` has not been carried out.
 */
import { expose, transfer, wrap } from 'comlink';
import type { Endpoint } from 'comlink';
import { installErrorTransfer } from './error-transfer.ts';

/** What a peer offers: methods with structured-clonable arguments and results. */
type Methods<Api> = {
  readonly [Name in keyof Api]: Api[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

export interface Connection<Remote> {
  /** The peer's methods. */
  readonly remote: Methods<Remote>;
  /** Rejects every pending and every later call. Only the first reason counts. */
  fail(reason: Error): void;
  /** `fail`, and closes the port, so that it no longer keeps its thread alive. */
  close(reason: Error): void;
  /** Rings the peer's doorbell: a message without content, outside comlink. */
  ring(): void;
  /** From now on the port keeps this thread alive only while a call waits for its answer. */
  holdOnlyWhilePending(): void;
}

/** Marks a port that a method returns, so that it moves to the caller. */
export function movedPort(port: MessagePort): MessagePort {
  return transfer(port, [port]);
}

/** Whether a port keeps its thread alive, which is a question on Node alone. */
function holdOpen(port: MessagePort, isHeld: boolean): void {
  const { ref, unref } = port as { ref?: () => void; unref?: () => void };
  (isHeld ? ref : unref)?.call(port);
}

/** The one message that is not comlink's, which ignores falsy data. */
const DOORBELL = 0;

/**
 * A plain endpoint instead of the port itself: comlink must not close the port when one of its
 * proxies is collected as garbage (4.4.2 does that with anything named MessagePort).
 */
function endpointOf(port: MessagePort): Endpoint {
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer ?? []),
    addEventListener: (type, listener) => port.addEventListener(type, listener as EventListener),
    removeEventListener: (type, listener) =>
      port.removeEventListener(type, listener as EventListener),
    start: () => port.start(),
  };
}

type AnyMethod = (...args: unknown[]) => Promise<unknown>;

/** The calls that wait for an answer, so that a death can reject them. */
class PendingCalls {
  /** Called when the first call begins to wait, and when none waits any more. */
  onChange: (isPending: boolean) => void = () => {};
  #failure: Error | null = null;
  readonly #rejects = new Set<(reason: Error) => void>();

  run(method: AnyMethod, args: unknown[]): Promise<unknown> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      if (this.#rejects.size === 0) this.onChange(true);
      this.#rejects.add(reject);
      method(...args).then(
        (value) => {
          this.#settled(reject);
          resolve(value);
        },
        (error: Error) => {
          this.#settled(reject);
          reject(error);
        },
      );
    });
  }

  get isPending(): boolean {
    return this.#rejects.size > 0;
  }

  fail(reason: Error): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    for (const reject of this.#rejects) reject(reason);
    this.#rejects.clear();
  }

  #settled(reject: (reason: Error) => void): void {
    const wasPending = this.#rejects.delete(reject);
    if (wasPending && this.#rejects.size === 0) this.onChange(false);
  }
}

/** Each method's proxy is made once: comlink's are costly (a Proxy and a finalizer each). */
function remoteMethods<Remote>(proxy: object, pending: PendingCalls): Methods<Remote> {
  const cache = new Map<string, AnyMethod>();
  return new Proxy({} as Methods<Remote>, {
    get(_target, name) {
      // A connection's `remote` is not a promise, even if it is awaited.
      if (typeof name !== 'string' || name === 'then') return undefined;
      let method = cache.get(name);
      if (method === undefined) {
        const remote = (proxy as Record<string, AnyMethod>)[name] as AnyMethod;
        method = (...args) => pending.run(remote, args);
        cache.set(name, method);
      }
      return method;
    },
  });
}

/** A connection that offers nothing yet. */
export interface OneWayConnection<Remote> extends Connection<Remote> {
  /** Offers `local` to the peer. In the same turn as `connectOneWay`: no call has come in then. */
  serve(local: object): void;
}

/**
 * Connects this thread to the one that holds the other end of `port`, and offers it `local`.
 * `onRing` is called for each doorbell.
 */
export function connect<Remote>(
  port: MessagePort,
  local: object,
  onRing?: () => void,
): Connection<Remote> {
  const connection = connectOneWay<Remote>(port, onRing);
  connection.serve(local);
  return connection;
}

/** As `connect`, for a side that needs the peer in order to make what it offers. */
export function connectOneWay<Remote>(
  port: MessagePort,
  onRing?: () => void,
): OneWayConnection<Remote> {
  installErrorTransfer();
  const endpoint = endpointOf(port);
  const pending = new PendingCalls();
  if (onRing !== undefined) {
    port.addEventListener('message', (event) => {
      if (event.data === DOORBELL) onRing();
    });
  }
  const remote = remoteMethods<Remote>(wrap(endpoint), pending);
  return {
    remote,
    fail: (reason) => pending.fail(reason),
    close: (reason) => {
      pending.fail(reason);
      port.close();
    },
    ring: () => port.postMessage(DOORBELL),
    holdOnlyWhilePending: () => {
      pending.onChange = (isPending) => holdOpen(port, isPending);
      holdOpen(port, pending.isPending);
    },
    serve: (local) => expose(local, endpoint),
  };
}
