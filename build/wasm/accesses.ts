/**
 * The accesses of shared/atomics.ts as instructions: plain ones of `peek` and `poke`, sequentially
 * consistent ones of the others. Sleeping, waking and the pause in a spin loop stay calls.
 */
import binaryen from 'binaryen';
import ts from 'typescript';
import { numberOf } from './evaluate.ts';
import { known, word } from './expressions.ts';
import type { FunctionState, Value } from './function-state.ts';

const { i32, none } = binaryen;

/** The address of a word: an instruction's constant offset, and the rest. */
interface Address {
  readonly offset: number;
  readonly code: binaryen.ExpressionRef;
}

/** Compiles a call of the façade. */
export function access(fn: FunctionState, node: ts.CallExpression, name: string): Value {
  if (name === 'pause') return imported(fn, name, [], 'none');
  const [words, at, ...rest] = node.arguments;
  if (words === undefined || at === undefined) throw fn.refuse(node, `${name} without arguments`);
  if (known(fn, words).object !== 'Int32Array') throw fn.refuse(words, 'not the machine’s words');
  const code = (index: number): binaryen.ExpressionRef => {
    const argument = rest[index];
    if (argument === undefined) throw fn.refuse(node, `${name} with too few arguments`);
    return word(fn, argument);
  };
  switch (name) {
    case 'peek':
    case 'load':
      return loaded(fn, addressOf(fn, at), name === 'load');
    case 'poke':
    case 'store':
      return stored(fn, addressOf(fn, at), code(0), name === 'store');
    case 'wait':
      return imported(fn, name, [word(fn, at), code(0), code(1)], 'i32');
    case 'notify':
      return imported(fn, name, [word(fn, at), code(0)], 'none');
    case 'fillWords':
      return filled(fn, word(fn, at), code(0), code(1));
    case 'copyWords':
      return copied(fn, word(fn, at), code(0), code(1));
    default:
      return modified(fn, node, name, addressOf(fn, at), code);
  }
}

/** `base + FIELD`: the field goes into the instruction. Indexes are never negative. */
function addressOf(fn: FunctionState, at: ts.Expression): Address {
  const { binary } = fn;
  const two = (): number => binary.i32.const(2);
  if (ts.isBinaryExpression(at) && at.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const field = numberOf(fn, at.right);
    if (field !== null && field >= 0) {
      return { offset: field * 4, code: binary.i32.shl(word(fn, at.left), two()) };
    }
  }
  return { offset: 0, code: binary.i32.shl(word(fn, at), two()) };
}

function loaded(fn: FunctionState, { offset, code }: Address, isOrdered: boolean): Value {
  const { binary } = fn;
  if (isOrdered) return { code: binary.i32.atomic.load(offset, code), type: 'i32' };
  return { code: binary.i32.load(offset, 4, code), type: 'i32' };
}

function stored(fn: FunctionState, at: Address, value: number, isOrdered: boolean): Value {
  const { binary } = fn;
  const { offset, code } = at;
  if (isOrdered) return { code: binary.i32.atomic.store(offset, code, value), type: 'none' };
  return { code: binary.i32.store(offset, 4, code, value), type: 'none' };
}

/** A read-modify-write: the result is the value before. */
function modified(
  fn: FunctionState,
  node: ts.Node,
  name: string,
  { offset, code }: Address,
  operand: (index: number) => binaryen.ExpressionRef,
): Value {
  const { rmw } = fn.binary.i32.atomic;
  switch (name) {
    case 'compareExchange':
      return { code: rmw.cmpxchg(offset, code, operand(0), operand(1)), type: 'i32' };
    case 'exchange':
      return { code: rmw.xchg(offset, code, operand(0)), type: 'i32' };
    case 'add':
      return { code: rmw.add(offset, code, operand(0)), type: 'i32' };
    case 'or':
      return { code: rmw.or(offset, code, operand(0)), type: 'i32' };
    case 'and':
      return { code: rmw.and(offset, code, operand(0)), type: 'i32' };
    default:
      throw fn.refuse(node, `${name} of the façade is outside the subset`);
  }
}

function imported(
  fn: FunctionState,
  name: string,
  values: binaryen.ExpressionRef[],
  type: 'i32' | 'none',
): Value {
  const result = type === 'i32' ? i32 : none;
  fn.module.helper(name, () =>
    fn.module.addImport(
      name,
      values.map(() => i32),
      result,
    ),
  );
  return { code: fn.binary.call(name, values, result), type };
}

function copied(fn: FunctionState, to: number, from: number, count: number): Value {
  const { binary } = fn;
  const bytes = (words: number): number => binary.i32.shl(words, binary.i32.const(2));
  return { code: binary.memory.copy(bytes(to), bytes(from), bytes(count)), type: 'none' };
}

/** A loop: an instruction fills with equal bytes only. */
function filled(fn: FunctionState, from: number, to: number, value: number): Value {
  const helper = fn.module.helper('fillWords', (binary) => {
    const get = (index: number): number => binary.local.get(index, i32);
    const address = binary.i32.shl(get(0), binary.i32.const(2));
    const body = binary.loop(
      'next',
      binary.if(
        binary.i32.lt_s(get(0), get(1)),
        binary.block(null, [
          binary.i32.store(0, 4, address, get(2)),
          binary.local.set(0, binary.i32.add(get(0), binary.i32.const(1))),
          binary.br('next'),
        ]),
      ),
    );
    binary.addFunction('fillWords', binaryen.createType([i32, i32, i32]), none, [], body);
  });
  return { code: fn.binary.call(helper, [from, to, value], none), type: 'none' };
}
