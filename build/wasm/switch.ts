/** `switch` over numbers: nested blocks, of which the cases enter one each. */
import binaryen from 'binaryen';
import type ts from 'typescript';
import tsApi from 'typescript';
import { word } from './expressions.ts';
import type { FunctionState } from './function-state.ts';

/** Compiles a switch; `body` compiles the statements of a clause. */
export function switchStatement(
  fn: FunctionState,
  node: ts.SwitchStatement,
  body: (statements: readonly ts.Statement[]) => binaryen.ExpressionRef[],
): binaryen.ExpressionRef {
  const { binary } = fn;
  const { clauses } = node.caseBlock;
  const index = fn.addLocal('i32');
  const end = fn.label('break');
  const labels = clauses.map(() => fn.label('case'));
  const tests: binaryen.ExpressionRef[] = [binary.local.set(index, word(fn, node.expression))];
  for (const [number, clause] of clauses.entries()) {
    if (!tsApi.isCaseClause(clause)) continue;
    const isEqual = binary.i32.eq(
      binary.local.get(index, binaryen.i32),
      word(fn, clause.expression),
    );
    tests.push(binary.br(labels[number] as string, isEqual));
  }
  const other = clauses.findIndex((clause) => !tsApi.isCaseClause(clause));
  tests.push(binary.br(other < 0 ? end : (labels[other] as string)));
  fn.targets.push({ break: end, continue: null });
  // The innermost block holds the tests; leaving block i enters the statements of clause i.
  let code = binary.block(labels[0] ?? end, tests);
  for (const [number, clause] of clauses.entries()) {
    const label = labels[number + 1] ?? end;
    code = binary.block(label, [code, ...body(clause.statements)]);
  }
  fn.targets.pop();
  return code;
}
