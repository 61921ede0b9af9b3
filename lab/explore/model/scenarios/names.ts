/** Names of areas: equal ones are one number, which is free again after its last reference. */
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { getName, internName, nameText, putName } from '../../../../kernel/objects/area-names.ts';
import { AREA_NAME_BYTES_MAX } from '../../../../shared/limits.ts';
import { enter, leave } from '../kit.ts';
import type { Operation, Scenario, World } from '../kit.ts';

const LETTER_N = 110;

function text(): Uint8Array {
  const bytes = new Uint8Array(AREA_NAME_BYTES_MAX);
  bytes[0] = LETTER_N;
  return bytes;
}

/** Names an area, and looks at the name as a report does. 1: it is the name. */
const name: Operation = {
  name: 'name an area',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    const id = internName(cpu, text());
    const isName = nameText(world.machine, id) === 'n';
    leave(world, cpu);
    (world.mine[cpu.id] as number[])[0] = id;
    return isName ? 1 : 0;
  },
};

/** The area that `name` named goes. */
const forget: Operation = {
  name: 'unmap the area',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    putName(cpu, (world.mine[cpu.id] as number[])[0] as number);
    leave(world, cpu);
    return 0;
  },
};

/** An area that has the name since the setup is split in two. */
const split: Operation = {
  name: 'split an area',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    getName(cpu, world.values['id'] as number);
    leave(world, cpu);
    return 0;
  },
};

/** … or goes. */
const putOld: Operation = {
  name: 'unmap the old area',
  run(world: World, cpu: Cpu): number {
    enter(cpu);
    putName(cpu, world.values['id'] as number);
    leave(world, cpu);
    return 0;
  },
};

/** One area has the name. */
function named(world: World): void {
  const cpu = world.cpus[0] as Cpu;
  enter(cpu);
  world.values['id'] = internName(cpu, text());
  leave(world, cpu);
}

export const nameScenarios: readonly Scenario[] = [
  {
    name: 'names-intern-put',
    about: 'an area is named while the last one of that name goes',
    perProtocol: false,
    // No area of a machine here has the references that the operations leave.
    audited: false,
    cpus: [[name, forget], [putOld]],
    setup(world: World): void {
      named(world);
    },
  },
  {
    name: 'names-intern-intern',
    about: 'two areas get the same new name at once: it is one number',
    perProtocol: false,
    audited: false,
    cpus: [[name], [name]],
    setup(_world: World): void {},
    observe({ mine }: World): string {
      return mine[0]?.[0] === mine[1]?.[0] ? 'one number' : 'two numbers';
    },
  },
  {
    name: 'names-split-put',
    about: 'of two areas of one name one is split while the other goes',
    perProtocol: false,
    audited: false,
    cpus: [[split, putOld, putOld], [putOld]],
    setup(world: World): void {
      named(world);
      const cpu = world.cpus[0] as Cpu;
      enter(cpu);
      getName(cpu, world.values['id'] as number);
      leave(world, cpu);
    },
  },
];
