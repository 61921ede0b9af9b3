/** The values of constant expressions: literals, constants of modules, and operators on them. */
import ts from 'typescript';
import type { FunctionState } from './function-state.ts';

const OPERATORS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '>>>': (a, b) => a >>> b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
};

/** The value of an expression, null when it is not a constant. */
export function numberOf(fn: FunctionState, node: ts.Expression): number | null {
  if (ts.isParenthesizedExpression(node)) return numberOf(fn, node.expression);
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isIdentifier(node) && node.text === 'NaN') return NaN;
  if (ts.isPrefixUnaryExpression(node)) {
    const operand = numberOf(fn, node.operand);
    if (operand === null) return null;
    if (node.operator === ts.SyntaxKind.MinusToken) return -operand;
    return node.operator === ts.SyntaxKind.TildeToken ? ~operand : null;
  }
  if (ts.isBinaryExpression(node)) {
    const operator = OPERATORS[node.operatorToken.getText()];
    const [left, right] = [numberOf(fn, node.left), numberOf(fn, node.right)];
    return operator === undefined || left === null || right === null ? null : operator(left, right);
  }
  if (ts.isIdentifier(node)) return constantOf(fn, node);
  return ts.isPropertyAccessExpression(node) ? numberOfMember(fn, node) : null;
}

/** A constant of a module: what its initialiser says, or what it is when the module has run. */
function constantOf(fn: FunctionState, name: ts.Identifier | ts.MemberName): number | null {
  const declaration = fn.program.declarationOf(name);
  if (declaration === undefined || !ts.isVariableDeclaration(declaration)) return null;
  if (!ts.isSourceFile(declaration.parent.parent.parent)) return null;
  const { initializer, parent } = declaration;
  if ((parent.flags & ts.NodeFlags.Const) === 0 || initializer === undefined) return null;
  const number = numberOf(fn, initializer);
  if (number !== null || !ts.isCallExpression(initializer)) return number;
  const path = fn.program.pathOf(declaration);
  return fn.module.constants.numberAt(path, [declaration.name.getText()]);
}

/** `NAMESPACE.NAME`, or a number of a constant object, which its module has computed. */
function numberOfMember(fn: FunctionState, node: ts.PropertyAccessExpression): number | null {
  if (!ts.isIdentifier(node.expression)) return null;
  const object = fn.program.declarationOf(node.expression);
  if (object === undefined || ts.isSourceFile(object)) return constantOf(fn, node.name);
  if (!ts.isVariableDeclaration(object) || !ts.isSourceFile(object.parent.parent.parent))
    return null;
  const keys = [object.name.getText(), node.name.text];
  return fn.module.constants.numberAt(fn.program.pathOf(object), keys);
}
