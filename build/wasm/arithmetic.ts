/**
 * Operators on numbers.
 *
 * A number of 32 bits is computed with 32 bits. The kernel's words, indexes, pages and frames are
 * below 2^31, and what exceeds that is cut to a word where it is stored, so the difference to
 * JavaScript's numbers does not show. What could show is refused: division, remainders, and >>> by
 * what may be 0.
 */
import binaryen from 'binaryen';
import ts from 'typescript';
import { numberOf } from './evaluate.ts';
import { value, wide, word } from './expressions.ts';
import type { FunctionState, Value } from './function-state.ts';

type Operator = (left: number, right: number) => binaryen.ExpressionRef;

/** Operators on 32 bits by their text. */
function wordOperator(fn: FunctionState, text: string): Operator | undefined {
  const { i32 } = fn.binary;
  const operators: Readonly<Record<string, Operator>> = {
    '+': (a, b) => i32.add(a, b),
    '-': (a, b) => i32.sub(a, b),
    '*': (a, b) => i32.mul(a, b),
    '&': (a, b) => i32.and(a, b),
    '|': (a, b) => i32.or(a, b),
    '^': (a, b) => i32.xor(a, b),
    '<<': (a, b) => i32.shl(a, b),
    '>>': (a, b) => i32.shr_s(a, b),
    '>>>': (a, b) => i32.shr_u(a, b),
    '===': (a, b) => i32.eq(a, b),
    '!==': (a, b) => i32.ne(a, b),
    '<': (a, b) => i32.lt_s(a, b),
    '<=': (a, b) => i32.le_s(a, b),
    '>': (a, b) => i32.gt_s(a, b),
    '>=': (a, b) => i32.ge_s(a, b),
  };
  return operators[text];
}

/** The operator of a sum, difference, product or quotient on 64 bits; undefined for any other. */
export function wideOperator(fn: FunctionState, node: ts.BinaryExpression): Operator | undefined {
  const { f64 } = fn.binary;
  const operators: Readonly<Record<string, Operator>> = {
    '+': (a, b) => f64.add(a, b),
    '-': (a, b) => f64.sub(a, b),
    '*': (a, b) => f64.mul(a, b),
    '/': (a, b) => f64.div(a, b),
  };
  return operators[node.operatorToken.getText()];
}

/** A comparison on 64 bits; undefined for another operator. */
function wideComparison(fn: FunctionState, text: string): Operator | undefined {
  const { f64 } = fn.binary;
  const operators: Readonly<Record<string, Operator>> = {
    '===': (a, b) => f64.eq(a, b),
    '!==': (a, b) => f64.ne(a, b),
    '<': (a, b) => f64.lt(a, b),
    '<=': (a, b) => f64.le(a, b),
    '>': (a, b) => f64.gt(a, b),
    '>=': (a, b) => f64.ge(a, b),
  };
  return operators[text];
}

/** Compiles an operator with two operands. */
export function arithmetic(fn: FunctionState, node: ts.BinaryExpression): Value {
  const text = node.operatorToken.getText();
  const isBits = BIT_OPERATORS.has(text);
  const left = isBits ? bits(fn, node.left) : value(fn, node.left);
  const right = isBits ? bits(fn, node.right) : value(fn, node.right);
  const isWide = left.type === 'f64' || right.type === 'f64' || text === '/';
  const comparison = isWide ? wideComparison(fn, text) : undefined;
  const operator = isWide ? (comparison ?? wideOperator(fn, node)) : wordOperator(fn, text);
  if (operator === undefined) {
    throw fn.refuse(node, `${text} on numbers of ${isWide ? '64' : '32'} bits`);
  }
  if (text === '/' && left.type !== 'f64') {
    throw fn.refuse(
      node,
      'a division, unless it is of an address or in Math.floor by a power of 2',
    );
  }
  if (text === '>>>' && !isPositive(fn, node.right) && !isOperandOfBits(node)) {
    throw fn.refuse(node, '>>> by what may be 0: its result need not fit 32 bits');
  }
  if (!isWide) return { code: operator(left.code, right.code), type: 'i32' };
  // Compiled once more, with 64 bits from the operands' own operands on.
  const code = operator(wide(fn, node.left), wide(fn, node.right));
  return { code, type: comparison === undefined ? 'f64' : 'i32' };
}

const BIT_OPERATORS: ReadonlySet<string> = new Set(['&', '|', '^', '<<', '>>', '>>>']);

/** An operand of which an operator takes the low 32 bits: a constant may have more. */
function bits(fn: FunctionState, node: ts.Expression): Value {
  const number = numberOf(fn, node);
  return number === null ? value(fn, node) : { code: fn.binary.i32.const(number | 0), type: 'i32' };
}

/** Whether an expression is an operand of an operator that takes its low 32 bits. */
function isOperandOfBits(node: ts.Expression): boolean {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent)) return isOperandOfBits(parent);
  return ts.isBinaryExpression(parent) && BIT_OPERATORS.has(parent.operatorToken.getText());
}

/** Whether a shift is by more than 0: by a constant. */
function isPositive(fn: FunctionState, node: ts.Expression): boolean {
  const number = numberOf(fn, node);
  return number !== null && number > 0;
}

const MATH_WIDE: ReadonlySet<string> = new Set(['floor', 'ceil']);

/** Compiles a call of `Math`. */
export function mathCall(fn: FunctionState, node: ts.CallExpression, name: string): Value {
  const { i32, f64 } = fn.binary;
  const [first, second] = node.arguments;
  if (first === undefined) throw fn.refuse(node, `Math.${name} without an argument`);
  if (name === 'clz32') return { code: i32.clz(word(fn, first)), type: 'i32' };
  if (name === 'imul' && second !== undefined) {
    return { code: i32.mul(word(fn, first), word(fn, second)), type: 'i32' };
  }
  if ((name === 'min' || name === 'max') && second !== undefined) {
    return smaller(fn, node, first, second, name === 'min');
  }
  const shift = name === 'floor' ? wordDivision(fn, first) : null;
  if (shift !== null) return shift;
  if (!MATH_WIDE.has(name)) throw fn.refuse(node, `Math.${name} is outside the subset`);
  const operand = wide(fn, first);
  return { code: name === 'floor' ? f64.floor(operand) : f64.ceil(operand), type: 'f64' };
}

/** Math.floor of a word divided by a power of 2: a shift. Null for anything else. */
function wordDivision(fn: FunctionState, node: ts.Expression): Value | null {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.SlashToken) {
    return null;
  }
  const divisor = numberOf(fn, node.right);
  if (divisor === null || divisor <= 0 || !Number.isInteger(Math.log2(divisor))) return null;
  const dividend = value(fn, node.left);
  if (dividend.type === 'f64') return null;
  const { i32 } = fn.binary;
  return { code: i32.shr_s(dividend.code, i32.const(Math.log2(divisor))), type: 'i32' };
}

function smaller(
  fn: FunctionState,
  node: ts.Node,
  first: ts.Expression,
  second: ts.Expression,
  isMin: boolean,
): Value {
  const { binary } = fn;
  const [a, b] = [value(fn, first), value(fn, second)];
  if (a.type === 'f64' || b.type === 'f64') throw fn.refuse(node, 'Math.min and max of addresses');
  const [x, y] = [fn.addLocal('i32'), fn.addLocal('i32')];
  const { local, i32 } = binary;
  const get = (index: number): number => local.get(index, binaryen.i32);
  const isFirst = isMin ? i32.lt_s(get(x), get(y)) : i32.gt_s(get(x), get(y));
  const code = binary.block(
    null,
    [local.set(x, a.code), local.set(y, b.code), binary.select(isFirst, get(x), get(y))],
    binaryen.i32,
  );
  return { code, type: 'i32' };
}
