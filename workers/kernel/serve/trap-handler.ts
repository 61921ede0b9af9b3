/** What each trap means to the kernel worker. */
import * as protocol from '../../../shared/wire.ts';
import type { DeviceAccess } from '../files/device-access.ts';
import type { SyscallService } from './syscall-service.ts';
import type { StagedCalls } from './staged-calls.ts';
import type { Pager } from '../memory/pager.ts';
import type { TrapHandler } from '../../wire/trap.ts';

export interface TrapHandlerNeeds {
  readonly syscalls: SyscallService;
  readonly pager: Pager;
  readonly devices: DeviceAccess;
  readonly staged: StagedCalls;
}

export function trapHandler({ syscalls, pager, devices, staged }: TrapHandlerNeeds): TrapHandler {
  return ({ cpu, op, pid, args }) => {
    const [first = 0, second = 0, third = 0] = args;
    switch (op) {
      case protocol.TRAP_FAULT:
        return pager.fault(pid, first, second !== 0);
      case protocol.TRAP_DEVICE_LOAD:
        return devices.load(pid, first, second);
      case protocol.TRAP_DEVICE_STORE:
        return devices.store(pid, first, second, third);
      case protocol.TRAP_POPULATE:
        return syscalls.populate(pid, first, second);
      case protocol.TRAP_STAGED:
        return staged.trap(pid);
      default:
        return syscalls.call(op, pid, args, cpu);
    }
  };
}
