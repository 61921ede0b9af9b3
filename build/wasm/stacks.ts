/**
 * Arrays of numbers that an object of the instance has: stacks of at most STACK_WORDS elements in
 * the CPU's scratch memory. A page fault locks no more tables than a walk passes.
 */
import binaryen from 'binaryen';
import type ts from 'typescript';
import { NOTHING, word } from './expressions.ts';
import type { FunctionState, Value } from './function-state.ts';
import { STACK_WORDS } from './target.ts';

const { i32, none } = binaryen;

function lengthOf(fn: FunctionState, member: string): string {
  return fn.module.own(`${member}.length`);
}

/** Compiles `stack.length`. */
export function stackLength(fn: FunctionState, member: string): Value {
  return { code: fn.binary.global.get(lengthOf(fn, member), i32), type: 'i32' };
}

/** Compiles a method of a stack. */
export function stackCall(
  fn: FunctionState,
  node: ts.CallExpression,
  member: string,
  method: string,
): Value {
  const [first] = node.arguments;
  if (method === 'push' && first !== undefined && node.arguments.length === 1) {
    const code = fn.binary.call(pushHelper(fn, member), [word(fn, first)], none);
    return { code, type: 'none' };
  }
  if (method === 'pop')
    return { code: fn.binary.call(popHelper(fn, member), [], i32), type: 'i32' };
  throw fn.refuse(node, `${method} of an array is outside the subset: push and pop are in it`);
}

/** The address of the element at the stack's length, less `below`. */
function elementAt(fn: FunctionState, member: string): binaryen.ExpressionRef {
  const { binary, module } = fn;
  const length = binary.global.get(lengthOf(fn, member), i32);
  return binary.i32.add(module.global(member), binary.i32.shl(length, binary.i32.const(2)));
}

function pushHelper(fn: FunctionState, member: string): string {
  const length = lengthOf(fn, member);
  return fn.module.helper(`push ${member}`, (binary) => {
    const get = (): number => binary.global.get(length, i32);
    const isFull = binary.i32.ge_u(get(), binary.i32.const(STACK_WORDS));
    binary.addFunction(
      `push ${member}`,
      binaryen.createType([i32]),
      none,
      [],
      binary.block(null, [
        binary.if(isFull, binary.unreachable()),
        binary.i32.store(0, 4, elementAt(fn, member), binary.local.get(0, i32)),
        binary.global.set(length, binary.i32.add(get(), binary.i32.const(1))),
      ]),
    );
  });
}

function popHelper(fn: FunctionState, member: string): string {
  const length = lengthOf(fn, member);
  return fn.module.helper(`pop ${member}`, (binary) => {
    const get = (): number => binary.global.get(length, i32);
    binary.addFunction(
      `pop ${member}`,
      none,
      i32,
      [],
      binary.if(
        binary.i32.eqz(get()),
        binary.i32.const(NOTHING),
        binary.block(
          null,
          [
            binary.global.set(length, binary.i32.sub(get(), binary.i32.const(1))),
            binary.i32.load(0, 4, elementAt(fn, member)),
          ],
          i32,
        ),
      ),
    );
  });
}
