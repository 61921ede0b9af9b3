/** A simulated process whose accesses are those of a trace. */
import { FAULT_DONE } from '../../../kernel/machine/fault-codes.ts';
import { translate } from '../../../kernel/mmu/access.ts';
import type { AccessHost } from '../../../kernel/mmu/access.ts';
import { contextOf, leaveKernelMode } from '../../../kernel/mmu/user-mode.ts';
import type { UserContext } from '../../../kernel/mmu/user-mode.ts';
import * as M from '../../../shared/abi/mman.ts';
import { SYS_MMAP } from '../../../shared/abi/syscall-numbers.ts';
import { PAGE_SIZE, USER_PAGES } from '../../../shared/limits.ts';
import { relocate } from '../../../shared/relocation.ts';
import { panic } from '../../../shared/panic.ts';
import { addressOf, bytesOf, vpnOf } from '../../../shared/units.ts';
import type { ReplayFiles } from '../machine/replay-files.ts';
import type { ReplayMachine } from '../machine/replay-machine.ts';
import { ReplayProcess, DescriptorTable } from '../machine/replay-process.ts';
import { ReplaySpace } from '../machine/replay-space.ts';
import type { SurveyedArea } from './page-survey.ts';

export class AccessSpace implements AccessHost {
  readonly resolvesFaults = false;
  readonly process: ReplayProcess;
  /** Pages that nobody recorded as mapped. */
  readonly inferredPages: number;
  /** Accesses that the machine refused. */
  refused = 0;
  hits = 0;
  readonly #machine: ReplayMachine;
  readonly #context: UserContext;
  /** The pages' places; null where a page stays where it is. */
  readonly #places: Map<number, number> | null;

  /** In kernel mode. */
  constructor(
    machine: ReplayMachine,
    files: ReplayFiles,
    recorded: number,
    areas: readonly SurveyedArea[],
  ) {
    this.#machine = machine;
    const pid = machine.create({ name: 'recorded', cpu: 0, parent: 0 });
    if (pid < 0) panic('replay: no process', pid);
    const relocation = relocate(
      areas.map(({ startVpn, endVpn }) => ({
        ...{ start: addressOf(startVpn), end: addressOf(endVpn) },
      })),
    );
    const space = new ReplaySpace(relocation);
    space.users = 1;
    const descriptors = new DescriptorTable();
    const name = `process ${recorded}`;
    this.process = new ReplayProcess(machine, {
      ...{ recorded, pid, name, space, descriptors, tgid: pid },
    });
    const isMoved = areas.some(({ endVpn }) => endVpn > USER_PAGES);
    this.#places = isMoved ? new Map() : null;
    let inferredPages = 0;
    for (const area of areas) {
      if (area.recorded === null) inferredPages += area.endVpn - area.startVpn;
      this.#map(files, area);
    }
    this.inferredPages = inferredPages;
    this.#context = contextOf(machine.cpu, this.process.proc);
  }

  /** In user mode, or idle: one byte or more of a page. */
  access(recordedVpn: number, write: boolean): void {
    const { tlb } = this.#machine.cpu;
    const vpn = this.#places === null ? recordedVpn : this.#place(recordedVpn);
    const bases = write ? tlb.writeBase : tlb.readBase;
    const isLive = this.#machine.mode.live === this.#context;
    if (isLive && bases[vpn & (bases.length - 1)] === vpn * PAGE_SIZE) {
      this.hits++;
      return;
    }
    const { mode } = this.#machine;
    const outcome = translate(mode, this.#context, this, addressOf(vpn), write);
    if (outcome !== FAULT_DONE) this.refused++;
  }

  becameLive(): void {}

  takeSignals(): boolean {
    return true;
  }

  resolveElsewhere(address: number, write: boolean): number {
    return this.#machine.fault(this.#context.space, vpnOf(address), write);
  }

  refuse(): boolean {
    return false;
  }

  #map(files: ReplayFiles, { startVpn, endVpn, isWritten, recorded }: SurveyedArea): void {
    const { proc } = this.process;
    const prot = isWritten ? M.PROT_READ | M.PROT_WRITE : M.PROT_READ;
    const at = addressOf(this.#place(startVpn));
    const bytes = bytesOf(endVpn - startVpn);
    const isFile = recorded?.name.startsWith('/') === true;
    const fd = isFile ? files.open(proc, recorded.name, M.O_RDWR) : -1;
    const offset = isFile ? parseInt(recorded.offset, 16) : 0;
    const flags = M.MAP_PRIVATE | M.MAP_FIXED_NOREPLACE | (isFile ? 0 : M.MAP_ANONYMOUS);
    this.#machine.syscall(proc, SYS_MMAP, at, bytes, prot, flags, fd, offset);
    files.close(proc, fd);
  }

  #place(vpn: number): number {
    const places = this.#places;
    if (places === null) return vpn;
    let place = places.get(vpn);
    if (place === undefined) {
      place = vpnOf(this.process.space.relocation.place(addressOf(vpn)) ?? 0);
      places.set(vpn, place);
    }
    return place;
  }
}

/** From the kernel to where accesses begin. */
export function beginAccesses({ mode }: ReplayMachine): void {
  leaveKernelMode(mode);
}
