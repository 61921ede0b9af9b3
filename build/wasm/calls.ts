/** Calls: of kernel functions, of the machine's protocol, of what stays JavaScript. */
import binaryen from 'binaryen';
import ts from 'typescript';
import { access } from './accesses.ts';
import { mathCall } from './arithmetic.ts';
import { condition, converted, expression, known, valueAs } from './expressions.ts';
import type { FunctionState, Operand, Value } from './function-state.ts';
import { isKnown } from './function-state.ts';
import type { FunctionNode } from './program.ts';
import { stackCall } from './stacks.ts';
import type { Signature } from './wasm-module.ts';
import { binaryType } from './wasm-module.ts';

/** Compiles a call. */
export function call(fn: FunctionState, node: ts.CallExpression): Operand {
  const callee = node.expression;
  if (ts.isPropertyAccessExpression(callee)) {
    const object = callee.expression;
    if (ts.isIdentifier(object) && object.text === 'Math') {
      return mathCall(fn, node, callee.name.text);
    }
    if (ts.isIdentifier(object) && object.text === 'Number' && callee.name.text === 'isNaN') {
      return isNaNCall(fn, node);
    }
    if (!isNamespace(fn, object)) return methodCall(fn, node, callee);
  }
  const name = ts.isPropertyAccessExpression(callee) ? callee.name : callee;
  const declaration = fn.program.declarationOf(name);
  if (declaration === undefined) throw fn.refuse(node, 'a call of nothing that is declared');
  const { target } = fn.program;
  const path = fn.program.pathOf(declaration);
  if (path === target.facade) return access(fn, node, name.getText());
  if (path === 'shared/panic.ts') return panicCall(fn, node, name.getText());
  if (!ts.isFunctionDeclaration(declaration)) {
    throw fn.refuse(node, `${name.getText()} is not a function that is known when compiling`);
  }
  return emitCall(fn, node, declaration, node.arguments, fn.program.nameOf(declaration));
}

function isNamespace(fn: FunctionState, node: ts.Expression): boolean {
  const declaration = ts.isIdentifier(node) ? fn.program.declarationOf(node) : undefined;
  return declaration !== undefined && ts.isSourceFile(declaration);
}

/** A call of a function whose declaration is known, compiled or imported. */
export function emitCall(
  fn: FunctionState,
  node: ts.Node,
  declaration: FunctionNode,
  given: readonly ts.Expression[],
  name: string,
): Value {
  const { module, binary } = fn;
  const isImport = module.program.target.imports.includes(name);
  const signature = isImport
    ? module.importOf(declaration, name)
    : module.signatureOf(declaration, name);
  const values = argumentsOf(fn, node, declaration, signature, given);
  const result = binaryType(signature.result);
  const code = binary.call(signature.name, values, result);
  if (signature.result !== 'never') return { code, type: signature.result };
  return { code: binary.block(null, [code, binary.unreachable()]), type: 'never' };
}

/** The arguments that have a value; those of known objects must be such objects. */
function argumentsOf(
  fn: FunctionState,
  node: ts.Node,
  declaration: FunctionNode,
  signature: Signature,
  given: readonly ts.Expression[],
): binaryen.ExpressionRef[] {
  const values: binaryen.ExpressionRef[] = [];
  for (const [index, type] of signature.parameters.entries()) {
    const argument = given[index] ?? declaration.parameters[index]?.initializer;
    if (argument === undefined) throw fn.refuse(node, `no argument ${index + 1}`);
    if (typeof type === 'object') {
      const { object } = known(fn, argument);
      if (object !== type.object) throw fn.refuse(argument, `a ${object} as a ${type.object}`);
    } else values.push(valueAs(fn, argument, type === 'f64' ? 'f64' : 'i32'));
  }
  return values;
}

function methodCall(
  fn: FunctionState,
  node: ts.CallExpression,
  callee: ts.PropertyAccessExpression,
): Operand {
  const { object, member } = known(fn, callee.expression);
  const method = callee.name.text;
  if (object === 'Array') return stackCall(fn, node, member, method);
  const { dispatch } = fn.program.target;
  if (object !== dispatch.type) {
    throw fn.refuse(node, `${method} of a ${object} is not known when compiling`);
  }
  return dispatchCall(fn, node, member, method);
}

/** A method of the machine's protocol: the instance's number chooses among those compiled. */
function dispatchCall(
  fn: FunctionState,
  node: ts.CallExpression,
  member: string,
  method: string,
): Value {
  const { binary, module, program } = fn;
  let code: binaryen.ExpressionRef = binary.unreachable();
  for (const [number, name] of [...program.target.dispatch.objects.entries()].reverse()) {
    const declaration = methodOf(fn, name, method);
    const chosen = binary.i32.eq(module.global(member), binary.i32.const(number));
    const body = emitCall(
      fn,
      node,
      declaration,
      argumentsFor(declaration, node),
      `${name}.${method}`,
    );
    if (body.type !== 'none') throw fn.refuse(node, `${method} of ${name} has a result`);
    code = binary.if(chosen, body.code, code);
  }
  return { code, type: 'none' };
}

/** An implementation may leave out the last parameters. */
function argumentsFor(declaration: FunctionNode, node: ts.CallExpression): ts.Expression[] {
  return node.arguments.slice(0, declaration.parameters.length);
}

function methodOf(fn: FunctionState, name: string, method: string): ts.MethodDeclaration {
  const declaration = fn.program.find(name);
  const object = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
  const found =
    object !== undefined && ts.isObjectLiteralExpression(object)
      ? object.properties.find((property) => property.name?.getText() === method)
      : undefined;
  if (found === undefined || !ts.isMethodDeclaration(found)) {
    throw fn.refuse(declaration, `${name} has no method ${method}`);
  }
  return found;
}

function isNaNCall(fn: FunctionState, node: ts.CallExpression): Value {
  const [argument] = node.arguments;
  if (argument === undefined) throw fn.refuse(node, 'Number.isNaN without an argument');
  const index = fn.addLocal('f64');
  const { binary } = fn;
  const get = (): number => binary.local.get(index, binaryen.f64);
  const code = binary.block(
    null,
    [binary.local.set(index, valueAs(fn, argument, 'f64')), binary.f64.ne(get(), get())],
    binaryen.i32,
  );
  return { code, type: 'i32' };
}

/** Values that a panic can pass on. */
const PANIC_VALUES = 4;

/** `panic` and `assert`: JavaScript throws, with the message of that number. */
function panicCall(fn: FunctionState, node: ts.CallExpression, name: string): Value {
  const { binary } = fn;
  const isAssert = name === 'assert';
  const [where, ...values] = isAssert ? node.arguments.slice(1) : node.arguments;
  if (where === undefined || !ts.isStringLiteral(where)) {
    throw fn.refuse(node, `${name} whose message is not a literal`);
  }
  if (values.length > PANIC_VALUES) throw fn.refuse(node, `${name} with too many values`);
  const words = values.map((argument) => {
    const operand = expression(fn, argument);
    if (isKnown(operand)) throw fn.refuse(argument, `a ${operand.object} in a message`);
    return converted(fn, operand, 'i32');
  });
  const number = binary.i32.const(fn.module.messageNumber(where.text));
  const count = binary.i32.const(words.length);
  while (words.length < PANIC_VALUES) words.push(binary.i32.const(0));
  const helper = fn.module.helper('panic', () => {
    const parameters = Array<binaryen.Type>(PANIC_VALUES + 2).fill(binaryen.i32);
    fn.module.addImport('panic', parameters, binaryen.none);
  });
  const fails = [
    binary.call(helper, [number, count, ...words], binaryen.none),
    binary.unreachable(),
  ];
  if (!isAssert) return { code: binary.block(null, fails), type: 'never' };
  const test = condition(fn, node.arguments[0] as ts.Expression);
  return { code: binary.if(binary.i32.eqz(test), binary.block(null, fails)), type: 'none' };
}
