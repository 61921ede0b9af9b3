/** Pages that fallocate made: no data until somebody uses them. */
import * as S from '../../../../shared/abi/syscall-numbers.ts';
import { MAP_SHARED, SEEK_DATA } from '../../../../shared/abi/mman.ts';
import type { Cpu } from '../../../../kernel/machine/cpu.ts';
import { PAGE_SIZE } from '../../../../shared/limits.ts';
import type { Scenario, World } from '../kit.ts';
import { call } from '../pairs/call.ts';
import { read, write } from '../user.ts';
import { mappedFile } from './mapped-file.ts';

/** The first descriptor that is given out. */
const FD = 3;
const allocate = call('fallocate', S.SYS_FALLOCATE, [FD, 0, 0, 2 * PAGE_SIZE]);
const seekData = call('seek data', S.SYS_LSEEK, [FD, 0, SEEK_DATA]);

export const allocationScenarios: readonly Scenario[] = [
  {
    name: 'allocate-touch',
    about: 'pages are made for a file while a program touches them',
    cpus: [[allocate], [write(0, 7), read(1)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
    },
  },
  {
    name: 'allocate-seek',
    about: 'data is looked for in a file while a program uses a page that was only made',
    cpus: [[seekData], [write(0, 7)]],
    setup(world: World): void {
      mappedFile(world, MAP_SHARED);
      allocate.run(world, world.cpus[0] as Cpu);
    },
  },
];
