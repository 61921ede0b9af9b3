/** Seeded bugs of the access path: mode changes, gates, polls, the retry. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const ACCESS = 'kernel/mmu/access.ts';
const MISS = 'kernel/mmu/miss.ts';
const USER_MODE = 'kernel/mmu/user-mode.ts';
const TLB_SYNC = 'kernel/mmu/tlb-sync.ts';

export const ACCESS_MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-flush',
    about: 'a CPU acknowledges before it has dropped its translations',
    scenario: 'shootdown-user',
    protocol: 'rcu',
    patches: [
      patch(
        TLB_SYNC,
        'const generation = tlbCatchUp(cpu, tlb);',
        'store(cpu.words, cpu.base + CPU.ACK, load(cpu.words, tlb.space + SPACE.TLB_GEN));\n' +
          'const generation = tlbCatchUp(cpu, tlb);',
      ),
    ],
  },
  {
    name: 'no-flush-on-switch',
    about: 'a CPU keeps the translations of the space that it leaves',
    scenario: 'space-switch',
    protocol: 'rcu',
    patches: [patch(USER_MODE, 'tlbFlushAll(tlb);\n    tlb.space = space;', 'tlb.space = space;')],
  },
  {
    name: 'ack-of-last-space',
    about: 'a CPU comes to USER with an acknowledgement that it gave for another space',
    scenario: 'space-switch',
    protocol: 'rcu',
    patches: [
      patch(
        USER_MODE,
        'if (peek(words, cpu.base + CPU.ACK) !== tlb.generation) {',
        'if (words.length === 0) {',
      ),
    ],
  },
  {
    name: 'gate-open-after-turn',
    about: 'the gate stays open when a CPU leaves user mode, so that nobody waits for its accesses',
    scenario: 'turn-ends',
    protocol: 'rcu',
    patches: [
      patch(
        USER_MODE,
        '  suspend(mode.cpu, mode.live);\n  mode.live = null;\n  leaveUser(mode.cpu);',
        '  mode.live = null;\n  leaveUser(mode.cpu);',
      ),
    ],
  },
  {
    name: 'live-set-early',
    about: 'a process is noted as live before the one that was has been suspended',
    scenario: 'take-turns',
    protocol: 'rcu',
    patches: [
      patch(
        USER_MODE,
        '  enterKernel(mode.cpu);\n  if (mode.live !== null) suspend(mode.cpu, mode.live);\n' +
          '  mode.live = context;\n',
        '  mode.live = context;\n  enterKernel(mode.cpu);\n' +
          '  if (mode.live !== null) suspend(mode.cpu, mode.live);\n',
      ),
    ],
  },
  {
    name: 'walk-in-kernel',
    about:
      'the walk after a fault is done before the CPU is in user mode again, where it is polled',
    scenario: 'shootdown-refault',
    protocol: 'rcu',
    patches: [
      patch(
        ACCESS,
        '      leaveKernelMode(mode);\n' +
          '      if (outcome === FAULT_DONE && walk(cpu, tlb, vpn, write)) return FAULT_DONE;',
        '      const walked = outcome === FAULT_DONE && walk(cpu, tlb, vpn, write);\n' +
          '      leaveKernelMode(mode);\n' +
          '      if (walked) return FAULT_DONE;',
      ),
    ],
  },
  {
    name: 'signal-by-generation',
    about: 'signals are looked for only when the generation has moved since the last access',
    scenario: 'kill-noticed',
    protocol: 'rcu',
    patches: [
      patch(
        ACCESS,
        '    poll(mode, context);',
        '    const before = tlb.generation;\n    poll(mode, context);',
      ),
      patch(
        ACCESS,
        'if (hasSignal(cpu, context.proc)) {',
        'if (tlb.generation !== before && hasSignal(cpu, context.proc)) {',
      ),
    ],
  },
  {
    name: 'fault-in-user-mode',
    about: 'a fault is resolved in user mode: shootdowns wait for a CPU that waits for their lock',
    scenario: 'shootdown-refault',
    protocol: 'rcu',
    patches: [
      patch(MISS, '  enterKernel(cpu);\n  const outcome', '  const outcome'),
      patch(MISS, '  resumeUser(cpu, tlb, space);\n', ''),
      patch(
        ACCESS,
        '      leaveKernelMode(mode);\n      if (outcome === FAULT_DONE',
        '      if (outcome === FAULT_DONE',
      ),
    ],
  },
  {
    name: 'fault-object-kept',
    about: 'a fault that the kernel worker resolves keeps its reference to the object',
    scenario: 'file-fault-munmap',
    protocol: 'rcu',
    patches: [
      patch(
        ACCESS,
        '        if (outcome === FAULT_WAIT || outcome === FAULT_DEVICE) {\n' +
          '          releaseFaultObject(cpu, cpu.faultObject);\n        }\n',
        '',
      ),
    ],
  },
];
