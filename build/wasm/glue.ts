/** The JavaScript module that goes with a compiled module: what its instances import. */
import { join } from 'node:path';
import type { Compiled } from './compile.ts';
import type { Target } from './target.ts';
import type { ParameterType, Signature } from './wasm-module.ts';

/** How the members of each type are reached from the CPU that an instance belongs to. */
const OBJECTS: Readonly<Record<string, string>> = {
  Cpu: 'cpu',
  Machine: 'cpu.machine',
  Tlb: 'cpu.tlb',
  TlbState: 'cpu.tlb',
  Cursor: 'cpu.faultCursor',
  LockingProtocol: 'cpu.machine.protocol',
  Int32Array: 'cpu.words',
};

/**
 * The module's text. It imports kernel sources by their paths, and exports
 * - `implementations`: the objects whose numbers stand for the machine's protocol
 * - `globals(cpu, number)`: the members that never change, `number` being the protocol's
 * - `functions(cpu)`: the functions that stay JavaScript
 * - `messages`: what panics say
 */
export function glueOf(compiled: Compiled, target: Target): string {
  const names = [...compiled.imports.map(({ name }) => name), ...target.dispatch.objects];
  const lines = names.map((name) => importLine(target, name));
  const list = target.dispatch.objects.map(aliasOf).join(', ');
  lines.push(
    `export const implementations = [${list}];`,
    `export const messages = ${JSON.stringify(compiled.messages)};`,
    'export const globals = (cpu, number) => ({',
    ...compiled.globals.map((name) => `  ${JSON.stringify(name)}: ${valueOf(target, name)},`),
    '});',
    'export const functions = (cpu) => ({',
    ...compiled.imports.map((signature) => functionLine(signature)),
    ...[...compiled.accessors].map(([name, isBoolean]) => accessorLine(name, isBoolean)),
    '});',
    '',
  );
  return lines.join('\n');
}

/** A name for an imported function that no other file's function has. */
function aliasOf(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '_');
}

function importLine(target: Target, name: string): string {
  const [file, exported] = name.split('#') as [string, string];
  const path = JSON.stringify(join(target.root, file));
  return `import { ${exported} as ${aliasOf(name)} } from ${path};`;
}

/** A number that an instance gets: of a typed array its first byte's address. */
function valueOf(target: Target, name: string): string {
  const [type, member] = name.split('.') as [string, string];
  if (`${type}.${member}` === 'Cursor.held') return 'cpu.ownStack.byteOffset';
  const value = `${OBJECTS[type]}.${member}`;
  if (member === 'protocol') return 'number';
  const isArray = /^Tlb(State)?\./.test(name);
  return isArray ? `${value}.byteOffset` : `Number(${value})`;
}

function functionLine({ name, parameters }: Signature): string {
  let count = 0;
  const values: string[] = [];
  const given = parameters.map((parameter: ParameterType) => {
    if (typeof parameter === 'object') return OBJECTS[parameter.object];
    const value = `v${count++}`;
    values.push(value);
    return parameter === 'boolean' ? `${value} !== 0` : value;
  });
  const call = `${aliasOf(name)}(${given.join(', ')})`;
  return `  ${JSON.stringify(name)}: (${values.join(', ')}) => ${call},`;
}

function accessorLine(name: string, isBoolean: boolean): string {
  const [kind, path] = name.split(' ') as [string, string];
  const [type, member] = path.split('.') as [string, string];
  const place = `${OBJECTS[type]}.${member}`;
  const code =
    kind === 'get'
      ? `() => Number(${place})`
      : `(v0) => { ${place} = v0${isBoolean ? ' !== 0' : ''}; }`;
  return `  ${JSON.stringify(name)}: ${code},`;
}
