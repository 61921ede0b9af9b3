/**
 * The kernel worker's syscalls: requested by comlink or by trap and carried out on the kernel
 * worker's CPU, which alone can wait for pages. Results are numbers; negative ones are -errno.
 */
import {
  ITS_TURN,
  WAIT_PAGE,
  dispatch,
  restOf,
  isStreamFd,
  populate,
  livingProcess,
  putObject,
  wantsMemory,
} from '../../../kernel/index.ts';
import type { Call, Cpu } from '../../../kernel/index.ts';

import { EIO, ENOMEM, ESRCH } from '../../../shared/abi/errno.ts';
import { FAULT_RETRIES_MAX } from '../../../shared/limits.ts';
import { panic } from '../../../shared/panic.ts';
import { TRAP_DONE_HERE } from '../../../shared/wire.ts';
import { inKernel } from '../in-kernel.ts';
import type { Turns } from '../turns.ts';
import { StandardStreams } from '../files/standard-streams.ts';
import type { HostOutput } from '../files/standard-streams.ts';
import * as S from '../../../shared/abi/syscalls.ts';
import type { ObjectRegistry } from '../files/object-registry.ts';
import { Transfers } from '../files/transfers.ts';
import { FRAME_REQUEST, takePageRequest } from '../memory/page-request.ts';
import type { PageRequest } from '../memory/page-request.ts';
import type { WaitService } from '../processes/wait-service.ts';

/** Syscalls after which a program may expect its writes to be on the host. */
const WRITES_BACK: readonly number[] = [S.SYS_CLOSE, S.SYS_MUNMAP];

/** Syscalls that depend on the size or contents of a file. */
const SEES_SIZE: readonly number[] = [S.SYS_LSEEK, S.SYS_PREAD, S.SYS_READ];

/** Where populating stopped (a VPN), and what it waits for there. */
interface Stop extends PageRequest {
  readonly vpn: number;
}

/** How far a syscall got; what it waits for; which VPNs to fault in afterwards. */
interface Progress {
  readonly result: number;
  readonly request: PageRequest | null;
  /** VPN at which it stopped and is to go on, 0 for its start. */
  readonly stoppedAt: number;
  /** What the part before that makes of a success. */
  readonly carried: number;
  readonly start: number;
  readonly end: number;
  /** Pages of objects that must be on the host before the syscall is over. */
  readonly writeBacks: Cpu['writeBacks'];
}

const NO_WRITE_BACKS: Cpu['writeBacks'] = [];

/** A success that leaves nothing to do. */
const NOTHING: Progress = {
  result: 0,
  request: null,
  stoppedAt: 0,
  carried: 0,
  start: 0,
  end: 0,
  writeBacks: NO_WRITE_BACKS,
};

/** As it comes from the wire: a missing argument is NaN, which every syscall refuses. */
function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : NaN;
}

/** What a syscall lacked, if it failed for want of a frame. */
function frameFor(cpu: Cpu, result: number): PageRequest | null {
  return wantsMemory(cpu, result) ? FRAME_REQUEST : null;
}

export interface SyscallServiceNeeds {
  readonly cpu: Cpu;
  readonly objects: ObjectRegistry;
  /** Gets what kernel code waits for on a process's behalf; kills no process. 0 or -errno. */
  readonly fulfil: (pid: number, request: PageRequest) => Promise<number>;
  readonly turns: Turns;
  readonly output: HostOutput;
  readonly waits: WaitService;
  readonly log: (line: string) => void;
}

export class SyscallService {
  readonly #cpu: Cpu;
  readonly #fulfil: SyscallServiceNeeds['fulfil'];
  readonly #streams: StandardStreams;
  readonly #objects: ObjectRegistry;
  readonly #transfers: Transfers;
  readonly #waits: WaitService;

  constructor({ cpu, objects, fulfil, turns, output, waits, log }: SyscallServiceNeeds) {
    this.#cpu = cpu;
    this.#waits = waits;
    this.#fulfil = fulfil;
    this.#objects = objects;
    this.#transfers = new Transfers(cpu, turns, (...call) => this.#call(...call));
    this.#streams = new StandardStreams({ cpu, fulfil, output, log });
  }

  /**
   * A syscall of the table in shared/abi/syscalls.ts. Answers later only when it waits for a page
   * or a child. `sleeper`: the CPU that sleeps meanwhile, 0 for none.
   */
  call(
    number: number,
    pid: number,
    args: readonly unknown[],
    sleeper = 0,
  ): number | Promise<number> {
    if (number === TRAP_DONE_HERE) return this.#written(asNumber(args[0]), 0);
    if (number === S.SYS_WAIT4) return this.#waits.wait4(pid, args.map(asNumber), sleeper);
    const { changes } = this.#objects;
    const check = changes.isNeeded && SEES_SIZE.includes(number) ? changes.checkAll() : null;
    if (check !== null) return check.then(() => this.#answer(number, pid, args));
    return this.#answer(number, pid, args);
  }

  #answer(number: number, pid: number, args: readonly unknown[]): number | Promise<number> {
    this.#objects.texts.refresh(number, pid, args);
    if (Transfers.isTransfer(number)) return this.#transfers.call(number, pid, args);
    return this.#written(number, this.#call(number, pid, args));
  }

  /** The result of a syscall, when the host has what the program has let go of by it. */
  #written(number: number, result: number | Promise<number>): number | Promise<number> {
    const { writeBack } = this.#objects;
    if (!WRITES_BACK.includes(number) || !writeBack.isNeeded) return result;
    return Promise.resolve(result).then(async (outcome) => {
      await writeBack.syncAll(number === S.SYS_CLOSE);
      return outcome;
    });
  }

  #call(number: number, pid: number, args: readonly unknown[]): number | Promise<number> {
    const [fd, address, length] = args as readonly number[];
    if (number === S.SYS_WRITE && isStreamFd(fd ?? NaN)) {
      return this.#streams.write(pid, fd ?? NaN, address ?? NaN, length ?? NaN);
    }
    const progress = this.#run(number, pid, args);
    if (progress.request !== null) {
      const ended = (): void => this.#objects.settleMappings();
      return this.#wait(number, pid, args, progress).finally(ended);
    }
    return this.#finish(pid, progress);
  }

  /** Faults in the pages [start, end) (VPNs) as far as possible. Always 0. */
  populate(pid: number, start: number, end: number): number | Promise<number> {
    return this.#finish(pid, { ...NOTHING, start, end });
  }

  /** The block of a process that has not ended. */
  #process(pid: number): number {
    return livingProcess(this.#cpu.machine, pid);
  }

  #run(number: number, pid: number, args: readonly unknown[]): Progress {
    const proc = this.#process(pid);
    if (proc === 0) return { ...NOTHING, result: -ESRCH };
    const cpu = this.#cpu;
    const [a, b, c, d, e, f] = args;
    return inKernel(cpu, () => {
      cpu.populateStartVpn = 0;
      cpu.populateEndVpn = 0;
      const result = dispatch(
        cpu,
        proc,
        number,
        asNumber(a),
        asNumber(b),
        asNumber(c),
        asNumber(d),
        asNumber(e),
        asNumber(f),
      );
      const request = result === -WAIT_PAGE ? takePageRequest(cpu) : frameFor(cpu, result);
      const writeBacks = cpu.writeBacks.length > 0 ? cpu.writeBacks.splice(0) : NO_WRITE_BACKS;
      const { stoppedAtVpn: stoppedAt, populateStartVpn: start, populateEndVpn: end } = cpu;
      const { carriedErrno: carried } = cpu;
      return { result, request, stoppedAt, carried, start, end, writeBacks };
    });
  }

  async #wait(
    number: number,
    pid: number,
    args: readonly unknown[],
    first: Progress,
  ): Promise<number> {
    let progress = first;
    let call: Call = { number, args: args.map(asNumber) };
    let carried = 0;
    for (let attempt = 0; progress.request !== null; attempt++) {
      const isPage = progress.result === -WAIT_PAGE;
      if (attempt === FAULT_RETRIES_MAX) {
        if (!isPage) return progress.result;
        return panic('SyscallService: a page is supplied again and again', pid, number);
      }
      const outcome = await this.#fulfil(pid, progress.request);
      if (outcome === -ENOMEM) return isPage ? -ENOMEM : progress.result;
      if (outcome < 0) return -EIO;
      // Only rounds without progress count.
      if (progress.stoppedAt !== 0 || progress.request.object === ITS_TURN) attempt = -1;
      carried = carried === 0 ? progress.carried : carried;
      call = restOf(call, progress.stoppedAt);
      progress = this.#run(call.number, pid, call.args);
    }
    const result = await this.#finish(pid, progress);
    return result === 0 ? carried : result;
  }

  /** The syscall has succeeded whether or not its pages can be brought in, as on Linux. */
  #finish(pid: number, progress: Progress): number | Promise<number> {
    const { result, start, end, writeBacks } = progress;
    if (writeBacks.length > 0) return this.#writeBack(result, writeBacks);
    if (start === end) return result;
    const stop = this.#populate(pid, start, end);
    if (stop === null) return result;
    return this.#populateRest(pid, stop, end).then(() => result);
  }

  /** What msync(2) answers when the host has the pages, or has refused them. */
  async #writeBack(result: number, list: Cpu['writeBacks']): Promise<number> {
    const { writeBack } = this.#objects;
    const outcomes = await Promise.all(
      list.map(({ object, firstPage, endPage }) =>
        writeBack.sync(object, firstPage, endPage, true),
      ),
    );
    inKernel(this.#cpu, () => {
      for (const { object } of list) putObject(this.#cpu, object);
    });
    return outcomes.some((outcome) => outcome < 0) ? -EIO : result;
  }

  /** Populates until a page must be supplied or a frame found; null when all is done. */
  #populate(pid: number, start: number, end: number): Stop | null {
    const cpu = this.#cpu;
    const proc = this.#process(pid);
    if (proc === 0) return null;
    return inKernel(cpu, () => {
      const vpn = populate(cpu, proc, start, end);
      return vpn === end ? null : { vpn, ...takePageRequest(cpu) };
    });
  }

  /** Goes on as long as each awaited page or frame can be had. */
  async #populateRest(pid: number, first: Stop, end: number): Promise<void> {
    let stop: Stop | null = first;
    for (let attempt = 0; stop !== null && attempt < FAULT_RETRIES_MAX; attempt++) {
      const { vpn }: Stop = stop;
      if ((await this.#fulfil(pid, stop)) < 0) return;
      stop = this.#populate(pid, vpn, end);
      // Only rounds without progress count.
      if (stop?.vpn !== vpn) attempt = 0;
    }
  }
}
