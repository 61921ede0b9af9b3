/**
 * What the kernel's functions are for, told by their names. The kernel keeps to these names
 * (HACKING.md), so that a rule here stands for all calls of a kind, those of tomorrow included.
 */
import type { Node } from '../build/syntax.ts';
import { field, list } from '../build/syntax.ts';
import { calleeName, nodesOf } from './kernel-function.ts';

export type Role = 'flush' | 'lock' | 'unlock' | 'rollback' | 'reference' | 'wake-up';

const ROLES: Readonly<Record<Role, RegExp>> = {
  flush: /[fF]lush|^shootDown$|^settleLazy$|^sweep[A-Z]|CatchUp$|^acknowledge$|^pokeSpace$/,
  lock: /^(read|write)?[lL]ock([A-Z]\w*)?$|^stopMachine$/,
  unlock: /^(read|write)?[uU]nlock([A-Z]\w*)?$|^resumeMachine$/,
  rollback: /[rR]ollback|^undo|^restore|^abandon|^release[A-Z]|^disown$|^drop[A-Z]|^leave[A-Z]/,
  reference: /^(get|put|free|retire|reap|slabFree|addReference|countWriter)([A-Z]\w*)?$/,
  'wake-up': /^notify$|^wake|^signalWaiters$|^unblock/,
};

/** Roles in the order in which a name is tried. */
const ORDER = ['unlock', 'lock', 'flush', 'wake-up', 'rollback', 'reference'] as const;

/** The function that leads out of the kernel, and statistics: no role, whatever their names. */
const NONE = /^leave(Kernel|User)/;

export function roleOfName(name: string): Role | null {
  if (name === '' || NONE.test(name)) return null;
  return ORDER.find((role) => ROLES[role].test(name)) ?? null;
}

/** The call that a statement consists of, be it under a condition or in a loop; or null. */
export function callOf(statement: Node): Node | null {
  switch (statement.type) {
    case 'ExpressionStatement': {
      const call = field(statement, 'expression');
      return call?.type === 'CallExpression' ? call : null;
    }
    case 'IfStatement': {
      const then = field(statement, 'consequent');
      return then === null || field(statement, 'alternate') !== null ? null : callOf(then);
    }
    case 'ForStatement':
    case 'ForOfStatement': {
      const body = field(statement, 'body');
      return body === null ? null : callOf(body);
    }
    case 'BlockStatement': {
      const [only, more] = list(statement, 'body');
      return only === undefined || more !== undefined ? null : callOf(only);
    }
    default:
      return null;
  }
}

/** The role of a statement that consists of a call. */
export function roleOf(statement: Node): Role | null {
  return roleOfName(calleeName(callOf(statement)));
}

/** Ordered accesses of the façade, by what they do. */
const UPDATES = ['exchange', 'compareExchange', 'add', 'or', 'and'];
const ORDERED = new Set(['load', 'store', 'wait', ...UPDATES]);
const PLAIN = new Set(['peek', 'poke', 'loadWide', 'storeWide', 'fillWords', 'copyWords']);
const READS = new Set(['peek', 'load', 'loadWide', 'exchange', 'compareExchange']);

export type Access = 'ordered' | 'plain';

/** The strongest access among the calls of a statement that are not under a condition. */
export function accessOf(statement: Node): Access | null {
  let found: Access | null = null;
  for (const node of nodesOf(statement)) {
    const name = calleeName(node);
    if (ORDERED.has(name)) return 'ordered';
    if (PLAIN.has(name)) found = 'plain';
  }
  return found;
}

export function isUpdate(node: Node): boolean {
  return UPDATES.includes(calleeName(node)) && field(node, 'callee')?.type === 'Identifier';
}

/** Questions about the machine's state, by their names and what they are given. */
const QUESTION = /^(is|has|may|can|still|swept|answered|frame(Refs|State)|find)/;
const MACHINE = new Set(['cpu', 'machine', 'words', 'op', 'set', 'store']);

/** Whether an expression reads shared memory, itself or by a question; `known` are such values. */
export function readsShared(expression: Node, known: ReadonlySet<string>): boolean {
  return nodesOf(expression).some((node) => {
    const name = calleeName(node);
    if (READS.has(name) || (QUESTION.test(name) && isAboutMachine(node))) return true;
    return node.type === 'Identifier' && known.has(String(node['name']));
  });
}

function isAboutMachine(call: Node): boolean {
  return list(call, 'arguments').some((argument) =>
    nodesOf(argument).some(({ type, name }) => type === 'Identifier' && MACHINE.has(String(name))),
  );
}
