/** Expressions: numbers, truth values, and the objects that an instance knows. */
import binaryen from 'binaryen';
import ts from 'typescript';
import { call } from './calls.ts';
import type { FunctionState, Known, Operand, Value } from './function-state.ts';
import { isKnown } from './function-state.ts';
import { arithmetic, wideOperator } from './arithmetic.ts';
import { numberOf } from './evaluate.ts';
import { element, member } from './members.ts';

/** Compiles an expression that must have a value. */
export function value(fn: FunctionState, node: ts.Expression): Value {
  const operand = expression(fn, node);
  if (isKnown(operand)) throw fn.refuse(node, `a ${operand.object} used as a value`);
  return operand;
}

/** The value as a number of 32 bits. */
export function word(fn: FunctionState, node: ts.Expression): binaryen.ExpressionRef {
  const { code, type } = value(fn, node);
  if (type === 'none') throw fn.refuse(node, 'no value where a number is needed');
  if (type !== 'f64') return code;
  throw fn.refuse(node, 'a number that need not fit 32 bits where one of 32 bits is needed');
}

/**
 * The value as a number of 64 bits. Products and sums on the way to it are computed with 64 bits:
 * the address of a page does not fit 32.
 */
export function wide(fn: FunctionState, node: ts.Expression): binaryen.ExpressionRef {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) {
    return wide(fn, node.expression);
  }
  const operator = ts.isBinaryExpression(node) ? wideOperator(fn, node) : undefined;
  if (operator !== undefined && ts.isBinaryExpression(node)) {
    return operator(wide(fn, node.left), wide(fn, node.right));
  }
  if (ts.isConditionalExpression(node)) {
    const test = condition(fn, node.condition);
    return fn.binary.if(test, wide(fn, node.whenTrue), wide(fn, node.whenFalse));
  }
  return converted(fn, value(fn, node), 'f64');
}

/** The value in the type of the place that takes it. */
export function valueAs(
  fn: FunctionState,
  node: ts.Expression,
  type: 'i32' | 'f64',
): binaryen.ExpressionRef {
  return type === 'f64' ? wide(fn, node) : converted(fn, value(fn, node), type);
}

/** A value in another type. */
export function converted(
  fn: FunctionState,
  operand: Value,
  type: 'i32' | 'f64',
): binaryen.ExpressionRef {
  if (type === 'f64') {
    return operand.type === 'f64' ? operand.code : fn.binary.f64.convert_s.i32(operand.code);
  }
  // Pages and blocks that were computed from an address: a whole number that fits.
  return operand.type === 'f64' ? fn.binary.i32.trunc_s_sat.f64(operand.code) : operand.code;
}

/** An object that the instance knows. */
export function known(fn: FunctionState, node: ts.Expression): Known {
  const operand = expression(fn, node);
  if (!isKnown(operand)) throw fn.refuse(node, 'not an object that a CPU has one of');
  return operand;
}

/** A condition: what JavaScript takes for true is not 0. */
export function condition(fn: FunctionState, node: ts.Expression): binaryen.ExpressionRef {
  if (!fn.program.isBoolean(node)) throw fn.refuse(node, 'a condition that is not a boolean');
  return word(fn, node);
}

/** Compiles an expression. */
export function expression(fn: FunctionState, node: ts.Expression): Operand {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) {
    return expression(fn, node.expression);
  }
  if (ts.isNonNullExpression(node)) return expression(fn, node.expression);
  const number = numberOf(fn, node);
  if (number !== null) return numeral(fn, number);
  if (node.kind === ts.SyntaxKind.TrueKeyword) return { code: fn.binary.i32.const(1), type: 'i32' };
  if (node.kind === ts.SyntaxKind.FalseKeyword) return numeral(fn, 0);
  if (node.kind === ts.SyntaxKind.ThisKeyword) return thisObject(fn, node);
  if (ts.isIdentifier(node)) return identifier(fn, node);
  if (ts.isPropertyAccessExpression(node)) return member(fn, node);
  if (ts.isElementAccessExpression(node)) return element(fn, node);
  if (ts.isCallExpression(node)) return call(fn, node);
  if (ts.isPrefixUnaryExpression(node)) return unary(fn, node);
  if (ts.isConditionalExpression(node)) return choice(fn, node);
  if (ts.isBinaryExpression(node)) return binaryExpression(fn, node);
  throw fn.refuse(node, `${ts.SyntaxKind[node.kind]} is outside the subset`);
}

/** A constant. */
function numeral(fn: FunctionState, number: number): Value {
  const fits = (number | 0) === number && !Object.is(number, -0);
  if (fits) return { code: fn.binary.i32.const(number), type: 'i32' };
  return { code: fn.binary.f64.const(number), type: 'f64' };
}

function thisObject(fn: FunctionState, node: ts.Expression): Known {
  const object = fn.program.typeName(node);
  if (!fn.program.isObject(object))
    throw fn.refuse(node, '`this` of an object with many instances');
  return { object, member: '' };
}

function identifier(fn: FunctionState, node: ts.Identifier): Operand {
  if (node.text === 'undefined') return numeral(fn, NOTHING);
  const variable = fn.variable(node);
  if (variable === undefined) {
    throw fn.refuse(node, `${node.text} is neither a variable of the function nor a constant`);
  }
  if (isKnown(variable)) return variable;
  const { index, type } = variable;
  const code = fn.binary.local.get(index, type === 'f64' ? binaryen.f64 : binaryen.i32);
  return { code, type };
}

/** What `pop` of an empty stack gives: the elements of stacks are frame numbers. */
export const NOTHING = -1;

function unary(fn: FunctionState, node: ts.PrefixUnaryExpression): Value {
  const { i32, f64 } = fn.binary;
  switch (node.operator) {
    case ts.SyntaxKind.ExclamationToken:
      return { code: i32.eqz(condition(fn, node.operand)), type: 'i32' };
    case ts.SyntaxKind.TildeToken:
      return { code: i32.xor(word(fn, node.operand), i32.const(-1)), type: 'i32' };
    case ts.SyntaxKind.MinusToken: {
      const { code, type } = value(fn, node.operand);
      if (type === 'f64') return { code: f64.neg(code), type };
      return { code: i32.sub(i32.const(0), code), type: 'i32' };
    }
    default:
      throw fn.refuse(node, `${ts.tokenToString(node.operator)} within an expression`);
  }
}

function choice(fn: FunctionState, node: ts.ConditionalExpression): Value {
  const test = condition(fn, node.condition);
  const yes = value(fn, node.whenTrue);
  const no = value(fn, node.whenFalse);
  if (yes.type === no.type) return { code: fn.binary.if(test, yes.code, no.code), type: yes.type };
  const [whenTrue, whenFalse] = [yes, no].map(({ code, type }) =>
    type === 'f64' ? code : fn.binary.f64.convert_s.i32(code),
  ) as [number, number];
  return { code: fn.binary.if(test, whenTrue, whenFalse), type: 'f64' };
}

function binaryExpression(fn: FunctionState, node: ts.BinaryExpression): Value {
  const { binary } = fn;
  const { left, right } = node;
  switch (node.operatorToken.kind) {
    case ts.SyntaxKind.AmpersandAmpersandToken: {
      const yes = condition(fn, right);
      return { code: binary.if(condition(fn, left), yes, binary.i32.const(0)), type: 'i32' };
    }
    case ts.SyntaxKind.BarBarToken: {
      const no = condition(fn, right);
      return { code: binary.if(condition(fn, left), binary.i32.const(1), no), type: 'i32' };
    }
    default:
      return arithmetic(fn, node);
  }
}
