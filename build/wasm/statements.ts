/** Statements, and the bodies of functions. */
import binaryen from 'binaryen';
import ts from 'typescript';
import { condition, converted, expression, value, valueAs, wide, word } from './expressions.ts';
import { FunctionState, isKnown } from './function-state.ts';
import type { Known } from './function-state.ts';
import { isWideElement, memberOf, setElement, setMember } from './members.ts';
import { switchStatement } from './switch.ts';
import type { FunctionNode } from './program.ts';
import type { Signature, ValueType, WasmModule } from './wasm-module.ts';
import { binaryType, binaryTypes } from './wasm-module.ts';

type Code = binaryen.ExpressionRef;

/** Compiles a function into the module. */
export function compileFunction(
  module: WasmModule,
  node: FunctionNode,
  signature: Signature,
): void {
  const fn = new FunctionState(module);
  if (node.body === undefined) throw fn.refuse(node, `${signature.name} has no body`);
  for (const [index, parameter] of node.parameters.entries()) {
    const type = signature.parameters[index];
    if (typeof type === 'object') fn.bind(parameter.name, { object: type.object, member: '' });
    else fn.addParameter(parameter.name, type === 'f64' ? 'f64' : 'i32');
  }
  const body = statements(fn, node.body.statements, signature);
  if (signature.result !== 'none') body.push(module.binary.unreachable());
  module.binary.addFunction(
    signature.name,
    binaryen.createType(binaryTypes(signature.parameters)),
    binaryType(signature.result),
    fn.locals,
    module.binary.block(null, body, binaryType(signature.result)),
  );
}

/** Compiles a list of statements. */
function statements(
  fn: FunctionState,
  nodes: readonly ts.Statement[],
  signature: Signature,
): Code[] {
  return nodes.map((node) => statement(fn, node, signature));
}

function statement(fn: FunctionState, node: ts.Statement, signature: Signature): Code {
  const { binary } = fn;
  if (ts.isBlock(node)) return binary.block(null, statements(fn, node.statements, signature));
  if (ts.isVariableStatement(node)) return declarations(fn, node.declarationList);
  if (ts.isExpressionStatement(node)) return effect(fn, node.expression);
  if (ts.isReturnStatement(node)) return returnStatement(fn, node, signature);
  if (ts.isIfStatement(node)) {
    const no = node.elseStatement;
    return binary.if(
      condition(fn, node.expression),
      statement(fn, node.thenStatement, signature),
      no === undefined ? undefined : statement(fn, no, signature),
    );
  }
  if (ts.isForStatement(node) || ts.isWhileStatement(node)) return loop(fn, node, signature);
  if (ts.isSwitchStatement(node)) {
    return switchStatement(fn, node, (clause) => statements(fn, clause, signature));
  }
  if (ts.isBreakStatement(node)) return binary.br(jump(fn, node, 'break'));
  if (ts.isContinueStatement(node)) return binary.br(jump(fn, node, 'continue'));
  if (ts.isEmptyStatement(node)) return binary.nop();
  throw fn.refuse(node, `${ts.SyntaxKind[node.kind]} is outside the subset`);
}

function jump(
  fn: FunctionState,
  node: ts.BreakOrContinueStatement,
  kind: 'break' | 'continue',
): string {
  if (node.label !== undefined) throw fn.refuse(node, `${kind} with a label`);
  const label = fn.targets.findLast((target) => target[kind] !== null)?.[kind];
  if (label === undefined || label === null) throw fn.refuse(node, `${kind} outside a loop`);
  return label;
}

function returnStatement(fn: FunctionState, node: ts.ReturnStatement, signature: Signature): Code {
  const { binary } = fn;
  if (node.expression === undefined) return binary.return();
  if (signature.result === 'none')
    return binary.block(null, [effect(fn, node.expression), binary.return()]);
  const type = signature.result === 'f64' ? 'f64' : 'i32';
  if (type === 'f64') return binary.return(wide(fn, node.expression));
  const operand = value(fn, node.expression);
  if (operand.type === 'never') return operand.code;
  return binary.return(converted(fn, operand, type));
}

/** An expression whose result nobody uses. */
function effect(fn: FunctionState, node: ts.Expression): Code {
  const { binary } = fn;
  if (ts.isParenthesizedExpression(node)) return effect(fn, node.expression);
  if (ts.isBinaryExpression(node)) {
    const operator = node.operatorToken.getText();
    if (operator === '=') return assignment(fn, node.left, node.right);
    if (/^([-+*&|^]|<<|>>)=$/.test(operator)) {
      return compound(fn, node, operator.slice(0, -1), node.right);
    }
  }
  if (ts.isPostfixUnaryExpression(node) || ts.isPrefixUnaryExpression(node)) {
    const operator = ts.tokenToString(node.operator);
    if (operator === '++' || operator === '--') return step(fn, node, operator === '++' ? 1 : -1);
  }
  const operand = value(fn, node);
  return operand.type === 'i32' || operand.type === 'f64'
    ? binary.drop(operand.code)
    : operand.code;
}

function assignment(fn: FunctionState, left: ts.Expression, right: ts.Expression): Code {
  if (ts.isIdentifier(left)) {
    const variable = fn.variable(left);
    if (variable === undefined || isKnown(variable)) {
      throw fn.refuse(left, `${left.text} is no variable of the function with a number`);
    }
    return fn.binary.local.set(variable.index, valueAs(fn, right, variable.type));
  }
  if (ts.isPropertyAccessExpression(left)) return setMember(fn, left, word(fn, right));
  if (ts.isElementAccessExpression(left)) {
    const type = isWideElement(fn, left) ? 'f64' : 'i32';
    return setElement(fn, left, valueAs(fn, right, type));
  }
  throw fn.refuse(left, 'an assignment to a pattern');
}

/** `target op= value`: the target is a variable or a member, so reading it twice does no harm. */
function compound(
  fn: FunctionState,
  node: ts.BinaryExpression,
  text: string,
  by: ts.Expression,
): Code {
  if (ts.isElementAccessExpression(node.left)) {
    throw fn.refuse(node, `${text}= of an element`);
  }
  const before = word(fn, node.left);
  const { i32 } = fn.binary;
  const operand = word(fn, by);
  const operators: Readonly<Record<string, () => Code>> = {
    '+': () => i32.add(before, operand),
    '-': () => i32.sub(before, operand),
    '*': () => i32.mul(before, operand),
    '&': () => i32.and(before, operand),
    '|': () => i32.or(before, operand),
    '^': () => i32.xor(before, operand),
    '<<': () => i32.shl(before, operand),
    '>>': () => i32.shr_s(before, operand),
  };
  return assign(fn, node.left, (operators[text] as () => Code)());
}

function step(
  fn: FunctionState,
  node: ts.PostfixUnaryExpression | ts.PrefixUnaryExpression,
  by: number,
): Code {
  const { i32 } = fn.binary;
  return assign(fn, node.operand, i32.add(word(fn, node.operand), i32.const(by)));
}

function assign(fn: FunctionState, target: ts.Expression, code: Code): Code {
  if (ts.isPropertyAccessExpression(target)) return setMember(fn, target, code);
  const variable = fn.variable(target);
  if (variable === undefined || isKnown(variable)) {
    throw fn.refuse(target, 'a change of what is neither a variable nor a member');
  }
  return fn.binary.local.set(variable.index, code);
}

function declarations(fn: FunctionState, list: ts.VariableDeclarationList): Code {
  const { binary } = fn;
  const codes: Code[] = [];
  for (const { name, initializer, type } of list.declarations) {
    if (initializer === undefined) throw fn.refuse(name, 'a variable without a value');
    if (ts.isArrayBindingPattern(name)) throw fn.refuse(name, 'an array pattern');
    const operand = expression(fn, initializer);
    if (ts.isObjectBindingPattern(name)) {
      if (!isKnown(operand)) throw fn.refuse(name, 'a pattern of what is not a known object');
      for (const part of name.elements) codes.push(bindMember(fn, part, operand));
    } else if (isKnown(operand)) fn.bind(name, operand);
    else {
      const declared = type === undefined ? operand.type : fn.program.numberType(name, type);
      const isWide = declared === 'f64';
      const code = isWide ? wide(fn, initializer) : operand.code;
      codes.push(bindLocal(fn, name, code, isWide ? 'f64' : operand.type, isWide ? 'f64' : 'i32'));
    }
  }
  return binary.block(null, codes);
}

function bindMember(fn: FunctionState, part: ts.BindingElement, object: Known): Code {
  if (part.initializer !== undefined || part.dotDotDotToken !== undefined) {
    throw fn.refuse(part, 'a pattern with a default or a rest');
  }
  const name = (part.propertyName ?? part.name).getText();
  const symbol = fn.program.checker.getTypeAtLocation(part.parent).getProperty(name);
  const operand = memberOf(fn, part, symbol, object);
  if (isKnown(operand)) {
    fn.bind(part.name, operand);
    return fn.binary.nop();
  }
  return bindLocal(fn, part.name, operand.code, operand.type, 'i32');
}

function bindLocal(
  fn: FunctionState,
  name: ts.Node,
  code: Code,
  from: ValueType,
  type: 'i32' | 'f64',
): Code {
  const { binary } = fn;
  if (from === 'none' || from === 'never') throw fn.refuse(name, 'a variable without a value');
  const index = fn.addLocal(type);
  fn.bind(name, { index, type });
  return binary.local.set(index, converted(fn, { code, type: from }, type));
}

function loop(
  fn: FunctionState,
  node: ts.ForStatement | ts.WhileStatement,
  signature: Signature,
): Code {
  const { binary } = fn;
  const [end, next, top] = [fn.label('break'), fn.label('continue'), fn.label('loop')];
  const codes: Code[] = [];
  const isFor = ts.isForStatement(node);
  if (isFor && node.initializer !== undefined) {
    codes.push(
      ts.isVariableDeclarationList(node.initializer)
        ? declarations(fn, node.initializer)
        : effect(fn, node.initializer),
    );
  }
  const test = isFor ? node.condition : node.expression;
  const turn: Code[] = [];
  // `while (true)` and `for (;;)` end by break or return alone.
  if (test !== undefined && test.kind !== ts.SyntaxKind.TrueKeyword) {
    turn.push(binary.br(end, binary.i32.eqz(condition(fn, test))));
  }
  fn.targets.push({ break: end, continue: next });
  turn.push(binary.block(next, [statement(fn, node.statement, signature)]));
  fn.targets.pop();
  if (isFor && node.incrementor !== undefined) turn.push(effect(fn, node.incrementor));
  turn.push(binary.br(top));
  codes.push(binary.block(end, [binary.loop(top, binary.block(null, turn))]));
  return binary.block(null, codes);
}
