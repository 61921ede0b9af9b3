/*
 * Goal: the machine's backends serve address spaces of a user's own, on a machine that lies on the
 * heap and has no Worker. Method: only what 'faultline/kernel' exports.
 */
import { beforeEach, expect, test } from 'vitest';
import * as K from '../../kernel/index.ts';

const { OBJECT } = K.layout;
const P = K.PAGE_SIZE;
const RW = 3;

let machine: K.Machine;
let cpu: K.Cpu;
let space: K.SpaceBlock;

beforeEach(() => {
  const protocol = K.PROTOCOLS.rcu;
  machine = K.formatMachine({ frames: 4096, cpus: 1, protocol, checked: true });
  cpu = K.attachCpu(machine, 0);
  K.startCpu(cpu);
  K.enterKernel(cpu);
  space = K.createSpace(cpu);
});

/** One operation on the pages [startVpn, endVpn). */
function edit(
  startVpn: K.Vpn,
  endVpn: K.Vpn,
  operation: (areas: K.AreaSet, op: K.RangeOp) => K.MappingResult,
): K.MappingResult {
  machine.protocol.lockAreas(cpu, space);
  const op = K.openRange(cpu, space, startVpn, endVpn);
  const result = operation(K.areasOf(cpu, space), op);
  K.closeRange(op);
  machine.protocol.unlockAreas(cpu, space);
  return result;
}

function map(vpn: K.Vpn, pages: number, flags: number, backend: K.MachineBackend) {
  return edit(vpn, vpn + pages, (areas, op) =>
    areas.map(new K.MemoryArea(vpn * P, pages * P, flags, backend), op, false),
  );
}

/** The backend of an object from its first page on, for an area at `vpn`. */
function backendAt(kind: number, pages: number, vpn: K.Vpn): K.MachineBackend {
  const spec = { kind, size: pages * P, host: 1, writable: true };
  const object = K.createObject(cpu, spec);
  const record = K.internRecord(cpu, object, 0 - vpn, true);
  // The record keeps the object; the area keeps the record once it is mapped.
  K.putObject(cpu, object);
  return K.backendOf(machine, record);
}

/** Unmaps everything; but for the frame of records and one in its grace period, all are free. */
function end(): void {
  K.putSpace(cpu, space);
  K.leaveKernel(cpu);
  K.enterKernel(cpu);
  expect(K.audit(cpu).violations).toEqual([]);
  expect(K.frameUsage(machine).used).toBeLessThanOrEqual(2);
}

test('lazy: empty entries, a frame at the fault, split and protected', () => {
  expect(map(16, 8, RW, new K.LazyBackend())).toEqual({ ok: true });
  expect(K.pte.isReserved(K.peekEntry(cpu, space, 17))).toBe(true);
  expect(K.handleFault(cpu, space, 17, true)).toBe(K.FAULT_DONE);
  expect(K.pte.isPresent(K.peekEntry(cpu, space, 17))).toBe(true);
  const readOnly = (flags: number): number => flags & ~2;
  expect(edit(18, 20, (areas, op) => areas.protect(18 * P, 2 * P, readOnly, op)).ok).toBe(true);
  expect(K.handleFault(cpu, space, 18, true)).toBe(K.FAULT_ACCERR);
  expect(edit(17, 18, (areas, op) => areas.unmap(17 * P, P, op)).ok).toBe(true);
  expect(K.handleFault(cpu, space, 17, false)).toBe(K.FAULT_MAPERR);
  const spans = K.areasOf(cpu, space)
    .iter()
    .map(({ start, end: e }) => [start / P, e / P]);
  expect(spans).toEqual([
    [16, 17],
    [18, 20],
    [20, 24],
  ]);
  end();
});

test('linear: present entries from the start', () => {
  const backend = backendAt(OBJECT.LINEAR, 4, 32);
  expect(backend).toBeInstanceOf(K.LinearBackend);
  expect(map(32, 4, RW | K.AREA_SHARED, backend)).toEqual({ ok: true });
  K.putRecord(cpu, backend.record);
  const frames = [32, 33, 34, 35].map((vpn) => K.pte.pfnOf(K.peekEntry(cpu, space, vpn)));
  expect(frames).toEqual([0, 1, 2, 3].map((i) => frames[0]! + i));
  end();
});

test('shared: one page for two areas, through one record each', () => {
  const object = K.createObject(cpu, { kind: OBJECT.SHARED, size: 2 * P, host: 0, writable: true });
  for (const vpn of [40, 50]) {
    const record = K.internRecord(cpu, object, 0 - vpn, true);
    expect(map(vpn, 2, RW | K.AREA_SHARED, K.backendOf(machine, record))).toEqual({ ok: true });
    K.putRecord(cpu, record);
  }
  K.putObject(cpu, object);
  for (const vpn of [40, 50]) expect(K.handleFault(cpu, space, vpn, true)).toBe(K.FAULT_DONE);
  const [one, other] = [40, 50].map((vpn) => K.pte.pfnOf(K.peekEntry(cpu, space, vpn)));
  expect(one).toBe(other);
  end();
});

test('device: every access is passed on', () => {
  const backend = backendAt(OBJECT.DEVICE, 1, 60);
  expect(map(60, 1, RW | K.AREA_SHARED, backend)).toEqual({ ok: true });
  K.putRecord(cpu, backend.record);
  expect(K.handleFault(cpu, space, 60, false)).toBe(K.FAULT_DEVICE);
  K.releaseFaultObject(cpu, cpu.faultObject);
  expect(K.pte.isReserved(K.peekEntry(cpu, space, 60))).toBe(true);
  end();
});
