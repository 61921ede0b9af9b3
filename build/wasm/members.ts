/** Members of the objects that an instance knows, constants, and elements of typed arrays. */
import binaryen from 'binaryen';
import ts from 'typescript';
import { emitCall } from './calls.ts';
import { expression, known, word } from './expressions.ts';
import type { FunctionState, Known, Operand, Value } from './function-state.ts';
import { isKnown } from './function-state.ts';
import { stackLength } from './stacks.ts';

/** Where a member is kept: see target.ts. */
type Place = 'object' | 'stack' | 'accessor' | 'constant' | 'owned' | 'javascript';

/** Compiles `object.name`. */
export function member(fn: FunctionState, node: ts.PropertyAccessExpression): Operand {
  const symbol = fn.program.checker.getSymbolAtLocation(node.name);
  return memberOf(fn, node.name, symbol, known(fn, node.expression));
}

function placeOf(fn: FunctionState, name: ts.Node, symbol: ts.Symbol, object: string): Place {
  const { program } = fn;
  const declaration = symbol.valueDeclaration;
  if (declaration === undefined) throw fn.refuse(name, 'a member without a declaration');
  const type = program.nameOfType(program.checker.getTypeOfSymbol(symbol));
  if (program.isObject(type)) return 'object';
  if (type === 'Array') return 'stack';
  if (ts.isAccessor(declaration)) return 'accessor';
  if ((ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Readonly) !== 0) {
    return 'constant';
  }
  return program.target.owned.includes(object) ? 'owned' : 'javascript';
}

/** The member `symbol` of a known object; `name` is where it is named. */
export function memberOf(
  fn: FunctionState,
  name: ts.Node,
  symbol: ts.Symbol | undefined,
  { object, member: of }: Known,
): Operand {
  if (symbol === undefined) throw fn.refuse(name, `a ${object} has no such member`);
  const path = `${object}.${symbol.name}`;
  const { module, binary, program } = fn;
  if (program.target.others.includes(path)) {
    throw fn.refuse(name, `${path} is only for JavaScript`);
  }
  if (object === 'Array' && symbol.name === 'length') return stackLength(fn, of);
  if (object.endsWith('Array')) throw fn.refuse(name, `${path} is outside the subset`);
  switch (placeOf(fn, name, symbol, object)) {
    case 'object':
      return { object: program.nameOfType(program.checker.getTypeOfSymbol(symbol)), member: path };
    case 'stack':
      return { object: 'Array', member: path };
    case 'accessor':
      return emitCall(fn, name, accessorOf(fn, name, symbol, true), [], `get ${path}`);
    case 'constant':
      return { code: module.global(path), type: 'i32' };
    case 'owned':
      return { code: binary.global.get(module.own(path), binaryen.i32), type: 'i32' };
    case 'javascript':
      return {
        code: binary.call(module.accessor(`get ${path}`, false), [], binaryen.i32),
        type: 'i32',
      };
  }
}

function accessorOf(
  fn: FunctionState,
  name: ts.Node,
  symbol: ts.Symbol,
  isGet: boolean,
): ts.AccessorDeclaration {
  for (const declaration of symbol.declarations ?? []) {
    if (ts.isAccessor(declaration) && ts.isGetAccessor(declaration) === isGet) return declaration;
  }
  throw fn.refuse(name, `${symbol.name} cannot be ${isGet ? 'read' : 'assigned'}`);
}

/** Compiles `object.name = value`. */
export function setMember(
  fn: FunctionState,
  node: ts.PropertyAccessExpression,
  code: binaryen.ExpressionRef,
): binaryen.ExpressionRef {
  const { object } = known(fn, node.expression);
  const path = `${object}.${node.name.text}`;
  const { module, binary } = fn;
  const symbol = fn.program.checker.getSymbolAtLocation(node.name);
  if (symbol === undefined) throw fn.refuse(node, `a ${object} has no such member`);
  switch (placeOf(fn, node.name, symbol, object)) {
    case 'accessor': {
      const setter = accessorOf(fn, node.name, symbol, false);
      const signature = module.signatureOf(setter, `set ${path}`);
      return binary.call(signature.name, [code], binaryen.none);
    }
    case 'owned':
      return binary.global.set(module.own(path), code);
    case 'javascript':
      return binary.call(
        module.accessor(`set ${path}`, fn.program.isBoolean(node)),
        [code],
        binaryen.none,
      );
    default:
      throw fn.refuse(node, `${path} cannot be assigned`);
  }
}

/** Address of an element of a typed array, its size known by the array's type. */
function addressOfElement(fn: FunctionState, node: ts.ElementAccessExpression): Known & Value {
  const array = known(fn, node.expression);
  if (array.member === '' || !/^(Int32|Float64)Array$/.test(array.object)) {
    throw fn.refuse(node, 'an element of anything but a typed array that a known object has');
  }
  const { i32 } = fn.binary;
  const isWide = array.object === 'Float64Array';
  const offset = i32.shl(word(fn, node.argumentExpression), i32.const(isWide ? 3 : 2));
  const code = i32.add(fn.module.global(array.member), offset);
  return { ...array, code, type: isWide ? 'f64' : 'i32' };
}

/** Compiles `array[index]`. */
export function element(fn: FunctionState, node: ts.ElementAccessExpression): Value {
  const { code, type } = addressOfElement(fn, node);
  const { f64, i32 } = fn.binary;
  return { code: type === 'f64' ? f64.load(0, 8, code) : i32.load(0, 4, code), type };
}

/** Whether elements of the array are addresses. */
export function isWideElement(fn: FunctionState, node: ts.ElementAccessExpression): boolean {
  const operand = expression(fn, node.expression);
  return isKnown(operand) && operand.object === 'Float64Array';
}

/** Compiles `array[index] = value`. */
export function setElement(
  fn: FunctionState,
  node: ts.ElementAccessExpression,
  value: binaryen.ExpressionRef,
): binaryen.ExpressionRef {
  const { code, type } = addressOfElement(fn, node);
  const { f64, i32 } = fn.binary;
  return type === 'f64' ? f64.store(0, 8, code, value) : i32.store(0, 4, code, value);
}
