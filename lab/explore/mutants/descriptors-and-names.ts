/** Seeded bugs of shared descriptors, of a thread's word, and of the names of areas. */
import { patch } from '../build/patch.ts';
import type { Mutant } from '../mutants.ts';

const FD = 'kernel/objects/fd.ts';
const NAMES = 'kernel/objects/area-names.ts';
const WORDS = 'kernel/lifecycle/thread-words.ts';

export const DESCRIPTOR_AND_NAME_MUTANTS: readonly Mutant[] = [
  {
    name: 'fd-reference-late',
    about: 'a descriptor is looked up under the lock, and referenced after it',
    scenario: 'files-use-close',
    protocol: 'rcu',
    patches: [
      patch(
        FD,
        '  if (file !== 0) getFile(cpu, file);\n  unlock(cpu, table + DESCRIPTORS.LOCK);\n',
        '  unlock(cpu, table + DESCRIPTORS.LOCK);\n  if (file !== 0) getFile(cpu, file);\n',
      ),
    ],
  },
  {
    name: 'dup-unreferenced',
    about: 'a copy of a descriptor is looked up again before it is installed',
    scenario: 'files-dup-close',
    protocol: 'rcu',
    patches: [
      patch(
        FD,
        'const copy = installFd(cpu, proc, file, false);',
        'putFile(cpu, file);\n' +
          '  const copy = installFd(cpu, proc, file, false);\n' +
          '  getFile(cpu, file);',
      ),
    ],
  },
  {
    name: 'close-found-early',
    about: 'the description of a descriptor is read before its table is locked',
    scenario: 'files-close-close',
    protocol: 'rcu',
    patches: [
      patch(
        FD,
        '  lock(cpu, table + DESCRIPTORS.LOCK);\n' +
          '  const file: FileBlock = peek(cpu.words, fdAt(table, fd));\n' +
          '  poke',
        '  const file: FileBlock = peek(cpu.words, fdAt(table, fd));\n' +
          '  lock(cpu, table + DESCRIPTORS.LOCK);\n' +
          '  poke',
      ),
    ],
  },
  {
    name: 'fd-found-early',
    about: 'the lowest free descriptor is found before the table is locked',
    scenario: 'files-dup-dup',
    protocol: 'rcu',
    patches: [
      patch(
        FD,
        '    poke(cpu.words, fdAt(table, fd), file);\n    setCloexec(cpu, table, fd, cloexec);\n',
        '    unlock(cpu, table + DESCRIPTORS.LOCK);\n' +
          '    lock(cpu, table + DESCRIPTORS.LOCK);\n' +
          '    poke(cpu.words, fdAt(table, fd), file);\n' +
          '    setCloexec(cpu, table, fd, cloexec);\n',
      ),
    ],
  },
  {
    name: 'fork-of-closed-file',
    about: 'a child gets a description that has no reference for it yet',
    scenario: 'files-fork-close',
    protocol: 'rcu',
    patches: [
      patch(
        FD,
        '    getFile(cpu, file);\n    poke(cpu.words, fdAt(to, fd), file);\n',
        '    unlock(cpu, from + DESCRIPTORS.LOCK);\n' +
          '    getFile(cpu, file);\n' +
          '    lock(cpu, from + DESCRIPTORS.LOCK);\n' +
          '    poke(cpu.words, fdAt(to, fd), file);\n',
      ),
    ],
  },
  {
    name: 'join-woken-early',
    about: 'who joins a thread is woken before the thread has cleared its word',
    scenario: 'thread-join',
    protocol: 'rcu',
    patches: [
      patch(
        WORDS,
        '  const outcome = address === 0 || isLast',
        '  if (address !== 0 && !isLast) futexWake(cpu, proc, address, 1);\n' +
          '  const outcome = address === 0 || isLast',
      ),
      patch(
        WORDS,
        'storeWide(machine, proc + PROCESS.CLEAR_TID, 0);\n' +
          '  if (address !== 0 && !isLast) futexWake(cpu, proc, address, 1);',
        'storeWide(machine, proc + PROCESS.CLEAR_TID, 0);',
      ),
    ],
  },
  {
    name: 'name-freed-late',
    about: 'a name is freed some time after its last reference has gone',
    scenario: 'names-intern-put',
    protocol: 'rcu',
    patches: [
      patch(
        NAMES,
        '  if (addReference(cpu, id, -1) === 0) {\n',
        '  const refs = addReference(cpu, id, -1);\n' +
          '  unlock(cpu, BOOT.NAME_LOCK);\n' +
          '  lock(cpu, BOOT.NAME_LOCK);\n' +
          '  if (refs === 0) {\n',
      ),
    ],
  },
  {
    name: 'name-searched-early',
    about: 'a name is entered some time after it was searched for: it may be there twice',
    scenario: 'names-intern-intern',
    protocol: 'rcu',
    patches: [
      patch(
        NAMES,
        '  if (found !== 0) addReference(cpu, found, 1);\n',
        '  unlock(cpu, BOOT.NAME_LOCK);\n' +
          '  lock(cpu, BOOT.NAME_LOCK);\n' +
          '  if (found !== 0) addReference(cpu, found, 1);\n',
      ),
    ],
  },
  {
    name: 'name-count-torn',
    about: 'the references of a name are counted by a load and a store without the lock between',
    scenario: 'names-split-put',
    protocol: 'rcu',
    patches: [
      patch(
        NAMES,
        '  if (name === 0 || refs < 0) panic',
        '  unlock(cpu, BOOT.NAME_LOCK);\n' +
          '  lock(cpu, BOOT.NAME_LOCK);\n' +
          '  if (name === 0 || refs < 0) panic',
      ),
    ],
  },
];
